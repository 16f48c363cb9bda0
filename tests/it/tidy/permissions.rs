//! What each function may do against what its code does: neither less, which would fail on AWS
//! alone, nor more.

use std::collections::BTreeSet;

use super::template::Template;
use super::{all_texts, file, root, text};

/// The files of `App` that each function comes through.
const USES: [(&str, &[&str]); 3] = [
    (
        "ApiRole",
        &[
            "admission.rs",
            "counts.rs",
            "create.rs",
            "minutes.rs",
            "pages.rs",
            "read.rs",
            "results.rs",
        ],
    ),
    ("WorkerRole", &["cap.rs", "mod.rs", "results.rs", "work.rs"]),
    ("SchedulerRole", &["minutes.rs", "mod.rs", "sweep.rs"]),
];
/// The files of the table that carry out a call of the store.
const CALLS: [(&str, &[&str]); 21] = [
    ("active", &["counts.rs"]),
    ("active_count", &["counts.rs"]),
    ("commit", &["write.rs"]),
    ("count_duplicates", &["totals.rs"]),
    ("counters", &["counts.rs"]),
    ("create", &["create.rs"]),
    ("due", &["read.rs"]),
    ("job", &["read.rs"]),
    ("job_and_spec", &["read.rs"]),
    ("jobs", &["read.rs"]),
    ("keep_snapshot", &["totals.rs"]),
    ("list", &["read.rs"]),
    ("purge", &["purge.rs", "write.rs"]),
    ("put_result", &["write.rs"]),
    ("rate", &["rates.rs", "read.rs"]),
    ("replace_rate", &["rates.rs"]),
    ("result", &["read.rs"]),
    ("snapshots", &["totals.rs"]),
    ("tally", &["counts.rs"]),
    ("totals", &["counts.rs", "read.rs", "totals.rs"]),
    ("unfinished", &["counts.rs"]),
];
/// What a call of the store reads besides the table.
const INDEXES: [(&str, &[&str]); 5] = [
    ("active", &["active"]),
    ("active_count", &["active"]),
    ("due", &["due"]),
    ("list", &["by_customer", "by_time"]),
    ("unfinished", &["due"]),
];
/// What stands in the code of the table, and the action that it needs. A transaction needs the
/// action of each of its parts.
const ACTIONS: [(&str, &str); 12] = [
    (".batch_get_item()", "dynamodb:BatchGetItem"),
    (".batch_write_item()", "dynamodb:BatchWriteItem"),
    (".delete_item()", "dynamodb:DeleteItem"),
    (".get_item()", "dynamodb:GetItem"),
    (".put_item()", "dynamodb:PutItem"),
    (".query()", "dynamodb:Query"),
    (".scan()", "dynamodb:Scan"),
    (".update_item()", "dynamodb:UpdateItem"),
    ("ConditionCheck::builder()", "dynamodb:ConditionCheckItem"),
    ("Delete::builder()", "dynamodb:DeleteItem"),
    ("Put::builder()", "dynamodb:PutItem"),
    ("Update::builder()", "dynamodb:UpdateItem"),
];

/// A source without comments and white space: a chain of calls may be broken over lines.
fn code(path: &str) -> String {
    let source = file(path);
    let lines = source.lines().map(str::trim_start);
    let lines = lines.filter(|line| !line.starts_with("//"));
    lines.flat_map(str::split_whitespace).collect()
}

/// The calls of the store that a function makes.
fn calls(files: &[&str]) -> BTreeSet<String> {
    let mut calls = BTreeSet::new();
    for name in files {
        let source = code(&format!("shared/jobs/src/app/{name}"));
        for (at, store) in source.match_indices("store.") {
            let call = &source[at + store.len()..];
            let end = call.find('(').unwrap();
            calls.insert(call[..end].to_owned());
        }
    }
    calls
}

/// The actions that a file of the table needs.
fn actions(name: &str) -> BTreeSet<&'static str> {
    let source = code(&format!("shared/aws/src/table/{name}"));
    let needed = ACTIONS.iter().filter(|(code, _)| source.contains(code));
    needed.map(|(_, action)| *action).collect()
}

/// Action and resource of everything on the table that a role allows.
fn allowed(template: &Template, role: &str) -> BTreeSet<(String, String)> {
    let mut allowed = BTreeSet::new();
    let role = template.resources("AWS::IAM::Role")[role];
    for policy in role["Policies"].as_sequence().unwrap() {
        let statements = policy["PolicyDocument"]["Statement"].as_sequence();
        for statement in statements.unwrap() {
            assert_eq!(text(&statement["Effect"]), "Allow");
            for action in all_texts(&statement["Action"]) {
                for resource in all_texts(&statement["Resource"]) {
                    if action.starts_with("dynamodb:") {
                        allowed.insert((action.to_owned(), resource.to_owned()));
                    }
                }
            }
        }
    }
    allowed
}

#[test]
fn each_function_may_call_the_table_as_its_code_does_and_no_further() {
    let template = Template::read();
    for (role, files) in USES {
        let mut needed = BTreeSet::new();
        for call in calls(files) {
            let carried_out = CALLS.iter().find(|(name, _)| *name == call);
            let (_, sources) = carried_out.unwrap_or_else(|| panic!("{call} is not known"));
            for source in *sources {
                for action in actions(source) {
                    needed.insert((action.to_owned(), "Table.Arn".to_owned()));
                }
            }
            let indexes = INDEXES.iter().filter(|(name, _)| *name == call);
            for index in indexes.flat_map(|(_, indexes)| *indexes) {
                let resource = format!("${{Table.Arn}}/index/{index}");
                needed.insert(("dynamodb:Query".to_owned(), resource));
            }
        }
        assert_eq!(allowed(&template, role), needed, "{role}");
    }
}

#[test]
fn every_call_to_the_table_stands_where_permissions_are_derived_from() {
    let sources: BTreeSet<_> = CALLS.iter().flat_map(|(_, sources)| *sources).collect();
    for entry in std::fs::read_dir(root().join("shared/aws/src/table")).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if entry.path().is_file() && !sources.contains(&name.as_str()) {
            let found = actions(&name);
            assert!(found.is_empty(), "{name} calls {found:?}");
        }
    }
}
