//! What the tests of this crate share.
#![allow(unreachable_pub, dead_code, reason = "a module of tests, which use parts of it")]

pub mod talk;

use std::cell::RefCell;

use ws_endpoint::{
    driver::MaskSource,
    extensions::{
        Codec, Extension, ExtensionError, MessageHead, Offer, Output, Params, Plan, Refusal, Session,
        SessionOptions,
    },
    frame::{Role, Rsv},
};

thread_local! {
    /// The roles that the extensions were told.
    pub static ROLES: RefCell<Vec<Role>> = const { RefCell::new(Vec::new()) };
}

/// An extension that lets every message pass.
pub struct Fake(pub &'static str, pub Rsv);

impl Extension for Fake {
    fn name(&self) -> &'static str {
        self.0
    }

    fn rsv(&self) -> Rsv {
        self.1
    }

    fn offer(&self, options: &SessionOptions) -> Option<Box<dyn Offer>> {
        ROLES.with_borrow_mut(|roles| roles.push(options.role));
        Some(Box::new(Offered([Params::default()])))
    }

    fn accept(&self, _: &[Params], options: &SessionOptions) -> Option<(Params, Session)> {
        ROLES.with_borrow_mut(|roles| roles.push(options.role));
        Some((Params::default(), Session::new(Passing, Passing)))
    }
}

struct Offered([Params; 1]);

impl Offer for Offered {
    fn params(&self) -> &[Params] {
        &self.0
    }

    fn activate(self: Box<Self>, _: &Params) -> Result<Session, Refusal> {
        Ok(Session::new(Passing, Passing))
    }
}

struct Passing;

impl Codec for Passing {
    fn begin(&mut self, _: &mut MessageHead, _: Option<usize>) -> Plan {
        Plan::Pass
    }

    fn push(&mut self, _: &[u8], _: bool, _: &mut Output<'_>) -> Result<(), ExtensionError> {
        Err(ExtensionError::internal("nothing is pushed here"))
    }
}

/// The same key for every frame.
pub fn fixed_masks(key: [u8; 4]) -> MaskSource {
    MaskSource::custom(move || key)
}
