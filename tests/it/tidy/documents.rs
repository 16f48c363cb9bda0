//! The documents against what they describe: every file and command that they name is there.

use std::collections::BTreeSet;
use std::process::Command;

use super::sources::sources;
use super::{file, root};

/// What stands between backticks.
fn names(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// Rows of the Markdown table that begins with this line, by cells.
fn table<'a>(document: &'a str, first: &str) -> Vec<Vec<&'a str>> {
    let mut lines = document.lines();
    lines
        .find(|line| *line == first)
        .unwrap_or_else(|| panic!("no table {first}"));
    let rows = lines.skip(1).take_while(|line| line.starts_with('|'));
    rows.map(|row| row.trim_matches('|').split('|').map(str::trim).collect())
        .collect()
}

#[test]
fn every_decision_is_listed_under_its_number() {
    let listed = file("infra/decisions/README.md");
    let listed: BTreeSet<_> = table(&listed, "| | decision |")
        .into_iter()
        .map(|row| {
            let (number, link) = row[0].split_once("](").unwrap();
            let (number, name) = (number.trim_start_matches('['), link.trim_end_matches(')'));
            let padded = format!("{number:0>4}-");
            assert!(name.starts_with(&padded), "{name} is listed as {number}");
            name.to_owned()
        })
        .collect();
    let folder = std::fs::read_dir(root().join("infra/decisions")).unwrap();
    let files = folder.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let files: BTreeSet<_> = files.filter(|name| name != "README.md").collect();
    assert_eq!(listed, files);
}

#[test]
fn every_file_and_function_that_answers_a_question_is_there() {
    let document = file("ARCHITECTURE.md");
    let mut seen = 0;
    for row in table(&document, "| question | file |") {
        // The first name is a path from the root; the others are from its folder or its crate, or
        // stand in the file before them.
        let mut last = String::new();
        for name in names(row[1]) {
            seen += 1;
            if !name.contains(['.', '/']) {
                assert!(file(&last).contains(name), "{last} has no {name}");
                continue;
            }
            let folder = last.rsplit_once('/').map_or("", |(folder, _)| folder);
            let source = last.find("/src/").map_or("", |at| &last[..at + 4]);
            let places = ["", folder, source].map(|place| {
                let path = format!("{place}/{name}");
                path.trim_start_matches('/').to_owned()
            });
            let found = places.into_iter().find(|path| root().join(path).exists());
            last = found.unwrap_or_else(|| panic!("{}: {name} is not there", row[0]));
        }
    }
    assert!(seen > 10, "only {seen} names were found");
}

#[test]
fn every_crate_of_the_table_of_crates_is_there_and_no_other() {
    let document = file("ARCHITECTURE.md");
    let crates = table(&document, "| crate | owns | never names |").into_iter();
    let crates: BTreeSet<_> = crates
        .map(|row| names(row[0]).next().unwrap().to_owned())
        .collect();
    let mut members = BTreeSet::from(["tests".to_owned()]);
    for folder in ["functions", "shared"] {
        for entry in std::fs::read_dir(root().join(folder)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            members.insert(format!("{folder}/{name}"));
        }
    }
    assert_eq!(crates, members);
}

#[test]
fn what_the_readme_says_of_the_tests_is_what_is_run_before_a_change() {
    let readme = file("README.md");
    let mut lines = readme.lines().skip_while(|line| *line != "```sh tests");
    let printed = lines.nth(1).unwrap();
    assert!(printed.starts_with("cargo test"), "{printed}");
    // The script's own way of reading it, not a copy of that.
    let script = file(".ci/run");
    let (_, script) = script.split_once("test_command() {").unwrap();
    let (body, _) = script.split_once("\n}\n").unwrap();
    let ask = format!("test_command() {{{body}\n}}\ntest_command");
    let mut bash = Command::new("bash");
    let answer = bash.args(["-euc", &ask]).current_dir(root()).output();
    let answer = answer.unwrap();
    assert_eq!(String::from_utf8(answer.stdout).unwrap(), printed);
}

#[test]
fn every_promise_is_proved_by_tests_that_are_there() {
    let sources: String = sources().into_iter().map(|source| source.text).collect();
    let document = file("tests/CONTRACT.md");
    let rows = document.lines().filter(|line| line.starts_with("| "));
    let mut proved = 0;
    for row in rows.filter(|row| *row != "| promise | tests |") {
        let (promise, tests) = row.trim_matches(['|', ' ']).rsplit_once(" | ").unwrap();
        let tests: Vec<_> = names(tests).filter(|name| name.contains('_')).collect();
        let yet = row.contains("*not available yet*");
        assert!(yet || !tests.is_empty(), "{promise} has no test");
        for test in tests {
            let declared = format!("fn {test}(");
            assert!(sources.contains(&declared), "{promise}: there is no {test}");
            proved += 1;
        }
    }
    assert!(proved > 100, "only {proved} proofs were found");
}
