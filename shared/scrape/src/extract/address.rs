//! Addresses on a page: absolute, http or https, bounded. Refuses everything that a crawler could
//! not fetch.

use scraper::{Html, Node};
use url::Url;

/// Longest address kept.
const MAX_ADDRESS: usize = 2_048;

/// What relative addresses of a page resolve against.
pub(super) struct Addresses {
    base: Url,
}

impl Addresses {
    pub(super) fn at(url: &Url) -> Self {
        Self { base: url.clone() }
    }

    /// The first `<base href>`, where it is one that can be fetched from; else the page itself.
    pub(super) fn of(html: &Html, final_url: &Url) -> Self {
        let page = Self::at(final_url);
        let base = html
            .tree
            .values()
            .filter_map(Node::as_element)
            .filter(|element| element.name() == "base")
            .find_map(|element| element.attr("href"));
        match base.and_then(|href| page.resolve(href)) {
            Some(base) => Self { base },
            None => page,
        }
    }

    /// The absolute form of an address, fragment included.
    pub(super) fn resolve(&self, address: &str) -> Option<Url> {
        if address.len() > MAX_ADDRESS {
            return None;
        }
        let url = self.base.join(address).ok()?;
        let fetchable = matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.as_str().len() <= MAX_ADDRESS;
        fetchable.then_some(url)
    }

    /// The absolute form of a link: the document it leads to, without a place in it.
    pub(super) fn resolve_link(&self, address: &str) -> Option<Url> {
        let mut url = self.resolve(address)?;
        url.set_fragment(None);
        Some(url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(html: &str) -> Addresses {
        let page = Url::parse("https://example.com/a/b?c").unwrap();
        Addresses::of(&Html::parse_document(html), &page)
    }

    fn resolved(html: &str, address: &str) -> Option<String> {
        addresses(html).resolve_link(address).map(Into::into)
    }

    #[test]
    fn addresses_resolve_against_the_page() {
        assert_eq!(
            resolved("", " d#e\n").as_deref(),
            Some("https://example.com/a/d")
        );
        assert_eq!(resolved("", "//x.org").as_deref(), Some("https://x.org/"));
        assert_eq!(
            resolved("", "#top").as_deref(),
            Some("https://example.com/a/b?c")
        );
    }

    #[test]
    fn addresses_resolve_against_the_first_base_with_a_target() {
        let html = "<base target=_top><base href=/docs/><base href=/other/>";
        assert_eq!(
            resolved(html, "x").as_deref(),
            Some("https://example.com/docs/x")
        );
    }

    #[test]
    fn a_base_that_cannot_be_fetched_from_is_no_base() {
        for base in [
            "javascript:alert(1)//",
            "data:text/html,x",
            "http://[",
            "mailto:a@b",
        ] {
            let html = format!("<base href='{base}'>");
            assert_eq!(
                resolved(&html, "x").as_deref(),
                Some("https://example.com/a/x")
            );
        }
    }

    #[test]
    fn only_what_can_be_fetched_is_an_address() {
        let long = "x".repeat(MAX_ADDRESS + 1);
        for address in [
            "javascript:x",
            "mailto:a@b",
            "tel:1",
            "ftp://a/",
            "http://",
            &long,
        ] {
            assert_eq!(resolved("", address), None, "{address}");
        }
    }
}
