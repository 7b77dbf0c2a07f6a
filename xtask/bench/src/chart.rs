//! Pictures of figures, as SVG that is legible on light pages and on dark ones.

mod canvas;
mod lines;
mod panels;
mod points;

pub(crate) use canvas::Look;
pub(crate) use lines::{Line, Lines};
pub(crate) use panels::{Bar, Panel, Panels};
pub(crate) use points::{Point, Points};
