//! Pages in the encodings of the world, declared in every way and in none.

use encoding_rs::Encoding;

use super::site::{Site, answer, fetch, open};
use crate::door::{Body, Media};

/// An encoding, a text that it can write, and the top-level domain where it is found.
const TEXTS: &[(&str, &str, &str)] = &[
    (
        "Shift_JIS",
        "日本語の文章です。これは文字コードの検出を試すための長い文です。カタカナもあります。",
        "jp",
    ),
    (
        "EUC-JP",
        "日本語の文章です。これは文字コードの検出を試すための長い文です。カタカナもあります。",
        "jp",
    ),
    (
        "ISO-2022-JP",
        "日本語の文章です。これは文字コードの検出を試すための長い文です。",
        "jp",
    ),
    (
        "gb18030",
        "这是一个用来测试字符编码检测的中文句子，里面有很多常用的汉字。",
        "cn",
    ),
    (
        "Big5",
        "這是一個用來測試字元編碼偵測的中文句子，裡面有很多常用的漢字。",
        "tw",
    ),
    (
        "EUC-KR",
        "이것은 문자 인코딩 감지를 시험하기 위한 한국어 문장입니다.",
        "kr",
    ),
    (
        "windows-1251",
        "Это предложение на русском языке для проверки определения кодировки.",
        "ru",
    ),
    (
        "KOI8-U",
        "Це речення українською мовою для перевірки визначення кодування.",
        "ua",
    ),
    (
        "windows-1250",
        "Příliš žluťoučký kůň úpěl ďábelské ódy a všichni se tomu divili.",
        "cz",
    ),
    (
        "windows-1253",
        "Αυτή είναι μια ελληνική πρόταση για τον έλεγχο της κωδικοποίησης.",
        "gr",
    ),
    (
        "windows-1252",
        "Ça c’est une phrase française, écrite à l’été, où tout le monde dîne.",
        "fr",
    ),
    ("UTF-8", "Ein Satz mit Ümläuten, 日本語 und 🕷.", "de"),
];

fn encoded(name: &str, text: &str) -> Vec<u8> {
    let encoding = Encoding::for_label(name.as_bytes()).unwrap();
    let (bytes, _, lossy) = encoding.encode(text);
    assert!(!lossy, "{name} cannot write the text");
    bytes.into_owned()
}

fn body(bytes: Vec<u8>, charset: Option<&str>, top_level: Option<&str>) -> Body {
    Body {
        bytes,
        media: Media::Html,
        charset: charset.map(str::to_owned),
        top_level: top_level.map(str::to_owned),
    }
}

/// The text and the encoding that come out.
fn read(bytes: &[u8], charset: Option<&str>) -> (String, &'static str) {
    let body = body(bytes.to_vec(), charset, None);
    let decoded = body.decode();
    (decoded.text.into_owned(), decoded.encoding)
}

fn utf_16(text: &str, to_bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(to_bytes).collect()
}

#[test]
fn the_header_names_the_encoding() {
    for (name, text, _) in TEXTS {
        assert_eq!(
            read(&encoded(name, text), Some(name)),
            ((*text).to_owned(), *name)
        );
    }
}

#[test]
fn the_page_names_the_encoding() {
    for (name, text, _) in TEXTS {
        for page in [
            format!("<meta charset={name}><p>{text}"),
            format!("<meta http-equiv=Content-Type content='text/html; charset={name}'>{text}"),
            format!("<?xml version=\"1.0\" encoding=\"{name}\"?><p>{text}</p>"),
        ] {
            assert_eq!(read(&encoded(name, &page), None), (page, *name));
        }
    }
}

#[test]
fn an_encoding_that_nobody_names_is_detected() {
    for (name, text, top_level) in TEXTS {
        let page = format!("<html><body><p>{text}</p><p>{text}</p></body></html>");
        let body = body(encoded(name, &page), None, Some(top_level));
        let decoded = body.decode();
        assert_eq!(
            decoded.text, page,
            "{name} was taken for {}",
            decoded.encoding
        );
    }
}

