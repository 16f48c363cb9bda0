//! Servers that mean harm or are broken: each ends in a failure of the right kind, within the
//! bounds.

use std::time::Duration;

use flate2::{Compress, Compression, FlushCompress};
use jobs::FailureCode::{self, Connect, InvalidResponse, NotHtml, TooLarge};
use tokio::io::AsyncWriteExt;

use super::site::{Site, answer, code, drip, fetch, open, read_head, serve};
use crate::door::MAX_BODY;

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n";

/// Answers that are sent as they stand, after which the connection closes.
fn broken() -> Vec<(&'static str, Vec<u8>, FailureCode)> {
    let text = |text: &str| format!("{OK}{text}").into_bytes();
    let gzip = |body: &[u8]| answer("200 OK", &["Content-Encoding: gzip"], body);
    vec![
        ("nothing", Vec::new(), Connect),
        (
            "half a head",
            b"HTTP/1.1 200 OK\r\nContent-Ty".to_vec(),
            Connect,
        ),
        (
            "HTTP/0.9",
            b"<html><p>hello</p></html>".to_vec(),
            InvalidResponse,
        ),
        (
            "another protocol",
            b"SSH-2.0-OpenSSH_9.6\r\n".to_vec(),
            InvalidResponse,
        ),
        (
            "a future version",
            b"HTTP/3.7 200 OK\r\n\r\n".to_vec(),
            InvalidResponse,
        ),
        (
            "a status in letters",
            b"HTTP/1.1 abc OK\r\n\r\n".to_vec(),
            InvalidResponse,
        ),
        (
            "a status of four digits",
            b"HTTP/1.1 2000 OK\r\n\r\n".to_vec(),
            InvalidResponse,
        ),
        (
            "a status below 100",
            b"HTTP/1.1 099 OK\r\n\r\n".to_vec(),
            InvalidResponse,
        ),
        (
            "too many headers",
            text(&format!("{}\r\n", "X: 1\r\n".repeat(101))),
            InvalidResponse,
        ),
        (
            "a huge header",
            text(&format!("X: {}\r\n\r\n", "a".repeat(2 << 20))),
            InvalidResponse,
        ),
        (
            "a header with a zero byte",
            text("X: a\0b\r\n\r\n"),
            InvalidResponse,
        ),
        (
            "two lengths",
            text("Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
            InvalidResponse,
        ),
        (
            "a length in letters",
            text("Content-Length: many\r\n\r\nab"),
            InvalidResponse,
        ),
        (
            "a negative length",
            text("Content-Length: -1\r\n\r\nab"),
            InvalidResponse,
        ),
        (
            "a body cut short",
            text("Content-Length: 10\r\n\r\nabc"),
            InvalidResponse,
        ),
        (
            "a bad chunk",
            text("Transfer-Encoding: chunked\r\n\r\nzz\r\nab"),
            InvalidResponse,
        ),
        (
            "a chunk beyond all numbers",
            text("Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nab"),
            InvalidResponse,
        ),
        (
            "chunks without end",
            text("Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n"),
            InvalidResponse,
        ),
        ("a lying encoding", gzip(b"<p>plain"), InvalidResponse),
        (
            "half a gzip stream",
            gzip(&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0x4b]),
            InvalidResponse,
        ),
        (
            "one encoding in another",
            answer("200 OK", &["Content-Encoding: gzip, gzip"], b"x"),
            InvalidResponse,
        ),
        (
            "an encoding that nobody asked for",
            answer("200 OK", &["Content-Encoding: compress"], b"x"),
            InvalidResponse,
        ),
        (
            "a long body announced",
            text("Content-Length: 10485761\r\n\r\n"),
            TooLarge,
        ),
        (
            "HTML as an image",
            answer("200 OK", &["Content-Type: image/png"], b"<p>"),
            NotHtml,
        ),
        (
            "another protocol agreed",
            b"HTTP/1.1 101 X\r\n\r\n".to_vec(),
            FailureCode::Http(101),
        ),
    ]
}

#[tokio::test]
async fn a_broken_answer_is_named_for_what_it_is() {
    for (name, bytes, expected) in broken() {
        let site = Site::start(move |_| bytes.clone()).await;
        assert_eq!(code(&open(), &site.url("/")).await, expected, "{name}");
        assert_eq!(site.connections(), 1, "{name}: nothing is retried here");
    }
}

#[tokio::test]
async fn odd_answers_that_can_be_read_are_read() {
    let headers = "X: 1\r\n".repeat(98);
    for (name, bytes, text) in [
        ("no length", format!("{OK}\r\nabc").into_bytes(), "abc"),
        (
            "HTTP/1.0",
            b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\nabc".to_vec(),
            "abc",
        ),
        (
            "many headers",
            format!("{OK}{headers}\r\nabc").into_bytes(),
            "abc",
        ),
        (
            "an early hint",
            format!("HTTP/1.1 103 X\r\n\r\n{OK}\r\nabc").into_bytes(),
            "abc",
        ),
        ("zero bytes", format!("{OK}\r\na\0b").into_bytes(), "a\0b"),
        (
            "a long reason",
            format!("HTTP/1.1 200 {}\r\n\r\nabc", "O".repeat(999)).into(),
            "abc",
        ),
        (
            "more than announced",
            format!("{OK}Content-Length: 3\r\n\r\nabcdef").into(),
            "abc",
        ),
        (
            "a body with 204",
            b"HTTP/1.1 204 X\r\nContent-Length: 3\r\n\r\nabc".to_vec(),
            "",
        ),
        (
            "chunks",
            format!("{OK}Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\n\r\n").into(),
            "abc",
        ),
    ] {
        let site = Site::start(move |_| bytes.clone()).await;
        let fetched = fetch(&open(), &site.url("/")).await;
        let fetched = fetched.unwrap_or_else(|failure| panic!("{name}: {failure}"));
        assert_eq!(fetched.body.decode().text, text, "{name}");
    }
}

