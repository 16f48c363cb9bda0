//! Results as Markdown: a document a page, with its title and its address, and a line of `---`
//! between two.

use jobs::Error;
use serde::Deserialize;

/// Between two documents.
const BETWEEN: &str = "\n---\n\n";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Said {
    url: String,
    final_url: Option<String>,
    title: Option<String>,
    markdown: Option<String>,
    text: Option<String>,
}

/// The document of a page, with what stands before it.
pub(super) fn document(page: &[u8], is_first: bool) -> Result<Vec<u8>, Error> {
    let said: Said =
        serde_json::from_slice(page).map_err(|error| Error::Corrupt(error.to_string()))?;
    let address = said.final_url.as_deref().unwrap_or(&said.url);
    let title = said.title.as_deref().map(plain).filter(|it| !it.is_empty());
    let title = title.unwrap_or_else(|| plain(address));
    let before = if is_first { "" } else { BETWEEN };
    let mut document = format!("{before}# {title}\n\nSource: <{address}>\n");
    let body = said.markdown.or(said.text).unwrap_or_default();
    let body = body.trim();
    if !body.is_empty() {
        document.push('\n');
        document.push_str(body);
        document.push('\n');
    }
    Ok(document.into_bytes())
}

/// Text as one line of Markdown that shows it.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !plain.is_empty() {
            plain.push(' ');
        }
        for character in word.chars() {
            if r"\`*_[]<>#&".contains(character) {
                plain.push('\\');
            }
            plain.push(character);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn written(page: &serde_json::Value, is_first: bool) -> String {
        let document = document(page.to_string().as_bytes(), is_first).unwrap();
        String::from_utf8(document).unwrap()
    }

    #[test]
    fn a_page_is_a_document_with_its_title_and_address() {
        let page = json!({
            "url": "http://a.example/", "finalUrl": "http://a.example/b",
            "title": "Tea\n *for* two", "markdown": "One.\n\n- two\n", "text": "One. two",
        });
        let first = "# Tea \\*for\\* two\n\nSource: <http://a.example/b>\n\nOne.\n\n- two\n";
        assert_eq!(written(&page, true), first);
        assert_eq!(written(&page, false), format!("\n---\n\n{first}"));
    }

    #[test]
    fn a_page_without_markdown_shows_its_text_and_one_without_a_title_its_address() {
        let page = json!({"url": "http://a.example/", "title": null, "text": "Words."});
        let expected = "# http://a.example/\n\nSource: <http://a.example/>\n\nWords.\n";
        assert_eq!(written(&page, true), expected);
        let page = json!({"url": "http://a.example/a_b", "title": " "});
        let expected = "# http://a.example/a\\_b\n\nSource: <http://a.example/a_b>\n";
        assert_eq!(written(&page, true), expected);
    }
}
