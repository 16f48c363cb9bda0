//! Paths: which rule matches, and which of several decides. The cases are those that Google
//! publishes with its parser and those of RFC 9309, section 2.2, told in our words.

use super::assert_judged;

/// A group for us with these rules.
fn rules(lines: &[&str]) -> String {
    format!("user-agent: FooBot\n{}\n", lines.join("\n"))
}

#[test]
fn the_longest_rule_decides_and_of_two_as_long_the_one_that_allows() {
    for (lines, path, allowed) in [
        (
            ["disallow: /x/page.html", "allow: /x/"],
            "/x/page.html",
            false,
        ),
        (["disallow: /x/page.html", "allow: /x/"], "/x/", true),
        (
            ["allow: /x/page.html", "disallow: /x/"],
            "/x/page.html",
            true,
        ),
        (["allow: /x/page.html", "disallow: /x/"], "/x/", false),
        (["disallow: ", "allow: "], "/x", true),
        (["disallow: /", "allow: /"], "/x/page.html", true),
        (["allow: /", "disallow: /"], "/x/page.html", true),
        (["disallow: /x", "allow: /x/"], "/x", false),
        (["disallow: /x", "allow: /x/"], "/x/", true),
        (
            ["disallow: /x/page.html", "allow: /x/page.html"],
            "/x/page.html",
            true,
        ),
        (["allow: /page", "disallow: /*.html"], "/page.html", false),
        (["allow: /page", "disallow: /*.html"], "/page", true),
        (
            ["allow: /x/page.", "disallow: /*.html"],
            "/x/page.html",
            true,
        ),
        (["allow: /x/page.", "disallow: /*.html"], "/x/y.html", false),
        (["allow: /x/page.", "disallow: /*.html"], "/x/page", true),
        (["disallow: /x/", "allow: /"], "/x/y", false),
        (["allow: /$", "disallow: /"], "/", true),
        (["allow: /$", "disallow: /"], "/x", false),
        (["disallow: /*?", "allow: /x?"], "/x?y", true),
        (["disallow: /abc", "allow: /**"], "/abc", false),
    ] {
        assert_judged(&rules(&lines), &[(path, allowed)]);
    }
    let file = "user-agent: *\ndisallow: /x/page.html\nuser-agent: FooBot\nallow: /x/";
    assert_judged(file, &[("/x/page.html", true), ("/x/", true)]);
}

#[test]
fn paths_are_compared_from_their_start_in_their_case() {
    assert_judged(
        &rules(&["disallow: /", "allow: /fish"]),
        &[
            ("/bar", false),
            ("/fish", true),
            ("/fish.html", true),
            ("/fish/salmon.html", true),
            ("/fishheads", true),
            ("/fishheads/yummy.html", true),
            ("/fish.html?id=anything", true),
            ("/Fish.asp", false),
            ("/catfish", false),
            ("/?id=fish", false),
        ],
    );
    assert_judged(
        &rules(&["disallow: /", "allow: /fish/"]),
        &[
            ("/fish/", true),
            ("/fish/salmon", true),
            ("/fish/?salmon", true),
            ("/fish/salmon.html", true),
            ("/fish/?id=anything", true),
            ("/fish", false),
            ("/fish.html", false),
            ("/Fish/Salmon.html", false),
        ],
    );
    // Without its slash no path begins like this.
    assert_judged(
        &rules(&["disallow: x", "disallow: http://foo.bar/x"]),
        &[("/x", true)],
    );
}

#[test]
fn a_star_is_anything_and_a_dollar_is_the_end() {
    assert_judged(
        &rules(&["disallow: /", "allow: /fish*"]),
        &[
            ("/bar", false),
            ("/fish", true),
            ("/fishheads/yummy.html", true),
            ("/fish.html?id=anything", true),
            ("/Fish.bar", false),
            ("/catfish", false),
            ("/?id=fish", false),
        ],
    );
    assert_judged(
        &rules(&["disallow: /", "allow: /*.php"]),
        &[
            ("/filename.php", true),
            ("/folder/filename.php", true),
            ("/folder/filename.php?parameters", true),
            ("/folder/any.php.file.html", true),
            ("/filename.php/", true),
            ("/index?f=filename.php/", true),
            ("/php/", false),
            ("/index?php", false),
            ("/windows.PHP", false),
        ],
    );
    assert_judged(
        &rules(&["disallow: /", "allow: /*.php$"]),
        &[
            ("/filename.php", true),
            ("/folder/filename.php", true),
            ("/a.php.php", true),
            ("/filename.php?parameters", false),
            ("/filename.php/", false),
            ("/filename.php5", false),
            ("/php/", false),
            ("/filename?php", false),
            ("/aaaphpaaa", false),
            ("//windows.PHP", false),
        ],
    );
    assert_judged(
        &rules(&["disallow: /", "allow: /fish*.php"]),
        &[
            ("/fish.php", true),
            ("/fishheads/catfish.php?parameters", true),
            ("/Fish.PHP", false),
        ],
    );
    assert_judged(
        &rules(&["disallow: /foo/bar/quz", "allow: /foo/*/qux"]),
        &[
            ("/foo/bar/quz", false),
            ("/foo/quz", true),
            ("/foo//quz", true),
            ("/foo/bax/quz", true),
        ],
    );
    assert_judged(
        &rules(&["disallow: /foo/bar$", "allow: /foo/bar/qux"]),
        &[
            ("/foo/bar", false),
            ("/foo/bar/qux", true),
            ("/foo/bar/", true),
            ("/foo/bar/baz", true),
        ],
    );
    assert_judged(
        &rules(&["disallow: /a*b*$", "disallow: /c$d", "disallow: *.gif$"]),
        &[
            ("/ab", false),
            ("/axbx", false),
            ("/a", true),
            ("/c$d", false),
            ("/c", true),
            ("/x.gif", false),
            ("/x.gif?", true),
        ],
    );
    // The end may not overlap with what was matched before it.
    assert_judged(
        &rules(&["disallow: /aba*ba$", "disallow: /xx*xx*xx$"]),
        &[
            ("/aba", true),
            ("/ababa", false),
            ("/xxxxx", true),
            ("/xxxxxx", false),
        ],
    );
}

