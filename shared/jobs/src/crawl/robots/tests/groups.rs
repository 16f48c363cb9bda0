//! Lines and groups: who is meant. The cases are those that Google publishes with its parser, and
//! those of RFC 9309, section 5, told in our words.

use url::Url;

use super::super::{Robots, product_token};
use super::{assert_judged, judged};

/// Whether a file lets `agent` fetch `path`.
fn allows(file: &str, agent: &str, path: &str) -> bool {
    let url = Url::parse("http://foo.bar").unwrap().join(path).unwrap();
    Robots::parse(file.as_bytes(), agent).judge(&url).is_ok()
}

#[test]
fn a_file_without_rules_forbids_nothing() {
    for file in [
        "",
        "\n",
        "#",
        "# User-agent: *\n# Disallow: /",
        "User-agent: *",
        "User-agent: FooBot\n",
        "User-agent: *\nDisallow:",
        "User-agent: FooBot\nDisallow: \nDisallow:#/",
        "Disallow: /",
        "foo: FooBot\nbar: /",
        "<html><body>404</body></html>",
        "{\"error\": \"not found\"}",
    ] {
        assert_judged(file, &[("/", true), ("/x/y", true)]);
    }
    assert!(
        Robots::allow_all()
            .judge(&Url::parse("http://a.example/x").unwrap())
            .is_ok()
    );
}

#[test]
fn keys_are_read_in_any_case_and_with_the_misspellings_that_are_common() {
    for file in [
        "User-agent: FooBot\nDisallow: /x",
        "USER-AGENT: FooBot\nDISALLOW: /x",
        "user-agent: FooBot\ndisallow: /x",
        "user-agent:FooBot\ndisallow:/x",
        "  user-agent  :  FooBot  \n\tdisallow\t:\t/x\t",
        "useragent: FooBot\ndissallow: /x",
        "user agent: FooBot\ndissalow: /x",
        "user-agent FooBot\ndisallow /x",
        "user-agent\tFooBot\ndisalow\t/x",
        "  user-agent FooBot\n  diasllow /x",
        "user-agent: FooBot # us\ndisallaw: /x # this",
        "User-agent: FooBot\rDisallow: /x\r",
        "User-agent: FooBot\r\nDisallow: /x\r\n",
        "User-agent: FooBot\r\n\r\n\r\nDisallow: /x",
        "\u{feff}User-agent: FooBot\nDisallow: /x",
    ] {
        assert_judged(file, &[("/x/y", false), ("/y", true)]);
    }
}

#[test]
fn the_mark_of_utf_8_is_passed_over_at_the_start_and_nowhere_else() {
    let rules = b"User-agent: FooBot\nDisallow: /";
    let url = Url::parse("http://foo.bar/x").unwrap();
    let judged = |file: &[u8]| Robots::parse(file, "FooBot").judge(&url).is_ok();
    for mark in [&b""[..], b"\xef", b"\xef\xbb", b"\xef\xbb\xbf"] {
        assert!(!judged(&[mark, rules].concat()), "{mark:?}");
    }
    assert!(judged(&[&b"\xef\x11\xbf"[..], rules].concat()));
    assert!(judged(&[&b"x: y\n\xef\xbb\xbf"[..], rules].concat()));
}

#[test]
fn names_in_a_row_share_a_group_until_a_rule_comes() {
    let file = "allow: /foo/bar/\n\n\
         user-agent: FooBot\ndisallow: /\nallow: /x/\n\
         user-agent: BarBot\ndisallow: /\nallow: /y/\n\n\n\
         allow: /w/\nuser-agent: BazBot\n\n\
         user-agent: FooBot\nallow: /z/\ndisallow: /\n";
    for (agent, path, allowed) in [
        ("FooBot", "/x/b", true),
        ("FooBot", "/z/d", true),
        ("FooBot", "/y/c", false),
        ("FooBot", "/w/a", false),
        ("FooBot", "/foo/bar/", false),
        ("BarBot", "/y/c", true),
        ("BarBot", "/w/a", true),
        ("BarBot", "/z/d", false),
        ("BarBot", "/x/b", false),
        ("BazBot", "/z/d", true),
        ("BazBot", "/y/c", false),
        ("BazBot", "/x/b", false),
        ("BazBot", "/foo/bar/", false),
        ("QuxBot", "/w/a", true),
    ] {
        assert_eq!(allows(file, agent, path), allowed, "{agent} {path}");
    }
}

#[test]
fn other_records_do_not_end_a_group() {
    for record in [
        "Sitemap: https://foo.bar/sitemap",
        "Invalid-Unknown-Line: unknown",
        "Crawl-delay: 5",
        "Host: foo.bar",
        "",
        "# a remark",
    ] {
        let file = format!("User-agent: BarBot\n{record}\nUser-agent: *\nDisallow: /\n");
        assert!(!allows(&file, "FooBot", "/"), "{record}");
        assert!(!allows(&file, "BarBot", "/"), "{record}");
        let file = format!("User-agent: FooBot\nDisallow: /a\n{record}\nDisallow: /b\n");
        assert_judged(&file, &[("/a", false), ("/b", false)]);
    }
}

