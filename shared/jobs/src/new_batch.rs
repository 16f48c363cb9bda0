//! Reads what a client posts into one job, one that recurs, or a batch of jobs: the same fields for
//! each, at many addresses, one starting after the other. One wrong address refuses all.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::Value;

use crate::address;
use crate::body::Reader;
use crate::error::Problem;
use crate::extraction::Check;
use crate::new_job::{self, MAX_DELAY_MS, NewJob};
use crate::schedule::{self, NewSchedule};
use crate::spec::CustomerId;
use crate::time::Timestamp;

/// A request to create something.
#[derive(Clone, Debug, PartialEq)]
pub enum NewWork {
    Job(Box<NewJob>),
    Batch(Box<NewBatch>),
    Recurring(Box<NewSchedule>),
}

impl NewWork {
    /// Reads a request body that is sent at `now`: with `urls` it is a batch, else with
    /// `cronPattern` a job that recurs. `check` says which selectors and patterns do not compile.
    pub fn parse(body: &Value, check: Check, now: Timestamp) -> Result<Self, Vec<Problem>> {
        let has = |field| body.get(field).is_some_and(|value| !value.is_null());
        if has("urls") {
            let batch = NewBatch::parse(body, check)?;
            Ok(Self::Batch(Box::new(batch)))
        } else if has("cronPattern") {
            let schedule = NewSchedule::parse(body, check, now)?;
            Ok(Self::Recurring(Box::new(schedule)))
        } else {
            let job = NewJob::parse(body, check)?;
            Ok(Self::Job(Box::new(job)))
        }
    }
}

/// A request to create 1 to 100 jobs, valid in every field.
#[derive(Clone, Debug, PartialEq)]
pub struct NewBatch {
    /// The first job, without its address.
    pub first: NewJob,
    pub urls: Vec<String>,
    /// Each job becomes eligible this long after the one before it.
    pub stagger: Duration,
}

impl NewBatch {
    fn parse(body: &Value, check: Check) -> Result<Self, Vec<Problem>> {
        let mut reader = Reader::new("", body);
        let kind = new_job::required_type(&mut reader);
        let urls = address::many(&mut reader);
        let stagger = reader.integer("staggerDelay", 0, MAX_DELAY_MS).unwrap_or(0);
        schedule::refuse(
            &mut reader,
            "does not go with `urls`: a batch does not recur",
        );
        let first = NewJob::read(&mut reader, check, kind, Some(String::new()));
        let before_last = urls.len().saturating_sub(1) as u64;
        if first.spec.delay_ms + before_last * stagger > MAX_DELAY_MS {
            let message =
                format!("must let the last job start within {MAX_DELAY_MS} ms, `delay` included");
            reader.problem("staggerDelay", message);
        }
        let batch = Self {
            first,
            urls,
            stagger: Duration::from_millis(stagger),
        };
        new_job::finished(reader, batch)
    }

    /// The job at one of the addresses, counted from 0.
    pub fn job(&self, index: usize) -> NewJob {
        let mut job = self.first.clone();
        job.spec.url.clone_from(&self.urls[index]);
        job.spec.delay_ms += self.stagger.as_millis() as u64 * index as u64;
        job
    }

    /// For each job the first that is equal to it, which may be itself: a later one is its
    /// duplicate.
    pub fn firsts(&self, customer: &CustomerId) -> Vec<usize> {
        let mut seen = HashMap::new();
        let jobs = 0..self.urls.len();
        jobs.map(|index| match self.job(index).fingerprint(customer) {
            Some(fingerprint) => *seen.entry(fingerprint).or_insert(index),
            None => index,
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fields(body: &Value) -> Vec<String> {
        let problems = NewWork::parse(body, |_| Vec::new(), Timestamp::default()).unwrap_err();
        problems.into_iter().map(|problem| problem.field).collect()
    }

    fn batch(body: &Value) -> NewBatch {
        match NewWork::parse(body, |_| Vec::new(), Timestamp::default()) {
            Ok(NewWork::Batch(batch)) => *batch,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_printed_example_is_three_jobs_a_second_apart() {
        let batch = batch(&json!({
            "type": "single-page", "customerId": "customer-123", "staggerDelay": 1_000,
            "urls": [
                "https://example.com/page1", "https://example.com/page2", "https://example.com/page3"
            ],
        }));
        let jobs: Vec<_> = (0..3).map(|index| batch.job(index).spec).collect();
        let delays: Vec<_> = jobs.iter().map(|spec| spec.delay_ms).collect();
        assert_eq!(delays, [0, 1_000, 2_000]);
        assert_eq!(jobs[2].url, "https://example.com/page3");
    }

    #[test]
    fn every_problem_of_a_batch_is_named_by_its_place() {
        let body = json!({
            "urls": ["http://a.example", "x", 7, "ftp://a.example"], "url": "http://a.example",
            "staggerDelay": -1, "priority": "soon", "nonsense": 1,
        });
        assert_eq!(
            fields(&body),
            [
                "type",
                "url",
                "urls[1]",
                "urls[2]",
                "urls[3]",
                "staggerDelay",
                "priority",
                "nonsense"
            ]
        );
    }

    #[test]
    fn a_batch_has_one_to_a_hundred_addresses() {
        let body = |count| json!({"type": "single-page", "urls": vec!["http://a.example"; count]});
        for (count, valid) in [(0, false), (1, true), (100, true), (101, false)] {
            let parsed = NewWork::parse(&body(count), |_| Vec::new(), Timestamp::default());
            assert_eq!(parsed.is_ok(), valid, "{count}");
        }
        assert_eq!(fields(&body(0)), ["urls"]);
        assert_eq!(fields(&body(101)), ["urls"]);
        for urls in [json!("http://a.example"), json!({}), json!(1)] {
            assert_eq!(
                fields(&json!({"type": "single-page", "urls": urls})),
                ["urls"]
            );
        }
    }

    #[test]
    fn the_last_job_starts_within_thirty_days() {
        let body = |stagger: u64, delay: u64| {
            json!({
                "type": "single-page", "delay": delay, "staggerDelay": stagger,
                "urls": ["http://a.example/1", "http://a.example/2", "http://a.example/3"],
            })
        };
        batch(&body(MAX_DELAY_MS / 2, 0));
        assert_eq!(fields(&body(MAX_DELAY_MS / 2, 1)), ["staggerDelay"]);
        assert_eq!(fields(&body(MAX_DELAY_MS + 1, 0)), ["staggerDelay"]);
    }

    #[test]
    fn spellings_of_one_address_are_duplicates_of_the_first() {
        let mut body = json!({
            "type": "single-page",
            "urls": ["http://a.example", "http://b.example", "http://A.example:80/#x", "http://b.example/"],
        });
        let customer = CustomerId::default();
        assert_eq!(batch(&body).firsts(&customer), [0, 1, 0, 1]);
        body["deduplicate"] = json!(false);
        assert_eq!(batch(&body).firsts(&customer), [0, 1, 2, 3]);
    }

    #[test]
    fn fields_of_a_batch_are_refused_where_there_is_none() {
        let single = json!({"type": "single-page", "url": "http://a.example", "staggerDelay": 5});
        assert_eq!(fields(&single), ["staggerDelay"]);
        let scrape = json!({"urls": ["http://a.example"]});
        let problems = NewJob::parse_scrape(&scrape, |_| Vec::new()).unwrap_err();
        let named: Vec<_> = problems.iter().map(|problem| &problem.field).collect();
        assert_eq!(named, ["urls", "url"]);
    }
}
