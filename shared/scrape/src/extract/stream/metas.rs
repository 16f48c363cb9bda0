//! The `<meta>` elements that somebody reads, in order. Refuses lists without an end.

use super::super::scan::Tag;
use super::super::survey::MAX_METAS;

/// Names and contents.
#[derive(Default)]
pub(super) struct Metas {
    kept: Vec<(String, String)>,
    seen: usize,
}

impl Metas {
    pub(super) fn add(&mut self, tag: &Tag<'_>) {
        let name = ["name", "property", "itemprop", "http-equiv"]
            .into_iter()
            .find_map(|attribute| tag.attribute(attribute));
        let (Some(name), Some(content)) = (name, tag.attribute("content")) else {
            return;
        };
        self.seen += 1;
        let name = name.trim();
        if self.seen <= MAX_METAS && is_read(name) {
            self.kept.push((name.to_owned(), content.into_owned()));
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> + Clone {
        self.kept
            .iter()
            .map(|(name, content)| (name.as_str(), content.as_str()))
    }
}

fn is_read(name: &str) -> bool {
    let is_open_graph = name
        .get(..3)
        .is_some_and(|prefix| prefix.eq_ignore_ascii_case("og:"));
    is_open_graph
        || ["description", "content-language", "robots"]
            .iter()
            .any(|read| name.eq_ignore_ascii_case(read))
}
