//! Small things that several suites need.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::{Arc, Mutex};

use aws::client::Connection;
use aws_credential_types::Credentials;
use jobs::page::Metadata;
use jobs::{Page, Timestamp, WebhookKey};

/// A page as a scraper would give it.
pub(crate) fn page(url: &str, at: Timestamp) -> Page {
    Page {
        url: url.to_owned(),
        final_url: url.to_owned(),
        status: 200,
        content_type: Some("text/html".to_owned()),
        language: None,
        title: Some("A page".to_owned()),
        description: None,
        canonical: None,
        headings: Vec::new(),
        links: Vec::new(),
        text: "Text of the page.".to_owned(),
        markdown: "Text of the page.".to_owned(),
        metadata: Metadata::default(),
        html: None,
        fields: BTreeMap::new(),
        content_hash: "00".to_owned(),
        etag: None,
        last_modified: None,
        fetched_at: at,
        duration_ms: 1,
        bytes: 17,
        js_required: false,
        truncated: false,
    }
}

/// A text for a query: every byte escaped, whatever it is.
pub(crate) fn escaped(text: &str) -> String {
    text.bytes().fold(String::new(), |mut escaped, byte| {
        let _ = write!(escaped, "%{byte:02x}");
        escaped
    })
}

const EMULATOR: &str = "HARVESTMAN_TEST_SQS";

/// Where something stands in for SQS and S3, if anything does.
pub(crate) fn emulator() -> Option<String> {
    std::env::var(EMULATOR).ok()
}

/// As [`emulator`], for a suite that runs nowhere else: where it does not run, one line says so.
pub(crate) fn emulator_for(suite: &'static str) -> Option<String> {
    static SAID: Mutex<BTreeSet<&str>> = Mutex::new(BTreeSet::new());
    let emulator = emulator();
    if emulator.is_none() && SAID.lock().unwrap().insert(suite) {
        // Past the capture of test output: a suite that did not run must be seen.
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED: {suite}; {EMULATOR} names no endpoint"
        );
    }
    emulator
}

/// A connection of the SDK to an endpoint on this machine.
pub(crate) fn connection(endpoint: impl Into<String>) -> Connection {
    Connection {
        region: "eu-west-1".to_owned(),
        credentials: Some(Credentials::new("test", "test", None, None, "test")),
        endpoint: Some(endpoint.into()),
        http: Connection::network(),
        sleep: None,
    }
}

/// Which webhooks may be made, as on AWS.
pub(crate) fn judge() -> api::Judge {
    Arc::new(scrape::judge(scrape::Targets::Public))
}

/// From which the secrets of the tests' webhooks are derived.
pub(crate) const WEBHOOK_KEY: WebhookKey = WebhookKey::new([7; 32]);
