//! Fetching sitemaps: packed and unpacked, of any type, from servers that mean well or not.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use flate2::write::GzEncoder;
use flate2::{Compress, Compression, FlushCompress};
use jobs::crawl::visit::{Sitemap, SitemapRequest};
use jobs::{Failure, FailureCode};
use tokio::sync::Semaphore;
use url::Url;

use super::site::{
    LOOPBACK, STAND_IN, Script, Site, answer, drip, guarded, open, path, redirect, serve,
};
use crate::door::Door;
use crate::sitemap::fetch;
use crate::web::Web;

const FILE: &[u8] = b"<urlset><url><loc>/a</loc></url><url><loc>/b</loc></url></urlset>";

fn request(url: Url) -> SitemapRequest {
    SitemapRequest {
        url,
        headers: [("X-Key".to_owned(), "secret".to_owned())].into(),
        user_agent: Some("FooBot/1.0".into()),
        timeout: Duration::from_mins(1),
        most: 50_000,
    }
}

async fn read_as(door: &Door, request: &SitemapRequest) -> Result<Sitemap, Failure> {
    let readers = Arc::new(Semaphore::new(1));
    fetch(&Web::start().unwrap(), door, &readers, request).await
}

async fn read(url: Url) -> Result<Sitemap, Failure> {
    read_as(&open(), &request(url)).await
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

/// A gzip stream of a gibibyte of blank lines. Each mebibyte is compressed to the same bytes, so
/// one is made and repeated.
fn bomb() -> Vec<u8> {
    let mut packer = Compress::new(Compression::fast(), false);
    let mut packed = Vec::with_capacity(64 << 10);
    let lines = vec![b'\n'; 1 << 20];
    packer
        .compress_vec(&lines, &mut packed, FlushCompress::Full)
        .unwrap();
    let head = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
    [&head[..], &packed.repeat(1_024)].concat()
}

#[tokio::test]
async fn a_sitemap_may_be_packed_by_its_file_or_for_the_way_under_any_type() {
    for (headers, body) in [
        (&["Content-Type: application/xml"][..], FILE.to_vec()),
        (&["Content-Type: text/html"], FILE.to_vec()),
        (&[], FILE.to_vec()),
        (&["Content-Type: application/gzip"], gzip(FILE)),
        (&["Content-Type: text/xml"], gzip(FILE)),
        (&["Content-Encoding: gzip"], gzip(FILE)),
        (
            &["Content-Type: application/x-gzip", "Content-Encoding: gzip"],
            gzip(&gzip(FILE)),
        ),
    ] {
        let site = Site::start(move |_| answer("200 OK", headers, &body)).await;
        let sitemap = read(site.url("/1.xml.gz")).await.unwrap();
        let found: Vec<_> = sitemap.pages.into_iter().map(|page| page.url).collect();
        assert_eq!(
            found,
            ["/a", "/b"].map(|path| site.url(path).to_string()),
            "{headers:?}"
        );
        assert!(!sitemap.truncated);
        let head = site.seen().remove(0).to_lowercase();
        for expected in ["x-key: secret", "user-agent: foobot/1.0", "accept: */*"] {
            assert!(head.contains(expected), "{head}");
        }
    }
}

#[tokio::test]
async fn the_header_names_the_encoding() {
    let headers = &["Content-Type: text/plain; charset=iso-8859-1"];
    let site = Site::start(|_| answer("200 OK", headers, b"https://a.example/\xfc\n")).await;
    let sitemap = read(site.url("/")).await.unwrap();
    assert_eq!(sitemap.pages[0].url, "https://a.example/%C3%BC");
}

#[tokio::test]
async fn addresses_are_relative_to_where_redirects_led() {
    let site = Site::start(|head| match path(head) {
        "/sitemap.xml" => redirect(301, "/maps/1.xml"),
        _ => answer("200 OK", &[], b"<urlset><url><loc>2</loc></url></urlset>"),
    })
    .await;
    let sitemap = read(site.url("/sitemap.xml")).await.unwrap();
    assert_eq!(sitemap.pages[0].url, site.url("/maps/2").as_str());
}

#[tokio::test]
async fn no_secret_leaves_the_origin_and_no_hop_the_guard() {
    let other = Site::start(|_| answer("200 OK", &[], FILE)).await;
    let target = other.url("/").to_string();
    let site = Site::start(move |_| redirect(302, &target)).await;
    read(site.url("/")).await.unwrap();
    assert!(!other.seen()[0].contains("secret"));
    let canary = Site::canary().await;
    let target = canary.url("/").to_string();
    let site = Site::at((STAND_IN, 0).into(), move |_| redirect(302, &target))
        .await
        .unwrap();
    let door = guarded(&[&site, &canary], Script::new(&[&[LOOPBACK]]));
    let failure = read_as(&door, &request(site.url("/"))).await.unwrap_err();
    assert_eq!(
        (failure.code, canary.connections()),
        (FailureCode::AddressRefused, 0)
    );
}

#[tokio::test]
async fn what_is_not_there_is_a_failure() {
    for status in [404, 410, 429, 503] {
        let site = Site::start(move |_| answer(&format!("{status} X"), &[], FILE)).await;
        let failure = read(site.url("/")).await.unwrap_err();
        assert_eq!(failure.code, FailureCode::Http(status));
    }
    let html = b"<!DOCTYPE html><title>Not found</title>";
    let site = Site::start(|_| answer("200 OK", &["Content-Type: text/html"], html)).await;
    let failure = read(site.url("/")).await.unwrap_err();
    assert_eq!(failure.code, FailureCode::InvalidResponse);
}

#[tokio::test]
async fn a_bomb_of_a_gibibyte_stops_at_the_limit() {
    let bomb = bomb();
    for (headers, body) in [
        (&["Content-Encoding: gzip"][..], bomb.clone()),
        (&["Content-Type: application/gzip"], bomb.clone()),
        (&["Content-Encoding: gzip"], gzip(&bomb)),
    ] {
        let site = Site::start(move |_| answer("200 OK", headers, &body)).await;
        let sitemap = read(site.url("/")).await.unwrap();
        assert!(sitemap.truncated && sitemap.pages.is_empty(), "{headers:?}");
    }
}

#[tokio::test]
async fn a_file_without_end_is_read_up_to_the_limit() {
    let part = b"<url><loc>/a</loc></url>".repeat(50_000);
    let site = serve(move |stream| {
        let head = b"HTTP/1.1 200 OK\r\n\r\n<urlset>".to_vec();
        drip(stream, head, part.clone(), Duration::ZERO)
    })
    .await;
    let sitemap = read(site.url("/")).await.unwrap();
    assert!(sitemap.truncated);
    assert_eq!(sitemap.pages.len(), 50_000);
}

#[tokio::test]
async fn a_server_that_dribbles_is_left_when_the_time_is_up() {
    let pause = Duration::from_millis(50);
    let head = b"HTTP/1.1 200 OK\r\n\r\n<urlset>".to_vec();
    let site = serve(move |stream| drip(stream, head.clone(), b"<url>".to_vec(), pause)).await;
    let mut request = request(site.url("/"));
    request.timeout = Duration::from_millis(400);
    let failure = read_as(&open(), &request).await.unwrap_err();
    let late = Failure::new(FailureCode::Timeout, "The file was not there within 400 ms");
    assert_eq!(failure, late);
}
