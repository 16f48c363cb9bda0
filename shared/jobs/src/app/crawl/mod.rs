//! Crawls: what a worker does in one slice of one, and what readers see of it.

mod download;
mod earlier;
mod export;
mod forget;
mod gates;
mod page;
mod pages;
mod read;
mod refresh;
mod slice;
mod storage;
mod target;

pub(in crate::app) use gates::KnownHosts;
pub(in crate::app) use storage::pack_prefix;

pub use download::Download;
pub use gates::{Gates, Permit};
pub use read::{Explained, ResultsCursor, ResultsPart, UrlFilter, UrlRow, UrlsPage};
