//! Whether a page is an empty shell that scripts would fill. Refuses to guess: little text and
//! scripts are not enough, the page must have an empty mount point or ask for JavaScript.

use scraper::node::Element;

use super::survey::Survey;

/// Text around an empty mount point: a cookie line or a footer.
const MAX_AROUND: usize = 200;
/// Text inside a mount point that still counts as empty: "Loading...".
const MAX_INSIDE: usize = 30;
/// Text beside a notice in <noscript>: some pages answer without scripts, and only say that with
/// them they would do more.
const MAX_BESIDE: usize = 10;
/// Text of a page that says it needs JavaScript and shows nothing else.
const MAX_NOTICE: usize = 160;

/// Whether frameworks mount applications on such an element.
pub(super) fn is_mount(element: &Element) -> bool {
    if element.name() == "app-root" {
        return true;
    }
    matches!(
        element.attr("id"),
        Some(
            "root"
                | "app"
                | "__next"
                | "__nuxt"
                | "___gatsby"
                | "app-root"
                | "react-root"
                | "react-app"
                | "q-app"
                | "svelte"
                | "main-app"
                | "ember-app"
        )
    )
}

pub(super) fn needs_scripts(survey: &Survey<'_>) -> bool {
    if survey.scripts == 0 {
        return false;
    }
    let empty_mount = survey.mount.is_some_and(|inside| inside <= MAX_INSIDE);
    if empty_mount && survey.shown <= MAX_AROUND {
        return true;
    }
    // A notice on the page itself ("Enable JavaScript and cookies to continue") is all that is
    // shown; one in <noscript> stands beside nothing.
    (survey.shown <= MAX_NOTICE && asks_for_scripts(&survey.first_words))
        || (survey.shown <= MAX_BESIDE && asks_for_scripts(&survey.noscript))
}

fn asks_for_scripts(text: &str) -> bool {
    let text = text.to_lowercase();
    text.contains("javascript")
        && [
            "enable", "need", "require", "turn on", "activate", "disabled", "without",
        ]
        .iter()
        .any(|word| text.contains(word))
}
