//! The web: fetching pages and reading them.

pub mod extract;