#[test]
fn a_name_counts_in_any_case_and_up_to_its_token() {
    for name in [
        "FOOBOT",
        "FooBot",
        "foobot",
        "FooBot/1.2",
        "Foobot Bar",
        "foobot*",
        "FooBot,",
    ] {
        let file = format!("User-agent: {name}\nDisallow: /x");
        assert_judged(&file, &[("/x", false), ("/y", true)]);
    }
    for name in [
        "Foo", "FooBo", "FooBots", "Foo Bot", "1FooBot", "/FooBot", "a FooBot", "",
    ] {
        let file = format!("User-agent: {name}\nDisallow: /x");
        assert_judged(&file, &[("/x", true)]);
    }
    assert!(!allows(
        "User-agent: FooBot\nDisallow: /",
        "FOObot/2.1",
        "/"
    ));
}

#[test]
fn the_rules_for_everybody_count_where_there_are_none_for_us() {
    let file = "user-agent: *\nallow: /\nuser-agent: FooBot\ndisallow: /\n";
    assert!(!allows(file, "FooBot", "/"));
    assert!(allows(file, "BarBot", "/"));
    let file = "user-agent: FooBot\nallow: /\nuser-agent: BarBot\ndisallow: /\nuser-agent: BazBot\ndisallow: /";
    assert!(allows(file, "QuxBot", "/"));
    // An empty group is one too.
    let file = "user-agent: *\ndisallow: /\nuser-agent: FooBot\ndisallow:\n";
    assert!(allows(file, "FooBot", "/"));
    assert!(!allows(file, "BarBot", "/"));
    assert!(allows(
        "user-agent: *\ndisallow: /\nuser-agent: FooBot",
        "FooBot",
        "/"
    ));
    for name in ["*", "* ", "* baz", "*\tbaz"] {
        let file = format!("User-agent: {name}\nDisallow: /");
        assert!(!allows(&file, "FooBot", "/"), "{name}");
    }
    assert!(allows("User-agent: *baz\nDisallow: /", "FooBot", "/"));
}

#[test]
fn groups_for_the_same_name_count_as_one() {
    let file = "User-agent: FooBot\nDisallow: /a\n\nUser-agent: *\nDisallow: /b\n\n\
                User-agent: foobot\nDisallow: /c\n\nUser-agent: *\nDisallow: /d";
    assert_judged(
        file,
        &[("/a", false), ("/b", true), ("/c", false), ("/d", true)],
    );
    for (path, allowed) in [("/a", true), ("/b", false), ("/c", true), ("/d", false)] {
        assert_eq!(allows(file, "BarBot", path), allowed, "{path}");
    }
    let both = "User-agent: *\nUser-agent: FooBot\nDisallow: /x";
    assert!(!allows(both, "FooBot", "/x") && !allows(both, "BarBot", "/x"));
}

#[test]
fn the_standards_own_example_is_judged_as_it_says() {
    let file = "User-Agent: *\nDisallow: *.gif$\nDisallow: /example/\nAllow: /publications/\n\n\
                User-Agent: foobot\nDisallow:/\nAllow:/example/page.html\n\
                Allow:/example/allowed.gif\n\n\
                User-Agent: barbot\nUser-Agent: bazbot\nDisallow: /example/page.html\n\n\
                User-Agent: quxbot\n";
    for (agent, path, allowed) in [
        ("other", "/a.gif", false),
        ("other", "/a.gif?b", true),
        ("other", "/example/x", false),
        ("other", "/publications/x", true),
        ("foobot", "/publications/x", false),
        ("foobot", "/example/page.html", true),
        ("foobot", "/example/allowed.gif", true),
        ("barbot", "/example/page.html", false),
        ("bazbot", "/example/page.html", false),
        ("bazbot", "/a.gif", true),
        ("quxbot", "/example/page.html", true),
    ] {
        assert_eq!(allows(file, agent, path), allowed, "{agent} {path}");
    }
}

#[test]
fn a_refusal_names_the_line_and_the_rule() {
    for line_end in ["\n", "\r", "\r\n"] {
        let file = [
            "",
            "User-agent: FooBot",
            "# why",
            "",
            "Disallow: /private # that",
            "",
        ];
        let rule = judged(&file.join(line_end), "/private/x").unwrap_err();
        assert_eq!(
            rule.to_string(),
            "line 5: Disallow: /private",
            "{line_end:?}"
        );
    }
    let file = "user-agent: *\ndisallow: /caf\u{e9}/*.pdf$";
    let rule = judged(file, "/caf%c3%a9/a.pdf").unwrap_err();
    assert_eq!(
        (rule.line, rule.text.as_str()),
        (2, "Disallow: /caf%C3%A9/*.pdf$")
    );
}

#[test]
fn a_job_that_names_itself_is_judged_under_that_name() {
    for (user_agent, expected) in [
        (None, "harvestman"),
        (Some("FooBot/2.1 (+https://foo.bar)"), "FooBot"),
        (Some("Mozilla/5.0 (compatible; FooBot/1.0)"), "Mozilla"),
        (Some("Foo-Bar_Bot"), "Foo-Bar_Bot"),
        (Some(" FooBot"), "FooBot"),
        (Some("Foo1Bot"), "Foo"),
        (Some("1FooBot"), ""),
        (Some(""), ""),
        (Some("\u{fc}ber"), ""),
    ] {
        assert_eq!(product_token(user_agent), expected, "{user_agent:?}");
    }
    let file = "User-agent: 1\nDisallow: /a\n\nUser-agent: *\nDisallow: /b";
    assert!(allows(file, "", "/a") && !allows(file, "", "/b"));
    let file = "User-agent: Harvestman/0.0\nDisallow: /x";
    assert!(!allows(file, product_token(None), "/x"));
}
