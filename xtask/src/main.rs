//! What the repository does to itself: tests, conformance, tidiness.
fn main() {}