#[test]
fn a_remark_ends_a_rule() {
    assert_judged(
        &rules(&[
            "Disallow: /foo/quz#qux",
            "# Disallow: /baz",
            "Disallow: /a #b",
        ]),
        &[
            ("/foo/qux", true),
            ("/foo/quz", false),
            ("/baz", true),
            ("/a", false),
        ],
    );
}

#[test]
fn escapes_are_compared_for_what_they_mean() {
    // Each line names the same resource twice, as rule and as address.
    for (rule, path) in [
        ("/foo/bar?baz=quz", "/foo/bar?baz=quz"),
        ("/foo/bar?baz=http://foo.bar", "/foo/bar?baz=http://foo.bar"),
        (
            "/foo/bar?baz=http%3A%2F%2Ffoo.bar",
            "/foo/bar?baz=http%3a%2f%2ffoo.bar",
        ),
        ("/foo/bar/\u{30c4}", "/foo/bar/%E3%83%84"),
        ("/foo/bar/%E3%83%84", "/foo/bar/\u{30c4}"),
        ("/foo/bar/%e3%83%84", "/foo/bar/%E3%83%84"),
        ("/foo/bar/%62%61%7A", "/foo/bar/baz"),
        ("/foo/bar/baz", "/foo/bar/%62%61%7a"),
        ("/%7Ejoe/", "/~joe/index.html"),
        ("/~joe/", "/%7ejoe/index.html"),
        ("/a%3cd.html", "/a%3Cd.html"),
        ("/a%2fb.html", "/a%2Fb.html"),
        ("/a b", "/a%20b"),
        ("/{a}|<b>\"^`", "/%7Ba%7D%7C%3Cb%3E%22%5E%60"),
        ("/a?b='c'", "/a?b=%27c%27"),
        ("/a'b", "/a'b"),
        ("/100%", "/100%"),
        ("/%zz%aa", "/%zz%AA"),
        ("/path/file-with-a-%2A.html", "/path/file-with-a-*.html"),
        ("/path/foo-%24", "/path/foo-$"),
        ("/a/[b]", "/a/[b]"),
    ] {
        assert_judged(
            &rules(&[&format!("disallow: {rule}")]),
            &[(path, false), ("/o", true)],
        );
    }
    for (rule, path) in [
        ("/a%2Fb.html", "/a/b.html"),
        ("/a/b.html", "/a%2Fb.html"),
        ("/a%3Fb", "/a?b"),
        ("/a%2A$", "/ab"),
        ("/a%24", "/a"),
        ("/foo/%E3%83%84", "/foo/%E3%83%85"),
    ] {
        assert_judged(&rules(&[&format!("disallow: {rule}")]), &[(path, true)]);
    }
}

#[test]
fn text_that_is_not_utf_8_is_compared_byte_by_byte() {
    let robots = super::Robots::parse(b"User-agent: *\nDisallow: /caf\xe9", "FooBot");
    let url = |path: &str| super::Url::parse(&format!("http://foo.bar{path}")).unwrap();
    assert!(robots.judge(&url("/caf%E9")).is_err());
    assert!(robots.judge(&url("/caf\u{e9}")).is_ok());
}

#[test]
fn the_file_itself_may_always_be_fetched() {
    let file = rules(&["disallow: /"]);
    assert_judged(
        &file,
        &[
            ("/robots.txt", true),
            ("/robots.txt#v", true),
            ("/robots.txt?v=1", false),
            ("/robots.txt.html", false),
            ("/a/robots.txt", false),
        ],
    );
}

#[test]
fn only_path_and_query_are_compared() {
    let file = rules(&["disallow: /x?y$", "disallow: *secret"]);
    assert_judged(
        &file,
        &[
            ("https://user:pass@secret.example:8443/a#secret", true),
            ("https://other.example/x?y#z", false),
            ("http://foo.bar", true),
            ("http://foo.bar?secret", false),
        ],
    );
}
