//! What the fuzz targets share.
//!
//! | to | use |
//! | --- | --- |
//! | read choices out of an input | [`Input`] |
//! | cut a stream of bytes as an input says | [`Cuts`] |
//! | know how much memory is held | [`Meter`] |
//! | check a receiver against the oracle, in every cutting | [`receiver::check`] |
//! | let two connections talk as a script says | [`Pair`] |

mod cuts;
mod input;
mod meter;
mod pair;
pub mod receiver;

pub use cuts::Cuts;
pub use input::Input;
pub use meter::Meter;
pub use pair::Pair;
