//! One message to many connections.

mod bell;
#[cfg(test)]
mod bell_tests;
mod group;
mod member;
mod options;
mod subscription;

pub use self::{
    group::{Group, GroupStats, Tally},
    member::{MemberId, MemberStats},
    options::{MemberOptions, SlowConsumer},
    subscription::Subscription,
};