#[test]
fn a_long_page_is_detected_by_what_is_not_ascii() {
    for (name, text, top_level) in TEXTS {
        // More ASCII than the detector looks at, then more text than it does.
        let page = format!(
            "{}{}",
            "a ".repeat(200_000),
            format!("{text}\n").repeat(8_000)
        );
        let body = body(encoded(name, &page), None, Some(top_level));
        assert!(body.decode().text == page, "{name}");
    }
}

#[test]
fn a_byte_order_mark_outweighs_everything_and_is_no_text() {
    let page = "<meta charset=koi8-r>Ümläut 日本 🕷";
    for (mark, bytes, name) in [
        (&b"\xef\xbb\xbf"[..], page.as_bytes().to_vec(), "UTF-8"),
        (b"\xff\xfe", utf_16(page, u16::to_le_bytes), "UTF-16LE"),
        (b"\xfe\xff", utf_16(page, u16::to_be_bytes), "UTF-16BE"),
    ] {
        let bytes = [mark, &bytes].concat();
        assert_eq!(read(&bytes, Some("windows-1251")), (page.to_owned(), name));
    }
}

#[test]
fn the_header_outweighs_the_page() {
    let page = "<meta charset=windows-1251>Ümläut";
    assert_eq!(
        read(page.as_bytes(), Some("utf-8")),
        (page.to_owned(), "UTF-8")
    );
    let bytes = utf_16(page, u16::to_be_bytes);
    assert_eq!(
        read(&bytes, Some("utf-16be")),
        (page.to_owned(), "UTF-16BE")
    );
}

#[test]
fn a_header_that_names_nothing_known_says_nothing() {
    let page = "<meta charset=windows-1251>текст";
    let bytes = encoded("windows-1251", page);
    for charset in ["utf-7", "none", "text/html", "\u{fffd}"] {
        assert_eq!(
            read(&bytes, Some(charset)),
            (page.to_owned(), "windows-1251"),
            "{charset}"
        );
    }
}

#[test]
fn a_declaration_counts_only_where_there_is_markup() {
    let text = "<meta charset=windows-1251> ü";
    for media in [Media::Plain, Media::Json] {
        let body = Body {
            media,
            ..body(text.as_bytes().to_vec(), None, None)
        };
        assert_eq!(body.decode().text, text);
    }
}

#[test]
fn whatever_the_bytes_the_result_is_text() {
    let noise: Vec<u8> = (0..=255).cycle().take(70_000).collect();
    let mut charsets: Vec<_> = TEXTS.iter().map(|(name, ..)| Some(*name)).collect();
    charsets.extend([
        None,
        Some("utf-16le"),
        Some("hz-gb-2312"),
        Some("x-user-defined"),
    ]);
    for charset in charsets {
        assert!(!read(&noise, charset).0.is_empty(), "{charset:?}");
    }
    for (bytes, text) in [
        (&b"a\xffb"[..], "a\u{fffd}b"),
        (b"\xed\xa0\x80", "\u{fffd}\u{fffd}\u{fffd}"),
        (b"\xe6\x97", "\u{fffd}"),
    ] {
        assert_eq!(read(bytes, Some("utf-8")).0, text);
    }
    assert_eq!(read(b"\xff\xfe\x00\xd8a\x00", None).0, "\u{fffd}a");
    assert_eq!(read(b"", None), (String::new(), "UTF-8"));
}

#[tokio::test]
async fn a_page_on_the_wire_is_read_in_the_encoding_of_its_header() {
    let bytes = encoded("Shift_JIS", "<p>日本語</p>");
    let kind = "Content-Type: text/html; charset=\"Shift_JIS\"";
    let site = Site::start(move |_| answer("200 OK", &[kind], &bytes)).await;
    let fetched = fetch(&open(), &site.url("/")).await.unwrap();
    let decoded = fetched.body.decode();
    assert_eq!(
        (decoded.text.as_ref(), decoded.encoding),
        ("<p>日本語</p>", "Shift_JIS")
    );
}
