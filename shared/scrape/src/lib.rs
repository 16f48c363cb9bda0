//! What a job asks of the web: fetching pages and reading them. Refuses to know of jobs' rows, of
//! queues or of any cloud.

pub mod door;
