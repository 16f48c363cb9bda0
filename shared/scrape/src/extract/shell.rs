//! Whether a page is an empty shell that scripts would fill. Refuses to guess: little text and
//! scripts are not enough, the page must have an empty mount point or ask for JavaScript.

/// Text around an empty mount point: a cookie line or a footer.
pub(super) const MAX_AROUND: usize = 200;
/// Text inside a mount point that still counts as empty: "Loading...".
const MAX_INSIDE: usize = 30;
/// Text beside a notice in <noscript>: some pages answer without scripts, and only say that with
/// them they would do more.
const MAX_BESIDE: usize = 10;
/// Text of a page that says it needs JavaScript and shows nothing else.
const MAX_NOTICE: usize = 160;

/// What a page shows of being one.
#[derive(Default)]
pub(super) struct Signs {
    /// Scripts that run: not data blocks.
    pub(super) scripts: usize,
    /// The shortest text found in an element that frameworks mount applications on.
    pub(super) mount: Option<usize>,
    /// Length of the text that is shown, white space not counted. Beyond [`MAX_AROUND`] it does
    /// not matter how much more.
    pub(super) shown: usize,
    /// The beginning of the text that is shown.
    pub(super) first_words: String,
    /// What `<noscript>` says.
    pub(super) notice: String,
}

impl Signs {
    /// A mount point has ended before which this much text was shown.
    pub(super) fn mount(&mut self, before: usize) {
        let inside = self.shown - before;
        self.mount = Some(self.mount.map_or(inside, |least| least.min(inside)));
    }
}

/// Whether frameworks mount applications on such an element.
pub(super) fn is_mount(name: &str, id: Option<&str>) -> bool {
    if name == "app-root" {
        return true;
    }
    matches!(
        id,
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

pub(super) fn needs_scripts(signs: &Signs) -> bool {
    if signs.scripts == 0 {
        return false;
    }
    let empty_mount = signs.mount.is_some_and(|inside| inside <= MAX_INSIDE);
    if empty_mount && signs.shown <= MAX_AROUND {
        return true;
    }
    // A notice on the page itself ("Enable JavaScript and cookies to continue") is all that is
    // shown; one in <noscript> stands beside nothing.
    (signs.shown <= MAX_NOTICE && asks_for_scripts(&signs.first_words))
        || (signs.shown <= MAX_BESIDE && asks_for_scripts(&signs.notice))
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
