//! In which forms a crawl keeps what a page says. Title, description, headings and the facts of
//! the fetch are always kept.

use serde::{Deserialize, Serialize};

use crate::error::Problem;

/// The forms asked for.
///
/// Markdown is that of the article, which is looked for in the whole page; where one is found the
/// text is that of the article as well. Without Markdown the text is that of the one `<main>` (or
/// `role=main`) of at least 140 characters, else that of the whole body: looking for an article
/// costs several times what all the rest does, so it belongs to the Markdown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(clippy::struct_excessive_bools)]
pub struct Formats {
    pub text: bool,
    pub markdown: bool,
    pub links: bool,
    /// OpenGraph and JSON-LD.
    pub metadata: bool,
    /// The document as it came, decoded.
    pub html: bool,
}

impl Default for Formats {
    /// All but `html`.
    fn default() -> Self {
        Self {
            text: true,
            markdown: true,
            links: true,
            metadata: true,
            html: false,
        }
    }
}

impl Formats {
    pub const NAMES: [&'static str; 5] = ["text", "markdown", "links", "metadata", "html"];

    const NONE: Self = Self {
        text: false,
        markdown: false,
        links: false,
        metadata: false,
        html: false,
    };

    fn part(&mut self, name: &str) -> Option<&mut bool> {
        match name {
            "text" => Some(&mut self.text),
            "markdown" => Some(&mut self.markdown),
            "links" => Some(&mut self.links),
            "metadata" => Some(&mut self.metadata),
            "html" => Some(&mut self.html),
            _ => None,
        }
    }

    /// The forms of these names; `None` where one is unknown.
    pub fn named<'a>(names: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let mut formats = Self::NONE;
        for name in names {
            *formats.part(name)? = true;
        }
        Some(formats)
    }

    /// Their names, in the order of [`Formats::NAMES`].
    pub fn names(mut self) -> Vec<&'static str> {
        let is_on = |name: &&str| self.part(name).is_some_and(|on| *on);
        Self::NAMES.into_iter().filter(is_on).collect()
    }

    /// What is wrong with an unknown name in a request.
    pub fn unknown(field: String) -> Problem {
        let known = Self::NAMES.join(", ");
        Problem::new(field, format!("must be one of: {known}"))
    }
}

impl Serialize for Formats {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.names().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Formats {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let names = Vec::<String>::deserialize(deserializer)?;
        Self::named(names.iter().map(String::as_str))
            .ok_or_else(|| serde::de::Error::custom("an unknown format"))
    }
}
