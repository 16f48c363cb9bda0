//! The fields that a configuration asks for: compiled once a page, then read from it. Refuses to
//! let a page or a configuration cost more than the page's budget.

mod compile;
mod convert;
mod date;
mod number;
mod pattern;
mod run;
mod select;

pub(super) use compile::Compiled;
pub(super) use run::Sources;
