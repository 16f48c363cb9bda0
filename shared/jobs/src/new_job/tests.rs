//! What a request for one job may say, and what it may not.

use serde_json::json;

use super::*;
use crate::crawl::{CrawlOptions, Formats, SitemapUse};
use crate::spec::RefreshOptions;
use crate::time::Timestamp;

fn parse(body: &Value) -> Result<NewJob, Vec<Problem>> {
    NewJob::parse(body, |_| Vec::new())
}

fn fields(body: &Value) -> Vec<String> {
    let problems = parse(body).unwrap_err();
    problems.into_iter().map(|problem| problem.field).collect()
}

#[test]
fn the_printed_example_is_a_valid_job() {
    let job = parse(&json!({
        "type": "single-page", "url": "https://example.com", "customerId": "customer-123",
        "isNewCustomer": false, "priority": "normal", "delay": 0,
        "metadata": {"source": "api", "tags": ["ecommerce"]}
    }))
    .unwrap();
    assert_eq!(job.customer, CustomerId::parse("customer-123"));
    assert_eq!(job.spec.url, "https://example.com");
    assert_eq!((job.spec.attempts, job.spec.timeout_ms), (3, 30_000));
    assert!(job.deduplicate);
}

#[test]
fn all_problems_of_a_body_come_together() {
    let body = json!({
        "url": "not a url", "priority": "soon", "delay": -1, "attempts": 11, "timeout": 50_001,
        "metadata": [], "headers": {"Host": "x", "a b": "c", "x": "\n"}, "maxPages": 3, "nonsense": 1
    });
    assert_eq!(
        fields(&body),
        [
            "type",
            "url",
            "maxPages",
            "priority",
            "headers.Host",
            "headers.a b",
            "headers.x",
            "attempts",
            "timeout",
            "delay",
            "metadata",
            "nonsense"
        ]
    );
}

#[test]
fn only_plain_web_addresses_are_accepted() {
    for url in [
        "",
        "example.com",
        "ftp://example.com",
        "file:///etc/passwd",
        "javascript:1",
        "http://",
        "http://user@example.com/",
        "http://a:b@example.com/",
        "//example.com",
        &format!("http://{}example.com/", "a.".repeat(122)),
    ] {
        assert_eq!(
            fields(&json!({"type": "single-page", "url": url})),
            ["url"],
            "{url}"
        );
    }
    let long = format!("http://example.com/{}", "a".repeat(address::MAX_URL));
    assert_eq!(
        fields(&json!({"type": "single-page", "url": long})),
        ["url"]
    );
}

#[test]
fn a_new_customer_is_lifted_only_from_normal() {
    let priority = |extra: Value| {
        let mut body =
            json!({"type": "single-page", "url": "http://a.example", "isNewCustomer": true});
        body.as_object_mut()
            .unwrap()
            .extend(extra.as_object().unwrap().clone());
        parse(&body).unwrap().priority
    };
    assert_eq!(priority(json!({})), Priority::High);
    assert_eq!(priority(json!({"priority": 3})), Priority::High);
    assert_eq!(priority(json!({"priority": "low"})), Priority::Low);
    assert_eq!(priority(json!({"priority": 9})), Priority::Critical);
}

#[test]
fn a_body_that_is_no_object_says_so() {
    assert_eq!(fields(&json!([1]))[0], "body");
}

#[test]
fn a_crawl_has_its_options_within_their_bounds_or_their_defaults() {
    let body = json!({"type": "full-crawl", "url": "https://example.com"});
    let spec = parse(&body).unwrap().spec;
    assert_eq!(spec.crawl, Some(CrawlOptions::default()));
    assert_eq!(spec.timeout_ms, 86_400_000);
    let spec = parse(&json!({
        "type": "full-crawl", "url": "https://example.com", "maxPages": 100_000, "depth": 0,
        "includeSubdomains": true, "include": ["/shop/*", "re:^/a"], "exclude": ["*.pdf"],
        "sitemap": "only", "respectRobots": false, "maxConcurrency": 64, "requestDelay": 60_000,
        "formats": ["html", "text"], "timeout": 1,
    }));
    let spec = spec.unwrap().spec;
    let crawl = CrawlOptions {
        max_pages: 100_000,
        depth: 0,
        include_subdomains: true,
        include: vec!["/shop/*".to_owned(), "re:^/a".to_owned()],
        exclude: vec!["*.pdf".to_owned()],
        sitemap: SitemapUse::Only,
        respect_robots: false,
        max_concurrency: 64,
        request_delay: 60_000,
        formats: Formats::named(["text", "html"]).unwrap(),
    };
    assert_eq!((spec.crawl, spec.timeout_ms), (Some(crawl), 1));
}

