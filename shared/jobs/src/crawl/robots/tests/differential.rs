//! Random files, judged by us, by the port of Google's matcher and by a third implementation.
//! Where a verdict differs, one of the differences listed here must be why: with that taken out of
//! the file and the path, the verdicts must be the same.

use std::collections::BTreeMap;

use robotstxt::matcher::{RobotsMatchStrategy, RobotsMatcher};
use texting_robots::Robot;
use url::Url;

use super::super::Robots;

const PATHS_PER_FILE: u32 = 4;

/// A way in which another implementation reads files differently.
struct Difference {
    name: &'static str,
    /// Takes what is read differently out of the file.
    file: fn(&str) -> String,
    /// The same for the path.
    path: fn(&str) -> String,
    /// Whether it takes out only what means nothing to us: then our verdict may not change.
    harmless: bool,
}

/// Escapes of what needs none, undone; others in capitals.
fn canonical(text: &str) -> String {
    text.replace("%61", "a")
        .replace("%7E", "~")
        .replace("%2f", "%2F")
        .replace("%c3%a9", "%C3%A9")
        .replace('é', "%C3%A9")
}

/// The lines of a file that are to be kept.
fn kept(file: &str, keep: impl Fn(&str) -> bool) -> String {
    let lines = file.lines().filter(|line| keep(unmarked(line)));
    lines.flat_map(|line| [line, "\n"]).collect()
}

