//! Following redirects: how far, with which headers, and what is reported of the way.

use std::time::Duration;

use jobs::FailureCode;
use url::Url;

use super::site::{LOOPBACK, Script, Site, code, door, fetch, open, page, path, redirect};
use crate::door::guard::Guard;
use crate::door::{Fetch, Targets};

/// A site where `/5` leads to `/4` and so on down to the page `/0`.
async fn stairs() -> Site {
    Site::start(
        |head| match path(head).trim_start_matches('/').parse::<u32>() {
            Ok(step) if step > 0 => redirect(302, &format!("{}", step - 1)),
            _ => page("the end"),
        },
    )
    .await
}

#[tokio::test]
async fn five_redirects_are_followed_and_reported_in_order() {
    let site = stairs().await;
    let fetched = fetch(&open(), &site.url("/5#top")).await.unwrap();
    assert_eq!(fetched.final_url, site.url("/0"));
    let expected: Vec<_> = [5, 4, 3, 2, 1]
        .map(|step| site.url(&format!("/{step}")))
        .into();
    assert_eq!(fetched.redirects, expected);
}

#[tokio::test]
async fn the_sixth_redirect_is_one_too_many() {
    let site = stairs().await;
    assert_eq!(code(&open(), &site.url("/6")).await, FailureCode::Redirects);
    assert_eq!(site.connections(), 6);
}

#[tokio::test]
async fn a_circle_is_left_when_it_closes() {
    let site = Site::start(|head| match path(head) {
        "/a" => redirect(301, "/b"),
        "/b" => redirect(308, "/a#again"),
        "/self" => redirect(307, ""),
        _ => page("no"),
    })
    .await;
    assert_eq!(code(&open(), &site.url("/a")).await, FailureCode::Redirects);
    assert_eq!(site.connections(), 2);
    assert_eq!(
        code(&open(), &site.url("/self")).await,
        FailureCode::Redirects
    );
    assert_eq!(site.connections(), 3);
}

#[tokio::test]
async fn every_redirecting_status_is_followed_and_no_other() {
    for status in 300..=310 {
        let site = Site::start(move |head| match path(head) {
            "/" => redirect(status, "/there"),
            _ => page("there"),
        })
        .await;
        let outcome = fetch(&open(), &site.url("/"))
            .await
            .map(|fetched| fetched.final_url);
        if [301, 302, 303, 307, 308].contains(&status) {
            assert_eq!(outcome, Ok(site.url("/there")), "{status}");
        } else {
            let code = outcome.unwrap_err().code;
            assert_eq!(code, FailureCode::Http(status), "{status}");
        }
    }
}

#[tokio::test]
async fn a_listed_target_cannot_lead_to_another_port() {
    let other = Site::canary().await;
    let location = format!("http://127.1:{}/", other.port());
    let site = Site::start(move |_| redirect(302, &location)).await;
    let targets = Targets::parse(Some(&site.address.to_string())).unwrap();
    let door = door(Guard::new(targets), Script::new(&[&[LOOPBACK]]));
    assert_eq!(
        code(&door, &site.url("/")).await,
        FailureCode::AddressRefused
    );
    assert_eq!((site.connections(), other.connections()), (1, 0));
}

/// Fetches with a job's own headers.
async fn fetch_as_job(url: &Url) {
    let headers = [
        ("Authorization", "Bearer secret"),
        ("Cookie", "id=1"),
        ("X-Own", "secret"),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let timeout = Duration::from_secs(20);
    let fetch = Fetch {
        url,
        headers: &headers,
        user_agent: Some("Job/1"),
        timeout,
    };
    open().fetch(&fetch).await.unwrap();
}

fn carries_own_headers(head: &str) -> bool {
    let head = head.to_lowercase();
    let carried = [
        "authorization: bearer secret",
        "cookie: id=1",
        "x-own: secret",
    ]
    .map(|header| head.contains(header));
    assert!(
        carried[0] == carried[1] && carried[1] == carried[2],
        "{head}"
    );
    carried[0]
}

#[tokio::test]
async fn the_headers_of_a_job_stay_with_its_origin() {
    let stranger = Site::start(|_| page("stranger")).await;
    let away = format!("{}end", stranger.url("/"));
    let site = Site::start(move |head| match path(head) {
        "/start" => redirect(302, "/second"),
        "/second" => redirect(302, &away),
        _ => page("home"),
    })
    .await;
    fetch_as_job(&site.url("/start")).await;

    let at_home: Vec<_> = site
        .seen()
        .iter()
        .map(|head| carries_own_headers(head))
        .collect();
    let abroad: Vec<_> = stranger
        .seen()
        .iter()
        .map(|head| carries_own_headers(head))
        .collect();
    assert_eq!((at_home, abroad), (vec![true, true], vec![false]));
    assert!(
        stranger.seen()[0].contains("user-agent: Job/1"),
        "{:?}",
        stranger.seen()
    );
    assert!(
        !stranger.seen()[0].to_lowercase().contains("referer"),
        "{:?}",
        stranger.seen()
    );
}

#[tokio::test]
async fn a_stranger_cannot_send_the_headers_of_a_job_back_home() {
    // The stranger chooses an address at home; what it chose must not be asked for in our name.
    let home = std::sync::Arc::new(std::sync::Mutex::new(String::new()));
    let known = std::sync::Arc::clone(&home);
    let stranger = Site::start(move |_| redirect(302, &known.lock().unwrap())).await;
    let away = stranger.url("/").to_string();
    let site = Site::start(move |head| match path(head) {
        "/start" => redirect(302, &away),
        _ => page("home"),
    })
    .await;
    *home.lock().unwrap() = site.url("/delete?all").to_string();
    fetch_as_job(&site.url("/start")).await;
    let carried: Vec<_> = site
        .seen()
        .iter()
        .map(|head| carries_own_headers(head))
        .collect();
    assert_eq!(carried, [true, false]);
}
