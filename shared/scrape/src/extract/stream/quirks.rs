//! Whether a page is one of those that browsers read as they did before the standard ("quirks
//! mode", section 13.2.6.4.1): there, a table does not end the paragraph it stands in. Refuses to
//! look further than the declaration at the beginning of the page.

use super::super::scan::comment_length;

/// Longest declaration that is looked at; one that is longer names nothing that is known.
const MAX_DECLARATION: usize = 512;

/// Whose document types are older than the standard: how their public identifiers begin.
const OLD: [&str; 21] = [
    "+//silmaril//dtd html pro v0r11 19970101//",
    "-//as//dtd html 3.0 aswedit + extensions//",
    "-//advasoft ltd//dtd html 3.0 aswedit + extensions//",
    "-//ietf//dtd html",
    "-//metrius//dtd metrius presentational//",
    "-//microsoft//dtd internet explorer",
    "-//netscape comm. corp.//dtd ",
    "-//o'reilly and associates//dtd html ",
    "-//softquad software//dtd hotmetal pro",
    "-//softquad//dtd hotmetal pro",
    "-//spyglass//dtd html 2.0 extended//",
    "-//sq//dtd html 2.0 hotmetal + extensions//",
    "-//sun microsystems corp.//dtd hotjava",
    "-//w3c//dtd html 3",
    "-//w3c//dtd html 4.0 frameset//",
    "-//w3c//dtd html 4.0 transitional//",
    "-//w3c//dtd html experimental ",
    "-//w3c//dtd w3 html ",
    "-//w3o//dtd w3 html",
    "-/w3c/dtd html 4.0 transitional/en",
    "-//webtechs//dtd mozilla html",
];

/// Those that are old only without an address of their definition.
const OLD_WITHOUT_ADDRESS: [&str; 2] = [
    "-//w3c//dtd html 4.01 frameset//",
    "-//w3c//dtd html 4.01 transitional//",
];

const OLD_ADDRESS: &str = "http://www.ibm.com/data/dtd/v11/ibmxhtml1-transitional.dtd";

/// Whether a table leaves the paragraph open that it stands in.
pub(super) fn has_quirks(text: &str) -> bool {
    let Some(declaration) = declaration(text) else {
        return true;
    };
    let declaration = declaration.to_ascii_lowercase();
    let (name, rest) = declaration
        .split_once(|c: char| c.is_ascii_whitespace())
        .unwrap_or((&declaration, ""));
    if name != "html" {
        return true;
    }
    let rest = rest.trim_ascii_start();
    let (public, address) = if let Some(rest) = rest.strip_prefix("public") {
        let Some((public, rest)) = quoted(rest) else {
            return true;
        };
        (public, quoted(rest).map(|(address, _)| address))
    } else if let Some(rest) = rest.strip_prefix("system") {
        ("", quoted(rest).map(|(address, _)| address))
    } else {
        // Nothing more, or what a browser cannot read.
        return !rest.is_empty();
    };
    let is_of = |families: &[&str]| families.iter().any(|family| public.starts_with(family));
    address == Some(OLD_ADDRESS)
        || public == "html"
        || is_of(&OLD)
        || (address.is_none() && is_of(&OLD_WITHOUT_ADDRESS))
}

/// What stands in `<!doctype ...>`, where the page begins with it.
fn declaration(text: &str) -> Option<&str> {
    const START: &str = "<!doctype";
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text);
    loop {
        rest = rest.trim_ascii_start();
        if let Some(comment) = rest.strip_prefix("<!--") {
            rest = &comment[comment_length(comment.as_bytes())..];
        } else if rest.starts_with("<?") {
            rest = &rest[rest.find('>')? + 1..];
        } else {
            break;
        }
    }
    let is_one = rest
        .get(..START.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(START));
    let rest = is_one.then(|| &rest[START.len()..])?;
    let end = rest
        .bytes()
        .take(MAX_DECLARATION)
        .position(|byte| byte == b'>')?;
    Some(rest[..end].trim_ascii())
}

/// The quoted text that comes next, and what is behind it.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_ascii_start();
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    text[1..].split_once(quote)
}