fn unmarked(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// The path of a rule, where a line is one.
fn path_of(line: &str) -> Option<&str> {
    let (key, path) = line.split_once(": ")?;
    key.ends_with("llow").then_some(path)
}

/// Whether a rule has a literal wildcard in its path.
fn has_literal(line: &str) -> bool {
    path_of(line).is_some_and(|path| {
        let inner = path.strip_suffix('$').unwrap_or(path);
        path.contains("%2A") || inner.contains('$')
    })
}

/// RFC 9309, section 2.2.2: `%61` is `a`. The others compare text.
const ESCAPES: Difference = Difference {
    name: "escapes",
    file: canonical,
    path: canonical,
    harmless: true,
};

/// RFC 9309, section 2.2.3: a rule means a literal `*` or `$` by `%2A` and `%24`. The others find
/// neither in an address that has them plain; and the third takes each `$` for the end.
const LITERALS: Difference = Difference {
    name: "literal wildcards",
    file: |file| kept(file, |line| !has_literal(line)),
    path: |path| path.replace(['*', '$'], "x"),
    harmless: false,
};

const GOOGLE: &[Difference] = &[
    ESCAPES,
    LITERALS,
    // RFC 9309, section 2.2.4: they must not. The port is of a time when Google let them.
    Difference {
        name: "other records end a group",
        file: |file| {
            kept(file, |line| {
                line.starts_with("User-agent") || path_of(line).is_some()
            })
        },
        path: str::to_owned,
        harmless: true,
    },
    // The port looks for the bytes of the mark among characters.
    Difference {
        name: "a byte order mark hides the first line",
        file: |file| unmarked(file).to_owned(),
        path: str::to_owned,
        harmless: true,
    },
    // RFC 9309, section 2.2.2: the file itself is always allowed.
    Difference {
        name: "the file is judged too",
        file: str::to_owned,
        path: |path| path.replace("robots.txt", "robots"),
        harmless: false,
    },
];

const THIRD: &[Difference] = &[
    ESCAPES,
    LITERALS,
    // It takes a delay for a rule, which ends the names of a group.
    Difference {
        name: "a delay ends the names of a group",
        file: |file| kept(file, |line| !line.starts_with("Crawl-delay")),
        path: str::to_owned,
        harmless: true,
    },
    // It compares the whole name, where only the token counts (section 2.2.1).
    Difference {
        name: "a version belongs to the name",
        file: |file| file.replace("/1.0", ""),
        path: str::to_owned,
        harmless: true,
    },
    // It takes an empty rule for `Allow: /`, which outweighs `Disallow: /`. Still a rule, so that
    // it ends the names of its group, but one that no path matches:
    Difference {
        name: "an empty rule allows",
        file: |file| {
            file.replace("llow: \n", "llow: x\n")
                .replace("llow: \r", "llow: x\r")
        },
        path: str::to_owned,
        harmless: true,
    },
    // Without any name it takes the rules for everybody's; to the standard they are nobody's.
    Difference {
        name: "rules before every group",
        file: |file| format!("User-agent: Nobody\n{}", unmarked(file)),
        path: str::to_owned,
        harmless: true,
    },
];

/// Numbers that are the same in each run (xorshift).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }

    fn pick(&mut self, of: &[&'static str]) -> &'static str {
        of[self.below(of.len())]
    }

    fn file(&mut self) -> String {
        const NAMES: &[&str] = &["*", "*", "FooBot", "foobot", "FooBot/1.0", "BarBot", "Foo"];
        const KEYS: &[&str] = &["Allow: ", "Disallow: ", "Disallow: "];
        const OTHERS: &[&str] = &["", "# a", "Sitemap: /s", "Crawl-delay: 2", "Noise: /"];
        let mut file = self
            .pick(&["", "", "", "", "", "", "", "\u{feff}"])
            .to_owned();
        let end = self.pick(&["\n", "\n", "\r\n"]);
        for _ in 0..=self.below(9) {
            match self.below(8) {
                0..2 => file.extend(["User-agent: ", self.pick(NAMES)]),
                2..7 => {
                    file += self.pick(KEYS);
                    file += &self.path(&["*", "*", "$", "%2A"]);
                }
                _ => file += self.pick(OTHERS),
            }
            file += end;
        }
        file
    }

    /// A path, now and then without its slash; `more` are pieces beside the usual ones.
    fn path(&mut self, more: &[&'static str]) -> String {
        const PIECES: &[&str] = &[
            "/", "/", "a", "a", "b", "?", ".gif", "%61", "~", "%7E", "%2F", "%2f", "%c3%a9", "é",
        ];
        let mut path = self
            .pick(&["/", "/", "/", "/", "/robots.txt", ""])
            .to_owned();
        for _ in 0..self.below(5) {
            path += match self.below(4) {
                0 => self.pick(more),
                _ => self.pick(PIECES),
            };
        }
        path
    }
}

fn url(path: &str) -> Url {
    Url::parse(&format!("http://foo.bar/{}", path.trim_start_matches('/'))).unwrap()
}

fn ours(file: &str, path: &str) -> bool {
    Robots::parse(file.as_bytes(), "FooBot")
        .judge(&url(path))
        .is_ok()
}

/// The port's own way of matching forgets places where a wildcard may end, so that `/*b$` does not
/// match `/bab`. Everything else of it is used.
#[derive(Default)]
struct Places;

impl RobotsMatchStrategy for Places {
    fn match_allow(&self, path: &str, pattern: &str) -> i32 {
        let matches = Self::matches(path, pattern);
        if matches { pattern.len() as i32 } else { -1 }
    }

    fn match_disallow(&self, path: &str, pattern: &str) -> i32 {
        self.match_allow(path, pattern)
    }

    /// Keeps every place of the path up to which the pattern may have matched.
    fn matches(path: &str, pattern: &str) -> bool {
        let path = path.as_bytes();
        let (pattern, anchored) = match pattern.strip_suffix('$') {
            Some(pattern) => (pattern, true),
            None => (pattern, false),
        };
        let mut places = vec![false; path.len() + 1];
        places[0] = true;
        for byte in pattern.bytes() {
            if byte == b'*' {
                let first = places.iter().position(|place| *place);
                places[first.unwrap_or(path.len() + 1)..].fill(true);
            } else {
                for at in (0..path.len()).rev() {
                    places[at + 1] = places[at] && path[at] == byte;
                }
                places[0] = false;
            }
            if !places.contains(&true) {
                return false;
            }
        }
        !anchored || places[path.len()]
    }
}

fn googles(file: &str, path: &str) -> bool {
    let mut matcher = RobotsMatcher::<Places>::default();
    matcher.one_agent_allowed_by_robots(file, "FooBot", url(path).as_str())
}

fn thirds(file: &str, path: &str) -> bool {
    Robot::new("FooBot", file.as_bytes())
        .unwrap()
        .allowed(url(path).as_str())
}

/// The difference that explains why verdicts differ. Panics where none does, nor all of them.
fn explained(
    differences: &'static [Difference],
    theirs: fn(&str, &str) -> bool,
    file: &str,
    path: &str,
) -> &'static str {
    let agreed = |file: &str, path: &str| ours(file, path) == theirs(file, path);
    let (mut file_left, mut path_left) = (file.to_owned(), path.to_owned());
    for difference in differences {
        let (less, shorter) = ((difference.file)(file), (difference.path)(path));
        if difference.harmless {
            assert_eq!(
                ours(&less, &shorter),
                ours(file, path),
                "{path} of {file:?}"
            );
        }
        if agreed(&less, &shorter) {
            return difference.name;
        }
        (file_left, path_left) = ((difference.file)(&file_left), (difference.path)(&path_left));
    }
    assert!(
        agreed(&file_left, &path_left),
        "{path} of {file:?}: we say {}, and {} of {path_left} of {file_left:?}",
        ours(file, path),
        ours(&file_left, &path_left),
    );
    "several at once"
}

fn compare(files: u32, differences: &'static [Difference], theirs: fn(&str, &str) -> bool) {
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let (mut found, mut forbidden) = (BTreeMap::new(), 0);
    for _ in 0..files {
        let file = numbers.file();
        for _ in 0..PATHS_PER_FILE {
            let path = numbers.path(&["$", "*", "/", "a"]);
            let allowed = ours(&file, &path);
            forbidden += u32::from(!allowed);
            if allowed != theirs(&file, &path) {
                let name = explained(differences, theirs, &file, &path);
                *found.entry(name).or_insert(0) += 1;
            }
        }
    }
    let asked = files * PATHS_PER_FILE;
    assert!(forbidden > asked / 20, "only {forbidden} were forbidden");
    for difference in differences {
        assert!(
            found.contains_key(difference.name),
            "{} explains nothing: {found:?}",
            difference.name
        );
    }
}

#[test]
fn we_differ_from_googles_matcher_only_where_the_standard_does() {
    compare(12_500, GOOGLE, googles);
}

#[test]
fn we_differ_from_a_third_implementation_only_where_it_differs_from_the_standard() {
    // Fewer: it compiles a regular expression for each end.
    compare(5_000, THIRD, thirds);
}
