//! What can go wrong while an extension works on a message.

use std::borrow::Cow;

use thiserror::Error;
use ws_frame::CloseCode;

/// An extension could not process a message; the direction it happened in is over.
///
/// Extensions make one with [`corrupt`](Self::corrupt), [`too_big`](Self::too_big) or [`internal`](Self::internal);
/// the pipeline adds the extension's name.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ExtensionError {
    extension: &'static str,
    fault: Fault,
}

/// Whose fault an [`ExtensionError`] is.
#[derive(Clone, Debug, Error, Eq, PartialEq)]
#[non_exhaustive]
pub enum Fault {
    /// The peer sent data that the extension cannot read.
    #[error("corrupt data: {0}")]
    Corrupt(Cow<'static, str>),
    /// The message would become longer than allowed. It was not made longer to see how long.
    #[error("message longer than the limit of {limit} bytes")]
    TooBig {
        /// The most bytes that a message may have.
        limit: usize,
    },
    /// The extension itself failed or panicked, or broke the rules of the pipeline.
    #[error("{0}")]
    Internal(Cow<'static, str>),
}

impl ExtensionError {
    /// The peer sent data that the extension cannot read: the connection is closed with 1007.
    pub fn corrupt(reason: impl Into<Cow<'static, str>>) -> Self {
        Fault::Corrupt(reason.into()).into()
    }

    /// The message would be longer than `limit` bytes: the connection is closed with 1009.
    pub const fn too_big(limit: usize) -> Self {
        ExtensionError { extension: "", fault: Fault::TooBig { limit } }
    }

    /// The extension failed for a reason of its own: the connection is closed with 1011.
    pub fn internal(reason: impl Into<Cow<'static, str>>) -> Self {
        Fault::Internal(reason.into()).into()
    }

    /// The name of the extension that failed; empty when no single one can be named.
    pub const fn extension(&self) -> &'static str {
        self.extension
    }

    /// What happened.
    pub const fn fault(&self) -> &Fault {
        &self.fault
    }

    /// The status code of the Close that this error calls for (RFC 6455 section 7.4.1). Never 1010, which belongs to
    /// a client whose server did not grant an extension that it cannot do without.
    pub const fn close_code(&self) -> CloseCode {
        match self.fault {
            Fault::Corrupt(_) => CloseCode::INVALID_PAYLOAD,
            Fault::TooBig { .. } => CloseCode::TOO_BIG,
            Fault::Internal(_) => CloseCode::INTERNAL_ERROR,
        }
    }

    /// The same, said of this extension; a name that is there already stays.
    pub(crate) const fn named(mut self, extension: &'static str) -> Self {
        if self.extension.is_empty() {
            self.extension = extension;
        }
        self
    }
}

impl From<Fault> for ExtensionError {
    fn from(fault: Fault) -> Self {
        ExtensionError { extension: "", fault }
    }
}

impl std::fmt::Display for ExtensionError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if !self.extension.is_empty() {
            write!(f, "{}: ", self.extension)?;
        }
        self.fault.fmt(f)
    }
}

impl std::error::Error for ExtensionError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_has_its_code_and_names_the_extension_once() {
        let cases = [
            (ExtensionError::corrupt("bad block"), CloseCode::INVALID_PAYLOAD, "x: corrupt data: bad block"),
            (ExtensionError::too_big(7), CloseCode::TOO_BIG, "x: message longer than the limit of 7 bytes"),
            (ExtensionError::internal("no memory"), CloseCode::INTERNAL_ERROR, "x: no memory"),
        ];
        for (error, code, text) in cases {
            let error = error.named("x").named("y");
            assert_eq!((error.extension(), error.close_code()), ("x", code));
            assert_eq!(error.to_string(), text);
        }
        assert_eq!(ExtensionError::internal("alone").to_string(), "alone");
    }
}