#[tokio::test]
async fn a_port_that_nobody_listens_on_is_no_connection() {
    let site = Site::canary().await;
    let url = site.url("/");
    drop(site);
    // The task that holds the listener ends at its next turn.
    tokio::task::yield_now().await;
    assert_eq!(code(&open(), &url).await, Connect);
}

#[tokio::test]
async fn a_connection_that_is_reset_is_no_connection() {
    for sent in [
        "",
        "HTTP/1.1 200 OK\r\nConten",
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n<p>",
    ] {
        let site = serve(move |mut stream| async move {
            read_head(&mut stream).await;
            let _ = stream.write_all(sent.as_bytes()).await;
            // Closes with a reset, and not with an end.
            stream.set_zero_linger().unwrap();
        })
        .await;
        let failure = fetch(&open(), &site.url("/")).await.unwrap_err();
        assert_eq!(failure.code, Connect, "{sent:?}");
        assert_eq!(
            failure.message, "127.0.0.1 broke off the connection",
            "{sent:?}"
        );
    }
}

#[tokio::test]
async fn a_sentence_tells_a_broken_body_from_a_broken_answer() {
    for (sent, expected) in [
        (
            format!("{OK}Content-Length: 9\r\n\r\n<p>"),
            "The body that 127.0.0.1 sent",
        ),
        (
            "HTTP/1.1 OK\r\n\r\n".to_owned(),
            "What 127.0.0.1 answered is not HTTP",
        ),
    ] {
        let site = Site::start(move |_| sent.clone().into()).await;
        let failure = fetch(&open(), &site.url("/?token=secret"))
            .await
            .unwrap_err();
        assert!(failure.message.starts_with(expected), "{failure}");
        assert!(!failure.message.contains("secret"), "{failure}");
    }
}

#[tokio::test]
async fn a_body_without_end_is_cut_at_the_limit() {
    let chunked = format!("{OK}Transfer-Encoding: chunked\r\n\r\n");
    let chunk = [&b"100000\r\n"[..], &vec![b'a'; 0x10_0000], b"\r\n"].concat();
    for (head, part) in [(format!("{OK}\r\n"), vec![b'a'; 1 << 20]), (chunked, chunk)] {
        let site =
            serve(move |stream| drip(stream, head.clone().into(), part.clone(), Duration::ZERO))
                .await;
        assert_eq!(code(&open(), &site.url("/")).await, TooLarge);
    }
}

#[tokio::test]
async fn headers_without_end_are_cut() {
    let site = serve(|stream| {
        let head = b"HTTP/1.1 200 OK\r\nX: ".to_vec();
        drip(stream, head, vec![b'a'; 64 << 10], Duration::ZERO)
    })
    .await;
    assert_eq!(code(&open(), &site.url("/")).await, InvalidResponse);
}

#[tokio::test]
async fn a_body_of_exactly_the_limit_is_a_page() {
    for (length, fits) in [(MAX_BODY, true), (MAX_BODY + 1, false)] {
        let site = serve(move |mut stream| async move {
            read_head(&mut stream).await;
            // Without a length, so that it is the count that decides.
            let _ = stream.write_all(format!("{OK}\r\n").as_bytes()).await;
            let _ = stream.write_all(&vec![b'a'; length]).await;
        })
        .await;
        let outcome = fetch(&open(), &site.url("/"))
            .await
            .map(|page| page.body.bytes().len());
        let expected = if fits { Ok(length) } else { Err(TooLarge) };
        assert_eq!(outcome.map_err(|failure| failure.code), expected);
    }
}

/// A deflate stream of `count` MiB of zeros. Each MiB is compressed to the same bytes, since a full
/// flush forgets what came before, so one is made and repeated.
fn mebibytes_of_nothing(count: usize) -> Vec<u8> {
    let mut packer = Compress::new(Compression::fast(), false);
    let mut packed = Vec::with_capacity(64 << 10);
    packer
        .compress_vec(&vec![0; 1 << 20], &mut packed, FlushCompress::Full)
        .unwrap();
    assert_eq!(packer.total_in(), 1 << 20);
    packed.repeat(count)
}

#[tokio::test]
async fn a_bomb_of_a_gibibyte_stops_at_the_limit() {
    let gzip_head = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
    let bomb = [&gzip_head[..], &mebibytes_of_nothing(1_024)].concat();
    assert!(bomb.len() < MAX_BODY, "{} bytes are no bomb", bomb.len());
    let zstd = zstd::encode_all(vec![0; 3 * MAX_BODY].as_slice(), 1).unwrap();
    for (encoding, bomb) in [("gzip", bomb), ("zstd", zstd)] {
        let header = format!("Content-Encoding: {encoding}");
        let headers = ["Content-Type: text/html".to_owned(), header];
        let site = Site::start(move |_| {
            let [kind, encoding] = &headers;
            answer("200 OK", &[kind, encoding], &bomb)
        })
        .await;
        assert_eq!(code(&open(), &site.url("/")).await, TooLarge, "{encoding}");
    }
}
