//! From the decoded text of an answer to what the page says: title, links, main content, fields.
//! Synchronous and pure; meant for a blocking thread. Refuses to fetch, to decode charsets, and to
//! spend more than its [`Budget`] on any page, however hostile.

mod address;
mod budget;
mod content;
mod copy;
mod fields;
mod json_ld;
mod name;
mod parse;
mod run;
mod scan;
mod shell;
mod stream;
mod survey;
mod text;
mod walk;

use std::collections::BTreeMap;

use jobs::crawl::Formats;
use jobs::page::{Heading, Link, Metadata};
use jobs::{Extraction, Failure, Problem};
use serde_json::Value;
use sha2::{Digest, Sha256};
use url::Url;

pub use budget::{Budget, PAGE_BUDGET};
pub(crate) use survey::{MAX_HEADINGS, MAX_LINKS, forbids_following};

use address::Addresses;
use fields::{Compiled, Sources};
use survey::Survey;

/// What the answer's content type says its text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Html,
    Xhtml,
    Xml,
    Json,
    Text,
}

/// One decoded answer and what to read from it.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    pub text: &'a str,
    pub kind: Kind,
    /// The address that answered: what relative links resolve against.
    pub final_url: &'a Url,
    /// `Content-Language`, where the server sent one.
    pub language: Option<&'a str>,
    pub extraction: &'a Extraction,
}

/// Everything in a [`jobs::Page`] that comes from its content.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Extracted {
    pub language: Option<String>,
    pub title: Option<String>,
    pub description: Option<String>,
    pub canonical: Option<String>,
    pub headings: Vec<Heading>,
    pub links: Vec<Link>,
    pub text: String,
    pub markdown: String,
    pub metadata: Metadata,
    pub fields: BTreeMap<String, Value>,
    pub content_hash: String,
    pub js_required: bool,
    /// The page asks robots not to follow its links.
    pub nofollow: bool,
}

/// Reads a page within [`PAGE_BUDGET`] of wall time.
pub fn extract(input: &Input<'_>) -> Result<Extracted, Failure> {
    extract_within(input, &Budget::start(PAGE_BUDGET))
}

/// Reads a page within the given budget. Fails with `parse_budget` where the page costs more, and
/// with `field_missing` where a required field yields nothing.
pub fn extract_within(input: &Input<'_>, budget: &Budget<'_>) -> Result<Extracted, Failure> {
    extract_in(input, Formats::default(), budget)
}

/// Reads of a page what the formats need, and headings, links, text and the like in any case.
///
/// Markdown is that of the article, where there is one, and then so is the text. Without it nobody
/// looks for an article: the text is that of the one `<main>`, or of the whole body. Where there
/// are no fields to select either, the page is read without a tree.
pub fn extract_in(
    input: &Input<'_>,
    formats: Formats,
    budget: &Budget<'_>,
) -> Result<Extracted, Failure> {
    let is_marked_up = matches!(input.kind, Kind::Html | Kind::Xhtml | Kind::Xml);
    let mut extracted = if is_marked_up && is_streamed(input.extraction, formats) {
        stream::read(input, formats, budget)?
    } else {
        let (compiled, _) = Compiled::new(input.extraction);
        if is_marked_up {
            marked_up(input, formats, &compiled, budget)?
        } else {
            plain(input, formats, &compiled, budget)?
        }
    };
    extracted.content_hash = sha256(&extracted.text);
    Ok(extracted)
}

/// Whether a page is read without a tree: in time that only grows with its length.
pub(crate) fn is_streamed(extraction: &Extraction, formats: Formats) -> bool {
    !formats.markdown && extraction.fields.is_empty()
}

/// Says which selectors and patterns of a configuration do not compile, by the code that compiles
/// them for a page.
pub fn check(extraction: &Extraction) -> Vec<Problem> {
    Compiled::new(extraction).1
}

fn marked_up(
    input: &Input<'_>,
    formats: Formats,
    compiled: &Compiled<'_>,
    budget: &Budget<'_>,
) -> Result<Extracted, Failure> {
    let html = parse::parse(input.text, budget)?;
    let addresses = Addresses::of(&html, input.final_url);
    let survey = Survey::of(&html, &addresses, budget)?;
    let json_ld = json_ld::read(&survey.json_ld);
    let language = survey.language(input.language);
    let fields = compiled.run(
        &Sources {
            markup: Some(&html),
            source: input.text,
            addresses: &addresses,
            metas: &survey.metas,
            json: &json_ld,
            language: language.as_deref(),
        },
        budget,
    )?;
    let readable = input.kind != Kind::Xml;
    let content = if formats.markdown {
        content::read(&html, &addresses, &survey, readable, budget)?
    } else {
        content::text_alone(&html, &survey, budget)?
    };
    Ok(Extracted {
        title: survey.title(),
        description: survey.description(),
        canonical: survey
            .canonical
            .and_then(|href| addresses.resolve(href))
            .map(Into::into),
        nofollow: survey.nofollow(),
        js_required: shell::needs_scripts(&survey.signs),
        metadata: Metadata {
            open_graph: survey.open_graph(),
            json_ld,
        },
        headings: survey.headings,
        links: survey.links,
        text: content.text,
        markdown: content.markdown,
        fields,
        language,
        content_hash: String::new(),
    })
}

/// Plain text and JSON: the text is the content. A JSON body is what `jsonld` paths read.
fn plain(
    input: &Input<'_>,
    formats: Formats,
    compiled: &Compiled<'_>,
    budget: &Budget<'_>,
) -> Result<Extracted, Failure> {
    let json = match input.kind {
        Kind::Json => json_ld::parse(input.text).into_iter().collect(),
        _ => Vec::new(),
    };
    let language = survey::language_tag(input.language);
    let fields = compiled.run(
        &Sources {
            markup: None,
            source: input.text,
            addresses: &Addresses::at(input.final_url),
            metas: &[],
            json: &json,
            language: language.as_deref(),
        },
        budget,
    )?;
    let text = text::tidy_lines(input.text, content::MAX_CONTENT);
    let markdown = formats.markdown.then_some(&text);
    Ok(Extracted {
        markdown: markdown.cloned().unwrap_or_default(),
        text,
        fields,
        language,
        ..Extracted::default()
    })
}

fn sha256(text: &str) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let hash = Sha256::digest(text.as_bytes());
    let digits = hash.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits
        .map(|digit| char::from(DIGITS[usize::from(digit)]))
        .collect()
}

#[cfg(test)]
mod tests;
