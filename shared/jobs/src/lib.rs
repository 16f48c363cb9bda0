//! What a scraping job is and how it lives.

pub mod body;
pub mod error;
pub mod extraction;
pub mod failure;
pub mod id;
pub mod page;
pub mod ports;
pub mod time;

pub use error::Problem;
pub use extraction::Extraction;
pub use failure::{Failure, FailureCode};
pub use id::JobId;
pub use page::Page;
pub use time::Timestamp;
