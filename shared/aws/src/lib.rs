//! Everything that knows AWS: the table on DynamoDB, the queues on SQS, results on S3, times
//! on EventBridge Scheduler, and every
//! environment variable. Refuses to know what a handler or a page is.

pub mod blobs;
pub mod bus;
pub mod client;
pub mod connect;
pub mod files;
pub mod host;
pub mod log;
pub mod queue;
pub mod s3;
#[cfg(feature = "local")]
pub mod schema;
pub mod settings;
pub mod table;
pub mod timetable;
