//! Errors of programs that only pass them on.

/// Any error, for programs that only pass them on.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
