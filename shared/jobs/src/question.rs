//! Reads what a client asks of an address: what a crawl that exists would do with it, or one that
//! does not. Refuses fields that it does not know, and names every problem.

use serde_json::Value;
use url::Url;

use crate::address;
use crate::body::Reader;
use crate::error::Problem;
use crate::extraction::Check;
use crate::id::JobId;
use crate::new_job::{self, NewJob};
use crate::schedule;
use crate::spec::{JobType, Spec, canonical};

/// What would become of this address?
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    pub url: Url,
    pub about: About,
}

/// In which crawl.
#[derive(Clone, Debug, PartialEq)]
pub enum About {
    /// One that exists.
    Job(JobId),
    /// One that would be asked for like this.
    Crawl(Box<Spec>),
}

impl Question {
    /// Reads a request body: `url`, and `jobId` or `options`. Options are the body of a
    /// `full-crawl`; its `url`, where it starts, is the root of the address's site unless told.
    pub fn parse(body: &Value, check: Check) -> Result<Self, Vec<Problem>> {
        let mut reader = Reader::new("", body);
        let given = address::optional(&mut reader);
        if given.is_none() {
            reader.problem("url", "is required");
        }
        let url = given.as_deref().and_then(canonical);
        let job = reader.value("jobId");
        let options = reader.value("options");
        let about = match (job, options) {
            (Some(_), Some(_)) => {
                let message = "must not be given together with `jobId`, whose options count";
                reader.problem("options", message);
                None
            }
            (Some(job), None) => {
                let id = job.as_str().and_then(JobId::parse);
                if id.is_none() {
                    reader.problem("jobId", "must be the id of a job");
                }
                id.map(About::Job)
            }
            (None, options) => {
                let none = Value::Object(serde_json::Map::new());
                match crawl(options.unwrap_or(&none), url.as_ref(), check) {
                    Ok(spec) => Some(About::Crawl(Box::new(spec))),
                    Err(problems) => {
                        reader.extend(problems);
                        None
                    }
                }
            }
        };
        let problems = reader.finish();
        match (url, about) {
            (Some(url), Some(about)) if problems.is_empty() => Ok(Self { url, about }),
            _ => Err(problems),
        }
    }
}

/// The crawl that `options` describe.
fn crawl(options: &Value, asked: Option<&Url>, check: Check) -> Result<Spec, Vec<Problem>> {
    let mut reader = Reader::new("", options);
    new_job::known_type(&mut reader, JobType::FullCrawl, "or left out");
    let root = asked.and_then(|url| url.join("/").ok());
    let start = address::optional(&mut reader);
    // Where the address itself is wrong that has been said.
    let start = start.or(Some(root.map_or_else(String::new, String::from)));
    address::refuse_batches(&mut reader, "is for batches, and this asks about one crawl");
    schedule::refuse(
        &mut reader,
        "is for recurring jobs, and this asks about one crawl",
    );
    let new = NewJob::read(&mut reader, check, JobType::FullCrawl, start);
    let problems = reader.finish();
    if problems.is_empty() {
        return Ok(new.spec);
    }
    let inside = |problem: Problem| match problem.field.as_str() {
        "body" => Problem::new("options", problem.message),
        field => Problem::new(format!("options.{field}"), problem.message),
    };
    Err(problems.into_iter().map(inside).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ask(body: &Value) -> Result<Question, Vec<String>> {
        let named = |problems: Vec<Problem>| problems.into_iter().map(|it| it.field).collect();
        Question::parse(body, |_| Vec::new()).map_err(named)
    }

    fn spec(body: &Value) -> Spec {
        match ask(body).unwrap().about {
            About::Crawl(spec) => *spec,
            About::Job(id) => panic!("{id}"),
        }
    }

    #[test]
    fn a_crawl_starts_at_the_root_of_the_site_unless_told() {
        let url = "https://Example.com/shop/a?b=1#c";
        let question = ask(&json!({"url": url})).unwrap();
        assert_eq!(question.url.as_str(), "https://example.com/shop/a?b=1");
        for options in [
            json!(null),
            json!({}),
            json!({"maxPages": 7, "type": "full-crawl"}),
        ] {
            let spec = spec(&json!({"url": url, "options": options}));
            assert_eq!(spec.url, "https://example.com/");
            assert_eq!(spec.kind, JobType::FullCrawl);
        }
        let options = json!({"url": "https://example.com/shop/", "depth": 1, "exclude": ["*a*"]});
        let spec = spec(&json!({"url": url, "options": options}));
        assert_eq!(spec.url, "https://example.com/shop/");
        let crawl = spec.crawl.unwrap();
        assert_eq!((crawl.depth, crawl.exclude.len()), (1, 1));
    }

    #[test]
    fn a_question_is_about_one_crawl() {
        let id = "job_01hf7yat000000000000000007";
        let question = ask(&json!({"url": "http://a.example", "jobId": id})).unwrap();
        assert_eq!(question.about, About::Job(JobId::parse(id).unwrap()));
        let both = json!({"url": "http://a.example", "jobId": id, "options": {}});
        assert_eq!(ask(&both), Err(vec!["options".to_owned()]));
    }

    #[test]
    fn every_problem_is_named_with_its_place() {
        let body = json!({"url": "x", "nonsense": 1, "options": {
            "url": 7, "maxPages": 0, "type": "refresh", "jobId": "a", "urls": [], "other": 1,
        }});
        let mut fields = ask(&body).unwrap_err();
        fields.sort_unstable();
        let options = ["jobId", "maxPages", "other", "type", "url", "urls"];
        let options = options.map(|field| format!("options.{field}"));
        let expected = ["nonsense".to_owned()].into_iter().chain(options);
        let expected: Vec<_> = expected.chain(["url".to_owned()]).collect();
        assert_eq!(fields, expected);
        let body = json!({"url": "http://a.example", "jobId": "job_1"});
        assert_eq!(ask(&body), Err(vec!["jobId".to_owned()]));
        assert_eq!(
            ask(&json!({"options": []})).unwrap_err(),
            ["url", "options"]
        );
        assert_eq!(ask(&json!(7)).unwrap_err(), ["body", "url"]);
    }
}
