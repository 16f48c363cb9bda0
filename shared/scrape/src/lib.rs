//! What a job asks of the web: fetching pages and reading them. Refuses to know of jobs' rows, of
//! queues or of any cloud.

pub mod door;
pub mod extract;
mod page;
mod web;

pub use door::Targets;
pub use extract::check;
pub use page::WebScraper;
