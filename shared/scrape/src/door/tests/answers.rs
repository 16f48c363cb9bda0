//! Answers of well-behaved servers: which of them are pages, and what is kept of them.

use std::io::Write;
use std::time::Duration;

use flate2::Compression;
use http::header;
use jobs::FailureCode;

use super::site::{Site, answer, code, fetch, open, page};
use crate::door::Media;

const HTML: &str = "Content-Type: text/html; charset=utf-8";

#[tokio::test]
async fn a_page_arrives_with_what_is_needed_to_read_it_and_ask_again() {
    let headers = [
        HTML,
        "Content-Language: de",
        "ETag: W/\"v1\"",
        "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT",
        "Set-Cookie: id=1",
    ];
    let site = Site::start(move |_| answer("200 OK", &headers, "<p>ü".as_bytes())).await;
    let fetched = fetch(&open(), &site.url("/a?b#c")).await.unwrap();
    assert_eq!(fetched.final_url, site.url("/a?b"));
    assert_eq!((fetched.status, fetched.redirects.len()), (200, 0));
    assert_eq!(fetched.body.decode().text, "<p>ü");
    assert_eq!(
        (fetched.body.bytes().len(), fetched.body.media()),
        (5, Media::Html)
    );
    for (name, value) in [
        (header::CONTENT_TYPE, Some("text/html; charset=utf-8")),
        (header::CONTENT_LANGUAGE, Some("de")),
        (header::ETAG, Some("W/\"v1\"")),
        (header::LAST_MODIFIED, Some("Sun, 06 Nov 1994 08:49:37 GMT")),
        (header::SET_COOKIE, None),
    ] {
        assert_eq!(fetched.headers.get(&name), value, "{name}");
    }
}

#[tokio::test]
async fn we_say_who_we_are_and_what_we_read() {
    let site = Site::start(|_| page("")).await;
    fetch(&open(), &site.url("/")).await.unwrap();
    let head = site.seen().remove(0).to_lowercase();
    for expected in [
        "user-agent: harvestman/",
        "(+https://harvestman.invalid/bot)",
        "accept: text/html,",
        "accept-encoding: ",
        "gzip",
        "br",
        "zstd",
        "deflate",
    ] {
        assert!(head.contains(expected), "{expected} is not in {head}");
    }
    for unexpected in ["cookie", "referer", "authorization"] {
        assert!(!head.contains(unexpected), "{head}");
    }
}

#[tokio::test]
async fn only_a_status_of_2xx_is_a_page() {
    for status in [200, 201, 203, 206, 299] {
        let site = Site::start(move |_| answer(&format!("{status} X"), &[HTML], b"<p>")).await;
        assert_eq!(fetch(&open(), &site.url("/")).await.unwrap().status, status);
    }
    for status in [
        304, 400, 401, 403, 404, 410, 418, 429, 451, 500, 502, 503, 599, 999,
    ] {
        let site = Site::start(move |_| answer(&format!("{status} X"), &[HTML], b"")).await;
        assert_eq!(
            code(&open(), &site.url("/")).await,
            FailureCode::Http(status)
        );
    }
}

#[tokio::test]
async fn an_empty_answer_is_a_page_without_text() {
    for (status, headers) in [
        ("204 No Content", &[][..]),
        ("205 Reset", &[]),
        ("200 OK", &[HTML]),
    ] {
        let site = Site::start(move |_| answer(status, headers, b"")).await;
        let fetched = fetch(&open(), &site.url("/")).await.unwrap();
        assert_eq!(fetched.body.decode().text, "", "{status}");
    }
}

#[tokio::test]
async fn a_server_may_say_when_to_come_back() {
    for (status, wait, expected) in [
        ("429 Too Many Requests", "7", Some(7)),
        ("503 Service Unavailable", "99999", Some(3_600)),
        (
            "503 Service Unavailable",
            "Sun, 06 Nov 1994 08:49:37 GMT",
            Some(0),
        ),
        ("404 Not Found", "later", None),
    ] {
        let wait = format!("Retry-After: {wait}");
        let site = Site::start(move |_| answer(status, &[&wait], b"")).await;
        let failure = fetch(&open(), &site.url("/")).await.unwrap_err();
        assert_eq!(
            failure.retry_after,
            expected.map(Duration::from_secs),
            "{status}"
        );
        assert_eq!(failure.message, format!("The server answered {status}"));
    }
}

#[tokio::test]
async fn what_is_no_text_is_not_read() {
    for kind in [
        "image/png",
        "application/pdf",
        "application/zip",
        "application/octet-stream",
    ] {
        let site = Site::start(move |_| {
            // More is announced than sent: whoever reads on fails differently.
            let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: 9\r\n");
            format!("{head}\r\n").into_bytes()
        })
        .await;
        let failure = fetch(&open(), &site.url("/")).await.unwrap_err();
        assert_eq!(failure.code, FailureCode::NotHtml);
        assert_eq!(failure.message, format!("The answer is {kind}, not a page"));
    }
}

#[tokio::test]
async fn without_a_type_the_first_bytes_decide() {
    for (body, expected) in [
        (b"<html>".to_vec(), Ok(Media::Html)),
        (
            [b" <p>".to_vec(), vec![b'a'; 5_000]].concat(),
            Ok(Media::Html),
        ),
        (b"{}".to_vec(), Ok(Media::Json)),
        (b"hello".to_vec(), Ok(Media::Plain)),
        (b"\x89PNG\r\n\x1a\n".to_vec(), Err(FailureCode::NotHtml)),
        (
            [b"PK\x03\x04".to_vec(), vec![b'a'; 5_000]].concat(),
            Err(FailureCode::NotHtml),
        ),
    ] {
        let sent = body.clone();
        let site = Site::start(move |_| answer("200 OK", &[], &sent)).await;
        let media = fetch(&open(), &site.url("/"))
            .await
            .map(|fetched| fetched.body.media());
        assert_eq!(media.map_err(|failure| failure.code), expected, "{body:?}");
    }
}

fn compressed(encoding: &str, text: &[u8]) -> Vec<u8> {
    let level = Compression::fast();
    let mut packed = Vec::new();
    match encoding {
        "gzip" => flate2::write::GzEncoder::new(&mut packed, level)
            .write_all(text)
            .unwrap(),
        "deflate" => flate2::write::ZlibEncoder::new(&mut packed, level)
            .write_all(text)
            .unwrap(),
        "zstd" => packed = zstd::encode_all(text, 1).unwrap(),
        "br" => brotli::CompressorWriter::new(&mut packed, 4_096, 1, 20)
            .write_all(text)
            .unwrap(),
        _ => packed = text.to_vec(),
    }
    packed
}

#[tokio::test]
async fn every_encoding_that_we_ask_for_is_decoded() {
    let text = "<p>schön</p>".repeat(1_000);
    for encoding in ["gzip", "deflate", "zstd", "br", "identity"] {
        let header = format!("Content-Encoding: {encoding}");
        let packed = compressed(encoding, text.as_bytes());
        assert_eq!(
            packed.len() < text.len(),
            encoding != "identity",
            "{encoding}"
        );
        let site = Site::start(move |_| answer("200 OK", &[HTML, &header], &packed)).await;
        let fetched = fetch(&open(), &site.url("/")).await.unwrap();
        assert_eq!(fetched.body.decode().text, text, "{encoding}");
    }
}