#[test]
fn every_option_of_a_crawl_that_is_wrong_is_named() {
    let many = vec!["a"; 51];
    let body = json!({
        "type": "full-crawl", "url": "https://example.com", "maxPages": 0, "depth": 101,
        "includeSubdomains": "yes", "include": many, "exclude": ["", "re:", 7, "\n", "a".repeat(257)],
        "sitemap": "all", "respectRobots": 1, "maxConcurrency": 65, "requestDelay": 60_001,
        "formats": ["text", "pdf", 1], "timeout": 86_400_001, "fullRefresh": true, "limit": 3,
    });
    let expected = [
        "maxPages",
        "depth",
        "includeSubdomains",
        "include",
        "exclude[0]",
        "exclude[1]",
        "exclude[2]",
        "exclude[3]",
        "exclude[4]",
        "sitemap",
        "respectRobots",
        "maxConcurrency",
        "requestDelay",
        "formats[1]",
        "formats[2]",
        "fullRefresh",
        "timeout",
        "limit",
    ];
    assert_eq!(fields(&body), expected);
    let body =
        json!({"type": "full-crawl", "url": "http://a.example", "include": "/a", "formats": {}});
    assert_eq!(fields(&body), ["include", "formats"]);
}

#[test]
fn a_refresh_is_of_an_address_or_of_a_job() {
    let id = "job_01hf7yat000000000000000007";
    let refresh = |extra: Value| {
        let mut body = json!({"type": "refresh"});
        let extra = extra.as_object().unwrap().clone();
        body.as_object_mut().unwrap().extend(extra);
        body
    };
    let spec = parse(&refresh(json!({
        "url": "https://example.com", "lastCrawledAt": "2024-01-01T00:00:00.000Z",
        "forceRefresh": false, "fullRefresh": true,
    })));
    let options = RefreshOptions {
        job_id: None,
        last_crawled_at: Timestamp::parse("2024-01-01T00:00:00Z"),
        force_refresh: false,
        full_refresh: true,
    };
    let spec = spec.unwrap().spec;
    assert_eq!((spec.refresh, spec.timeout_ms), (Some(options), 86_400_000));
    let spec = parse(&refresh(
        json!({"jobId": id, "lastCrawledAt": 1_704_067_200_000_i64}),
    ));
    let spec = spec.unwrap().spec;
    let options = spec.refresh.unwrap();
    assert_eq!(options.job_id.as_deref(), Some(id));
    assert_eq!(
        options.last_crawled_at,
        Timestamp::parse("2024-01-01T00:00:00Z")
    );
    assert_eq!(spec.url, "");

    for (extra, wrong) in [
        (json!({}), "url"),
        (json!({"jobId": "job_123"}), "jobId"),
        (json!({"jobId": id, "url": "http://a.example"}), "jobId"),
        (
            json!({"url": "http://a.example", "lastCrawledAt": "yesterday"}),
            "lastCrawledAt",
        ),
        (
            json!({"url": "http://a.example", "lastCrawledAt": -1}),
            "lastCrawledAt",
        ),
        (
            json!({"url": "http://a.example", "lastCrawledAt": 1.5}),
            "lastCrawledAt",
        ),
        (
            json!({"url": "http://a.example", "forceRefresh": 1}),
            "forceRefresh",
        ),
        (json!({"url": "http://a.example", "depth": 1}), "depth"),
    ] {
        assert_eq!(fields(&refresh(extra.clone())), [wrong], "{extra}");
    }
}

#[test]
fn options_of_another_type_are_refused_by_its_name() {
    let message = |body: &Value| {
        let problems = parse(body).unwrap_err();
        assert_eq!(problems.len(), 1, "{problems:?}");
        problems[0].to_string()
    };
    let body = json!({"type": "single-page", "url": "http://a.example", "maxPages": 1});
    assert_eq!(message(&body), "maxPages: is an option of full-crawl");
    let body = json!({"type": "single-page", "url": "http://a.example", "jobId": "x"});
    assert_eq!(message(&body), "jobId: is an option of refresh");
}
