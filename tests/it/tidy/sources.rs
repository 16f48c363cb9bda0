//! What every source file keeps to, and the walls between the crates.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::root;

/// What a crate must never name; a name that ends in `_` stands for all that begin with it.
const WALLS: [(&str, &[&str]); 6] = [
    (
        "shared/jobs",
        &["aws_", "axum", "lambda_", "reqwest", "scraper"],
    ),
    ("shared/aws", &["axum", "lambda_", "scrape"]),
    ("shared/scrape", &["aws_", "axum", "lambda_"]),
    ("functions/api", &["aws_sdk_", "reqwest", "scraper"]),
    ("functions/worker", &["axum"]),
    ("functions/scheduler", &["axum", "scrape"]),
];
const MAX_LINES: usize = 400;
/// Files that may be longer, and why.
const LONG: [(&str, &str); 0] = [];
/// Names that say nothing about what is inside.
const EMPTY_NAMES: [&str; 5] = ["utils", "common", "helpers", "manager", "service"];
/// Where the environment may be read.
const ENVIRONMENT: [&str; 3] = ["shared/aws/src/settings.rs", "functions/local/", "tests/"];
const CLOCK: [&str; 3] = ["shared/aws/src/host.rs", "shared/scrape/", "tests/"];

pub(super) struct Source {
    /// From the root, with `/`.
    path: String,
    pub(super) text: String,
}

pub(super) fn sources() -> Vec<Source> {
    let mut files = Vec::new();
    for folder in ["functions", "shared", "tests"] {
        collect(&root().join(folder), &mut files);
    }
    assert!(files.len() > 30, "only {} files were found", files.len());
    let source = |file: PathBuf| Source {
        path: file.strip_prefix(root()).unwrap().display().to_string(),
        text: std::fs::read_to_string(&file).unwrap(),
    };
    files.into_iter().map(source).collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let built = ["target", "node_modules"].map(OsStr::new);
        let built = path.file_name().is_some_and(|name| built.contains(&name));
        if path.is_dir() && !built {
            collect(&path, files);
        } else if path.extension() == Some(OsStr::new("rs")) {
            files.push(path);
        }
    }
}

/// Lines without what follows `//`; good enough for names, which stand in no string here.
fn code(source: &Source) -> impl Iterator<Item = &str> {
    let lines = source.text.lines();
    lines.map(|line| line.split("//").next().unwrap_or_default())
}

fn is_named(forbidden: &str, name: &str) -> bool {
    forbidden == name || (forbidden.ends_with('_') && name.starts_with(forbidden))
}

/// The first segment of every path in a line: `a` of `a::b::c`.
fn path_roots(line: &str) -> impl Iterator<Item = &str> {
    let is_name = |character: char| character.is_alphanumeric() || character == '_';
    line.match_indices("::").filter_map(move |(at, _)| {
        let before = &line[..at];
        let name = before.trim_end_matches(is_name).len();
        let root = &before[name..];
        (!root.is_empty() && !before[..name].ends_with(':')).then_some(root)
    })
}

fn report(wrong: &[String]) {
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_file_begins_with_what_it_is_for() {
    let sources = sources();
    let wrong = sources.iter().filter(|it| !it.text.starts_with("//! "));
    report(&wrong.map(|it| it.path.clone()).collect::<Vec<_>>());
}

#[test]
fn files_are_short_or_say_why_not() {
    let mut wrong = Vec::new();
    for source in sources() {
        let lines = source.text.lines().count();
        let may_be_long = LONG.iter().any(|(path, _)| *path == source.path);
        if (lines > MAX_LINES) != may_be_long {
            wrong.push(format!("{}: {lines} lines", source.path));
        }
    }
    report(&wrong);
}

#[test]
fn modules_are_named_after_what_they_hold() {
    let sources = sources();
    let is_empty = |source: &&Source| {
        let mut segments = source.path.split('/');
        segments.any(|it| EMPTY_NAMES.contains(&it.trim_end_matches(".rs")))
    };
    let wrong = sources.iter().filter(is_empty);
    report(&wrong.map(|it| it.path.clone()).collect::<Vec<_>>());
}

#[test]
fn no_crate_names_what_is_behind_its_wall() {
    let mut wrong = Vec::new();
    for source in sources() {
        for (folder, forbidden) in WALLS {
            if !source.path.starts_with(&format!("{folder}/src/")) {
                continue;
            }
            for name in code(&source).flat_map(path_roots) {
                if forbidden.iter().any(|it| is_named(it, name)) {
                    wrong.push(format!("{} names {name}", source.path));
                }
            }
        }
    }
    report(&wrong);
}

#[test]
fn no_crate_depends_on_what_is_behind_its_wall() {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let metadata = Command::new(cargo)
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .current_dir(root())
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let mut wrong = Vec::new();
    for package in metadata["packages"].as_array().unwrap() {
        let manifest = package["manifest_path"].as_str().unwrap();
        let wall = WALLS.iter().find(|(folder, _)| {
            let folder = root().join(folder);
            Path::new(manifest).parent() == Some(&folder)
        });
        let Some((folder, forbidden)) = wall else {
            continue;
        };
        for dependency in package["dependencies"].as_array().unwrap() {
            let name = dependency["name"].as_str().unwrap().replace('-', "_");
            // A test may stand on both sides of a wall.
            let shipped = dependency["kind"].is_null();
            if shipped && forbidden.iter().any(|it| is_named(it, &name)) {
                wrong.push(format!("{folder} depends on {name}"));
            }
        }
    }
    report(&wrong);
}

#[test]
fn environment_and_clock_are_read_where_they_belong() {
    let mut wrong = Vec::new();
    let rules = [("env::var", ENVIRONMENT), ("SystemTime::now", CLOCK)];
    for source in sources() {
        for (call, places) in rules {
            let here = places.iter().any(|place| source.path.starts_with(place));
            if !here && code(&source).any(|line| line.contains(call)) {
                wrong.push(format!("{} calls {call}", source.path));
            }
        }
    }
    report(&wrong);
}

#[test]
fn tests_neither_rest_nor_rest_on_luck() {
    // Put together, so that this file does not name them.
    let forbidden = [["thread::", "sleep"], ["#[", "ignore"]].map(|parts| parts.concat());
    let mut wrong = Vec::new();
    for source in sources() {
        for word in &forbidden {
            if code(&source).any(|line| line.contains(word.as_str())) {
                wrong.push(format!("{}: {word}", source.path));
            }
        }
    }
    report(&wrong);
}

#[test]
fn the_first_segment_of_a_path_is_found() {
    let roots: Vec<_> = path_roots("let x: a_b::C = d::e::f(&g::H, ::i::j);").collect();
    assert_eq!(roots, ["a_b", "d", "g"]);
    assert!(is_named("aws_", "aws_sdk_sqs") && !is_named("aws_", "aws"));
}
