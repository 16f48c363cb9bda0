//! Which pages wait for scripts to fill them, and which are merely short.

use super::read;

const SCRIPT: &str = "<script src=/app.js></script>";

#[test]
fn an_empty_mount_point_with_scripts_is_a_shell() {
    for body in [
        "<div id=root></div>",
        "<div id=app><!-- --></div>",
        "<div id=__next>  </div>",
        "<div id=root>Loading...</div><footer>Imprint</footer>",
        "<app-root></app-root>",
        "<noscript>You need to enable JavaScript to run this app.</noscript><div id=root></div>",
    ] {
        assert!(
            read(&format!("<title>App</title>{body}{SCRIPT}")).js_required,
            "{body}"
        );
    }
}

#[test]
fn a_page_that_only_asks_for_javascript_is_a_shell() {
    for body in [
        "<noscript>Please enable JavaScript to continue.</noscript>",
        "<h1>Just a moment...</h1><p>Enable JavaScript and cookies to continue</p>",
    ] {
        assert!(read(&format!("{body}{SCRIPT}")).js_required, "{body}");
    }
}

#[test]
fn a_short_page_is_no_shell() {
    let filled = format!(
        "<div id=root><h1>Hello</h1>{}</div>",
        "<p>Rendered on the server.".repeat(5)
    );
    let beside = format!(
        "<div id=root></div>{}",
        "<p>Words beside an empty widget.".repeat(20)
    );
    for body in [
        "<h1>It works!</h1>",
        "<p>Hello.</p><noscript>Enable JavaScript to comment.</noscript><p>More of it here.</p>",
        "<p>We teach JavaScript to children.</p>",
        "",
        &filled,
        &beside,
    ] {
        assert!(!read(&format!("{body}{SCRIPT}")).js_required, "{body}");
    }
}

#[test]
fn without_scripts_nothing_can_fill_a_page() {
    assert!(!read("<div id=root></div><script type=application/json>{}</script>").js_required);
}
