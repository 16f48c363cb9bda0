//! Files as the standard, the web and its pranksters write them, and what may be fetched then.

mod delays;
mod differential;
mod groups;
mod hostile;
mod paths;

use url::Url;

use super::{Robots, Rule};

/// What a file says of a path, to `FooBot`.
fn judged(file: &str, path: &str) -> Result<(), Rule> {
    let url = Url::parse("http://foo.bar").unwrap().join(path).unwrap();
    Robots::parse(file.as_bytes(), "FooBot").judge(&url)
}

/// Asserts of each path whether it may be fetched.
fn assert_judged(file: &str, expected: &[(&str, bool)]) {
    for (path, allowed) in expected {
        assert_eq!(judged(file, path).is_ok(), *allowed, "{path} of {file:?}");
    }
}
