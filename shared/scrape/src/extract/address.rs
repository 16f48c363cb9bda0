//! Addresses on a page: absolute, http or https, bounded. Refuses everything that a crawler could
//! not fetch.

use scraper::{Html, Node};
use url::{Position, Url};

/// Longest address kept.
const MAX_ADDRESS: usize = 2_048;

/// What relative addresses of a page resolve against.
pub(super) struct Addresses {
    base: Url,
    /// Scheme, host and port of the base as its addresses begin, where nothing else does.
    origin: Option<String>,
}

impl Addresses {
    pub(super) fn at(url: &Url) -> Self {
        let is_plain = matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none();
        Self {
            base: url.clone(),
            origin: is_plain.then(|| url[..Position::BeforePath].to_owned()),
        }
    }

    /// Resolving against what a `<base href>` says, where that can be fetched from.
    pub(super) fn based_on(&self, href: &str) -> Option<Self> {
        self.resolve(href).map(|base| Self::at(&base))
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
        base.and_then(|href| page.based_on(href)).unwrap_or(page)
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
    pub(super) fn resolve_link(&self, address: &str) -> Option<String> {
        if let Some(url) = self.resolve_plain(address) {
            return Some(url);
        }
        let mut url = self.resolve(address)?;
        url.set_fragment(None);
        Some(url.into())
    }

    /// The same for what most links are: a path on the same origin, written out or not, in which
    /// there is nothing to be normalised.
    fn resolve_plain(&self, address: &str) -> Option<String> {
        let origin = self.origin.as_deref()?;
        let path = address.strip_prefix(origin).unwrap_or(address);
        let is_short = origin.len() + path.len() <= MAX_ADDRESS;
        if !is_short || path.len() < 2 || !path.starts_with('/') || path.starts_with("//") {
            return None;
        }
        let length = plain_length(path.as_bytes())?;
        let mut url = String::with_capacity(origin.len() + length);
        url.push_str(origin);
        url.push_str(&path[..length]);
        Some(url)
    }
}

/// How long an absolute path with its query is, without the fragment, where the URL standard
/// would leave all of it as it stands; `None` where it might not.
fn plain_length(path: &[u8]) -> Option<usize> {
    let mut in_path = true;
    let mut length = None;
    let mut before = 0;
    for (at, byte) in path.iter().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'=' | b'&' | b'+' => {}
            b'~' | b'!' | b'$' | b'(' | b')' | b'*' | b',' | b';' | b':' | b'@' => {}
            // At the start of a segment they may say "up" or "here".
            b'.' | b'%' if !in_path || before != b'/' => {}
            b'?' => in_path = false,
            b'#' if length.is_none() => {
                length = Some(at);
                in_path = false;
            }
            _ => return None,
        }
        before = *byte;
    }
    Some(length.unwrap_or(path.len()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        #[test]
        fn a_plain_address_is_what_the_standard_makes_of_it(
            address in "(http://example\\.com|https://example\\.com)?[/.%2eEa?#&;:=@~'|^\\\\ \\[{ü]{0,12}",
            base in prop::sample::select(vec![
                "https://example.com/a/b?c",
                "https://example.com:8443/",
                "https://user@example.com/",
                "http://[::1]/x",
            ]),
        ) {
            let addresses = Addresses::at(&Url::parse(base).unwrap());
            if let Some(plain) = addresses.resolve_plain(&address) {
                let mut url = addresses.resolve(&address).unwrap();
                url.set_fragment(None);
                prop_assert_eq!(plain, url.as_str());
            }
        }
    }

    #[test]
    fn most_links_are_plain() {
        let addresses = addresses("");
        for (address, expected) in [
            ("/", None),
            ("/a/b.html?c=d&e=%20#f", Some("/a/b.html?c=d&e=%20")),
            ("https://example.com/a#b", Some("/a")),
            ("https://example.com.evil.org/a", None),
            ("//example.org/a", None),
            ("/a/../b", None),
            ("/a/%2e%2e/b", None),
            ("/a b", None),
            ("a", None),
        ] {
            let expected = expected.map(|path| format!("https://example.com{path}"));
            assert_eq!(addresses.resolve_plain(address), expected, "{address}");
        }
    }

    fn addresses(html: &str) -> Addresses {
        let page = Url::parse("https://example.com/a/b?c").unwrap();
        Addresses::of(&Html::parse_document(html), &page)
    }

    fn resolved(html: &str, address: &str) -> Option<String> {
        addresses(html).resolve_link(address)
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
