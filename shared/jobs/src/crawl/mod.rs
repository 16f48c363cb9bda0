//! Crawling a site: a chain of short slices, each published by one conditional write of the job's
//! row. What is pure of it lives here; [`crate::app`] drives it. Refuses input and output, clocks
//! and the web.

pub mod entry;
pub mod formats;
pub mod frontier;
pub mod host;
pub mod options;
mod packing;
pub mod pattern;
pub mod progress;
pub mod reason;
pub mod refresh;
pub mod robots;
pub mod rules;
pub mod scope;
pub(crate) mod table;
pub(crate) mod traps;
pub mod visit;

pub use formats::Formats;
pub use frontier::Frontier;
pub use options::{CrawlOptions, SitemapUse};
pub use progress::{Counters, PackName, Part, Progress, Refreshed, Trial};
pub use reason::{Reason, UrlState};
pub use robots::{Robots, Rule, product_token};
