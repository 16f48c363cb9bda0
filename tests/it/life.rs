//! The life of a job against a real site: from waiting to its end, through delays and retries.

use std::time::Duration;

use jobs::Timestamp;
use scrape::{Targets, WebScraper};
use serde_json::{Value, json};

use crate::app::{MILLISECOND, START, TestApp};
use crate::site::{Answer, Gate, TestSite};

fn scraper() -> WebScraper {
    WebScraper::new(Targets::AnyAddress).unwrap()
}

/// How long from now a delayed job has to wait.
async fn wait(app: &TestApp, id: &str) -> Duration {
    app.row(id).await.eligible_at.since(app.app.now())
}

/// The codes of the failed attempts.
fn codes(job: &Value) -> Vec<&str> {
    let attempts = job["attempts"].as_array().unwrap();
    attempts
        .iter()
        .map(|attempt| attempt["code"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn a_job_goes_from_waiting_to_completed_with_its_result() {
    let (app, site) = (TestApp::start(), TestSite::start().await);
    let page = "<html lang=en><title>A shop</title><h1>Tea</h1><p class=price>7.50</p>";
    site.page("/", Answer::html(page));
    let config = json!({"fields": {"price": {"selector": ".price", "dataType": "number"}}});
    let body = json!({"type": "single-page", "url": site.url("/"), "config": config});
    let id = app.create(&body).await;
    assert_eq!(app.status(&id).await, "waiting");
    app.advance(Duration::from_secs(1));
    assert_eq!(app.drain(&scraper()).await, 1);
    let job = app.job(&id).await;
    assert_eq!(job["status"], "completed");
    assert_eq!(job["progress"], 100);
    assert_eq!(job["attemptsMade"], 1);
    assert_eq!(job["attempts"], json!([]));
    assert_eq!(job["failedReason"], Value::Null);
    let second = Timestamp::from_millis(START.as_millis() + 1_000).to_string();
    assert_eq!(job["startedAt"], second);
    assert_eq!(job["finishedAt"], second);
    let results = app.get(&format!("/api/jobs/{id}/results")).await.json;
    assert_eq!(results["nextCursor"], Value::Null);
    let pages = results["results"].as_array().unwrap();
    assert_eq!(pages.len(), 1);
    assert_eq!(pages[0]["url"], site.url("/"));
    assert_eq!(pages[0]["status"], 200);
    assert_eq!(pages[0]["title"], "A shop");
    assert_eq!(pages[0]["language"], "en");
    assert_eq!(pages[0]["fields"], json!({"price": 7.5}));
    assert_eq!(site.requests("/"), 1);
}

#[tokio::test]
async fn a_delayed_job_never_starts_early() {
    let (app, site) = (TestApp::start(), TestSite::start().await);
    site.page("/", Answer::html("<title>Late</title>"));
    let body = json!({"type": "single-page", "url": site.url("/"), "delay": 60_000});
    let id = app.create(&body).await;
    assert_eq!(app.status(&id).await, "delayed");
    app.advance_almost(Duration::from_mins(1));
    app.sweep().await;
    assert_eq!(app.drain(&scraper()).await, 0);
    assert_eq!(app.status(&id).await, "delayed");
    app.advance(MILLISECOND);
    assert_eq!(app.status(&id).await, "waiting");
    assert_eq!(app.drain(&scraper()).await, 1);
    assert_eq!(app.status(&id).await, "completed");
}

#[tokio::test]
async fn a_message_that_comes_early_is_sent_again_for_the_right_time() {
    let (app, site) = (TestApp::start(), TestSite::start().await);
    site.page("/", Answer::html("<title>Late</title>"));
    let body = json!({"type": "single-page", "url": site.url("/"), "delay": 60_000});
    let id = app.create(&body).await;
    app.send_message(&id).await;
    assert_eq!(app.drain(&scraper()).await, 1);
    assert_eq!(site.requests("/"), 0);
    assert_eq!(app.status(&id).await, "delayed");
    app.advance(Duration::from_mins(1));
    assert_eq!(app.drain(&scraper()).await, 2);
    assert_eq!(site.requests("/"), 1);
    assert_eq!(app.status(&id).await, "completed");
}

#[tokio::test]
async fn a_delay_longer_than_a_message_can_wait_is_sent_by_the_sweep() {
    let (app, site) = (TestApp::start(), TestSite::start().await);
    site.page("/", Answer::html("<title>Later</title>"));
    let hour = Duration::from_hours(1);
    let body =
        json!({"type": "single-page", "url": site.url("/"), "delay": hour.as_millis() as u64});
    let id = app.create(&body).await;
    assert!(app.queue.is_empty(), "no message can wait that long");
    app.advance_almost(Duration::from_mins(46));
    assert_eq!(app.sweep().await.sent, 0);
    app.advance(MILLISECOND);
    assert_eq!(app.sweep().await.sent, 1);
    assert_eq!(app.sweep().await.sent, 0, "once is enough");
    app.advance_almost(Duration::from_mins(14));
    assert_eq!(app.drain(&scraper()).await, 0);
    app.advance(MILLISECOND);
    assert_eq!(app.drain(&scraper()).await, 1);
    assert_eq!(app.status(&id).await, "completed");
}

#[tokio::test]
async fn trouble_that_may_pass_is_tried_again_with_growing_waits() {
    let (app, site) = (TestApp::start(), TestSite::start().await);
    let closed = TestSite::start().await;
    let nobody = closed.url("/");
    drop(closed);
    for status in [500, 502, 503, 429, 408] {
        site.page(&format!("/{status}"), Answer::status(status));
    }
    let scraper = scraper();
    for (url, code) in [
        (site.url("/500"), "http_500"),
        (site.url("/502"), "http_502"),
        (site.url("/503"), "http_503"),
        (site.url("/429"), "http_429"),
        (site.url("/408"), "http_408"),
        (nobody, "connect"),
    ] {
        let id = app.create_for(&url).await;
        for (attempt, shortest) in [(1, 2_000), (2, 4_000)] {
            assert_eq!(app.drain(&scraper).await, 1, "{url}");
            let job = app.job(&id).await;
            assert_eq!(job["status"], "delayed", "{url}");
            assert_eq!(job["failedReason"], Value::Null);
            assert_eq!(codes(&job), vec![code; attempt]);
            let wait = wait(&app, &id).await;
            let range = shortest..=shortest * 3 / 2;
            assert!(range.contains(&wait.as_millis()), "{url} waits {wait:?}");
            app.advance_almost(wait);
            assert_eq!(app.drain(&scraper).await, 0, "{url}");
            app.advance(MILLISECOND);
        }
        assert_eq!(app.drain(&scraper).await, 1);
        let job = app.job(&id).await;
        assert_eq!(job["status"], "failed");
        assert_eq!(codes(&job), [code; 3]);
        assert_eq!(job["attemptsMade"], 3);
        let reason = job["failedReason"].as_str().unwrap();
        let message = job["attempts"][2]["message"].as_str().unwrap();
        assert_eq!(reason, format!("{code}: {message}"));
        assert!(message.len() > 10, "a sentence: {message}");
        assert_eq!(app.sweep().await, jobs::app::Swept::default());
    }
    assert_eq!(site.requests("/500"), 3);
}

#[tokio::test]
async fn trouble_that_stays_fails_at_once() {
    let (app, site) = (TestApp::start(), TestSite::start().await);
    for status in [400, 401, 403, 404, 410] {
        site.page(&format!("/{status}"), Answer::status(status));
    }
    site.page("/loop", Answer::status(302).header("location", "/loop"));
    for (path, code) in [
        ("/400", "http_400"),
        ("/401", "http_401"),
        ("/403", "http_403"),
        ("/404", "http_404"),
        ("/410", "http_410"),
        ("/loop", "redirects"),
    ] {
        let id = app.create_for(&site.url(path)).await;
        assert_eq!(app.drain(&scraper()).await, 1);
        let job = app.job(&id).await;
        assert_eq!(job["status"], "failed", "{path}");
        assert_eq!(codes(&job), [code]);
        assert_eq!(job["attemptsMade"], 1);
        assert_eq!(job["attempts"][0]["number"], 1);
        assert_eq!(job["attempts"][0]["retryable"], false);
        assert_eq!(job["finishedAt"], app.app.now().to_string());
        let reason = job["failedReason"].as_str().unwrap();
        assert!(reason.starts_with(&format!("{code}: ")), "{reason}");
    }
}

#[tokio::test]
async fn a_page_that_recovers_completes_its_job() {
    let (app, site) = (TestApp::start(), TestSite::start().await);
    let pages = [Answer::status(503), Answer::html("<title>Back</title>")];
    site.pages("/", pages);
    let id = app.create_for(&site.url("/")).await;
    app.drain(&scraper()).await;
    app.advance(wait(&app, &id).await);
    app.drain(&scraper()).await;
    let job = app.job(&id).await;
    assert_eq!(job["status"], "completed");
    assert_eq!(job["attemptsMade"], 2);
    assert_eq!(codes(&job), ["http_503"]);
    assert_eq!(
        job["startedAt"],
        START.to_string(),
        "the first attempt counts"
    );
}

#[tokio::test]
async fn a_server_that_asks_for_patience_gets_it_up_to_an_hour() {
    let (app, site) = (TestApp::start(), TestSite::start().await);
    for (asked, shortest, longest) in [
        ("0", 2, 3),
        ("120", 120, 120),
        ("3600", 3_600, 3_600),
        ("999999999", 3_600, 3_600),
        ("soon", 2, 3),
    ] {
        let path = format!("/{asked}");
        let busy = Answer::status(503).header("retry-after", asked);
        site.pages(&path, [busy, Answer::html("<title>Free</title>")]);
        let id = app.create_for(&site.url(&path)).await;
        app.drain(&scraper()).await;
        let seconds = wait(&app, &id).await.as_secs_f64();
        let range = f64::from(shortest)..=f64::from(longest);
        assert!(range.contains(&seconds), "{asked}: {seconds}");
        for _ in 0..61 {
            app.sweep().await;
            app.drain(&scraper()).await;
            app.advance(Duration::from_mins(1));
        }
        assert_eq!(app.status(&id).await, "completed", "{asked}");
        assert_eq!(site.requests(&path), 2);
    }
}

#[tokio::test]
async fn a_page_that_takes_longer_than_the_job_allows_is_a_timeout() {
    let (app, site) = (TestApp::start(), TestSite::start().await);
    let gate = Gate::closed();
    site.page("/", Answer::html("never").held(&gate));
    let body = json!({"type": "single-page", "url": site.url("/"), "timeout": 50, "attempts": 1});
    let id = app.create(&body).await;
    app.drain(&scraper()).await;
    let job = app.job(&id).await;
    assert_eq!(job["status"], "failed");
    assert_eq!(codes(&job), ["timeout"]);
    assert_eq!(job["options"]["timeout"], 50);
    gate.open();
}

#[tokio::test]
async fn a_job_has_as_many_attempts_as_it_asks_for() {
    let (app, site) = (TestApp::start(), TestSite::start().await);
    site.everywhere(Answer::status(500));
    for attempts in [1, 2, 10] {
        let path = format!("/{attempts}");
        let body = json!({"type": "single-page", "url": site.url(&path), "attempts": attempts});
        let id = app.create(&body).await;
        for _ in 0..12 {
            app.drain(&scraper()).await;
            app.advance(Duration::from_mins(15));
        }
        let job = app.job(&id).await;
        assert_eq!(job["status"], "failed");
        assert_eq!(job["attemptsMade"], attempts);
        assert_eq!(site.requests(&path), attempts);
    }
}

#[tokio::test]
async fn own_headers_reach_the_site_and_stay_hidden() {
    let (app, site) = (TestApp::start(), TestSite::start().await);
    site.page("/", Answer::html("<title>Private</title>"));
    let body = json!({
        "type": "single-page", "url": site.url("/"), "userAgent": "Tester/1",
        "headers": {"Authorization": "Bearer secret-token", "X-Shop": "7"},
    });
    let id = app.create(&body).await;
    app.drain(&scraper()).await;
    let seen = &site.seen()[0].headers;
    assert_eq!(seen["authorization"], "Bearer secret-token");
    assert_eq!(seen["x-shop"], "7");
    assert_eq!(seen["user-agent"], "Tester/1");
    let job = app.job(&id).await;
    assert_eq!(
        job["options"]["headers"],
        json!({"authorization": "(hidden)", "x-shop": "(hidden)"})
    );
    assert_eq!(job["options"]["userAgent"], "Tester/1");
    for path in [
        format!("/api/jobs/{id}"),
        format!("/api/jobs/{id}/results"),
        format!("/api/v1/jobs/{id}"),
        "/api/jobs".to_owned(),
    ] {
        let shown = app.get(&path).await.json.to_string();
        assert!(!shown.contains("secret-token"), "{path} shows it");
    }
}

#[tokio::test]
async fn a_configuration_that_cannot_run_is_refused_with_its_path() {
    let app = TestApp::start();
    for (field, path) in [
        (json!({"selector": "p["}), "config.fields.a.selector"),
        (
            json!({"selector": ["p", "::nope("]}),
            "config.fields.a.selector",
        ),
        (
            json!({"type": "regex", "pattern": "("}),
            "config.fields.a.pattern",
        ),
        (
            json!({"type": "xpath", "selector": "p"}),
            "config.fields.a.type",
        ),
        (json!({}), "config.fields.a.selector"),
        (
            json!({"selector": "p", "fields": {"b": {"selector": ">>"}}}),
            "config.fields.a.fields.b.selector",
        ),
    ] {
        let config = json!({"fields": {"a": field}});
        let body = json!({"type": "single-page", "url": "http://a.example", "config": config});
        let answer = app.post("/api/jobs", &body).await;
        assert_eq!(answer.status.as_u16(), 400, "{config}");
        let named = answer.fields();
        assert!(named[0].starts_with(path), "{config} names {named:?}");
    }
}

#[tokio::test]
async fn a_page_without_a_required_field_fails_its_job() {
    let (app, site) = (TestApp::start(), TestSite::start().await);
    site.page("/", Answer::html("<title>Bare</title><p>Nothing for sale."));
    let config = json!({"fields": {"price": {"selector": ".price", "required": true}}});
    let body = json!({"type": "single-page", "url": site.url("/"), "config": config});
    let id = app.create(&body).await;
    app.drain(&scraper()).await;
    let job = app.job(&id).await;
    assert_eq!(job["status"], "failed");
    assert_eq!(codes(&job), ["field_missing"]);
    let reason = job["failedReason"].as_str().unwrap();
    assert!(reason.contains("price"), "{reason}");
    assert_eq!(site.requests("/"), 1);
}

#[tokio::test]
async fn a_redirect_is_followed_and_shown() {
    let (app, site) = (TestApp::start(), TestSite::start().await);
    site.page("/old", Answer::status(301).header("location", "/new#part"));
    site.page(
        "/new",
        Answer::html("<title>New</title><a href=next>Next</a>"),
    );
    let id = app.create_for(&site.url("/old")).await;
    app.drain(&scraper()).await;
    let results = app.get(&format!("/api/jobs/{id}/results")).await.json;
    let page = &results["results"][0];
    assert_eq!(page["url"], site.url("/old"));
    assert_eq!(page["finalUrl"], site.url("/new"));
    assert_eq!(page["links"][0]["url"], site.url("/next"));
}

#[tokio::test]
async fn a_private_address_is_refused_without_a_connection() {
    let (app, site) = (TestApp::start(), TestSite::start().await);
    site.everywhere(Answer::html("<title>Secrets</title>"));
    let public = WebScraper::new(Targets::Public).unwrap();
    let port = site.address().port();
    for host in ["127.0.0.1", "localhost", "127.1", "[::ffff:127.0.0.1]"] {
        let id = app.create_for(&format!("http://{host}:{port}/")).await;
        app.drain(&public).await;
        let job = app.job(&id).await;
        assert_eq!(job["status"], "failed", "{host}");
        assert_eq!(codes(&job), ["address_refused"], "{host}");
    }
    assert_eq!(site.connections(), 0);
}
