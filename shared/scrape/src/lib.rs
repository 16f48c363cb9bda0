//! What a job asks of the web: fetching pages and reading them. Refuses to know of jobs' rows, of
//! queues or of any cloud.

mod courier;
pub mod door;
mod download;
pub mod extract;
mod page;
mod robots;
mod robots_tag;
mod sitemap;
mod visit;
mod web;

pub use door::{Targets, judge};
pub use extract::check;
pub use page::WebScraper;
