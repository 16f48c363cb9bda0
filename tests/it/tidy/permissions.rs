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
            "batch.rs",
            "chunks.rs",
            "control.rs",
            "counts.rs",
            "crawl/download.rs",
            "crawl/export.rs",
            "crawl/forget.rs",
            "crawl/refresh.rs",
            "create.rs",
            "deliver.rs",
            "hold.rs",
            "identity.rs",
            "listeners.rs",
            "minutes.rs",
            "mod.rs",
            "operate.rs",
            "pages.rs",
            "read.rs",
            "results.rs",
            "schedule/change.rs",
            "schedule/create.rs",
            "schedule/mod.rs",
            "schedule/place.rs",
            "schedule/read.rs",
            "schedule/tick.rs",
            "steps.rs",
            "sweep.rs",
            "tell.rs",
            "webhooks.rs",
        ],
    ),
    (
        "WorkerRole",
        &[
            "admission.rs",
            "batch.rs",
            "cap.rs",
            "chunks.rs",
            "crawl/earlier.rs",
            "crawl/gates.rs",
            "crawl/refresh.rs",
            "crawl/slice/publish.rs",
            "create.rs",
            "deliver.rs",
            "hold.rs",
            "listeners.rs",
            "mod.rs",
            "requested.rs",
            "results.rs",
            // Of the rest, which the sweep needs, it only replaces a row.
            "schedule/create.rs",
            "schedule/tick.rs",
            "tell.rs",
            "work.rs",
        ],
    ),
    (
        "SchedulerRole",
        &[
            "chunks.rs",
            "control.rs",
            "crawl/export.rs",
            "crawl/forget.rs",
            "crawl/refresh.rs",
            "deliver.rs",
            "deliver/sweep.rs",
            "hold.rs",
            "listeners.rs",
            "minutes.rs",
            "mod.rs",
            "operate.rs",
            "schedule/mod.rs",
            "schedule/place.rs",
            "schedule/tick.rs",
            "steps.rs",
            "sweep.rs",
            "tell.rs",
        ],
    ),
];
/// The ports that the table stands behind, as `App` names them.
const PORTS: [&str; 9] = [
    "ports.baselines.",
    "ports.batches.",
    "ports.deliveries.",
    "ports.hosts.",
    "ports.keys.",
    "ports.webhooks.",
    "schedules.",
    "operations.",
    "store.",
];
/// The files of the table that carry out a call of one of its ports.
const CALLS: [(&str, &[&str]); 71] = [
    ("baselines.baseline", &["baselines.rs", "read.rs"]),
    ("baselines.expired", &["expired.rs", "read.rs"]),
    ("baselines.forget", &["expired.rs"]),
    ("baselines.put_baseline", &["baselines.rs"]),
    ("batches.batch", &["read.rs"]),
    (
        "batches.begin",
        &["batch.rs", "create.rs", "idempotency.rs", "write.rs"],
    ),
    ("batches.ended", &["read.rs"]),
    ("batches.keep", &["idempotency.rs"]),
    ("batches.kept", &["read.rs"]),
    ("batches.owners", &["read.rs"]),
    (
        "batches.write",
        &["batch.rs", "create.rs", "idempotency.rs", "write.rs"],
    ),
    ("deliveries.begin_delivery", &["deliveries.rs"]),
    ("deliveries.delivery", &["read.rs"]),
    ("deliveries.due_deliveries", &["deliveries.rs"]),
    ("deliveries.list_deliveries", &["deliveries.rs"]),
    ("deliveries.replace_delivery", &["deliveries.rs"]),
    ("hosts.host", &["read.rs"]),
    ("hosts.replace_host", &["hosts.rs"]),
    ("keys.add_key", &["callers.rs"]),
    ("keys.find_key", &["read.rs"]),
    ("keys.list_keys", &["callers.rs"]),
    ("keys.revoke_key", &["callers.rs", "read.rs"]),
    ("operations.advance", &["operation.rs"]),
    ("operations.begin", &["operation.rs", "write.rs"]),
    ("operations.due_from", &["operation.rs"]),
    ("operations.hold", &["hold.rs"]),
    ("operations.listed", &["operation.rs"]),
    ("operations.operation", &["operation.rs"]),
    ("operations.remove", &["operation.rs", "write.rs"]),
    ("operations.set_hold", &["hold.rs"]),
    (
        "schedules.add",
        &[
            "create.rs",
            "idempotency.rs",
            "quota.rs",
            "schedules.rs",
            "write.rs",
        ],
    ),
    ("schedules.end_tick", &["ticks.rs"]),
    ("schedules.known", &["read.rs"]),
    ("schedules.list_schedules", &["read.rs"]),
    ("schedules.note", &["ticks.rs"]),
    ("schedules.remove_schedule", &["remove.rs", "write.rs"]),
    (
        "schedules.replace",
        &["quota.rs", "schedules.rs", "write.rs"],
    ),
    ("schedules.schedule", &["read.rs"]),
    ("schedules.schedule_and_asked", &["schedules.rs"]),
    ("schedules.tick", &["read.rs"]),
    ("schedules.ticks", &["ticks.rs"]),
    (
        "schedules.turn",
        &["create.rs", "schedules.rs", "ticks.rs", "write.rs"],
    ),
    ("store.active", &["counts.rs"]),
    ("store.active_count", &["counts.rs"]),
    ("store.claimable", &["read.rs"]),
    ("store.commit", &["write.rs"]),
    ("store.count_duplicates", &["totals.rs"]),
    ("store.counters", &["counts.rs"]),
    ("store.create", &["create.rs", "idempotency.rs"]),
    ("store.due", &["read.rs"]),
    ("store.job", &["read.rs"]),
    ("store.job_and_spec", &["read.rs"]),
    ("store.jobs", &["read.rs"]),
    ("store.keep_snapshot", &["totals.rs"]),
    ("store.list", &["read.rs"]),
    ("store.purge", &["purge.rs", "write.rs"]),
    ("store.put_result", &["write.rs"]),
    ("store.rate", &["rates.rs", "read.rs"]),
    ("store.release", &["revive.rs"]),
    ("store.replace_rate", &["rates.rs"]),
    ("store.result", &["read.rs"]),
    // The check of the owner to be replaced stands beside that of a create.
    ("store.revive", &["create.rs", "revive.rs", "write.rs"]),
    ("store.snapshots", &["totals.rs"]),
    ("store.tally", &["counts.rs"]),
    ("store.totals", &["counts.rs", "read.rs", "totals.rs"]),
    ("store.unfinished", &["counts.rs"]),
    (
        "webhooks.add_webhook",
        &["create.rs", "quota.rs", "webhooks.rs", "write.rs"],
    ),
    ("webhooks.list_webhooks", &["read.rs", "webhooks.rs"]),
    (
        "webhooks.remove_webhook",
        &["quota.rs", "remove.rs", "write.rs"],
    ),
    ("webhooks.replace_webhook", &["webhooks.rs"]),
    ("webhooks.webhook", &["read.rs"]),
];
/// What a call reads besides the table.
const INDEXES: [(&str, &[&str]); 10] = [
    ("baselines.expired", &["due"]),
    ("deliveries.due_deliveries", &["due"]),
    ("operations.due_from", &["due"]),
    ("schedules.list_schedules", &["by_customer", "by_time"]),
    ("store.active", &["active"]),
    ("store.active_count", &["active"]),
    ("store.due", &["due"]),
    ("store.list", &["by_customer", "by_time"]),
    ("store.unfinished", &["due"]),
    ("webhooks.list_webhooks", &["by_customer", "by_time"]),
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
pub(super) fn code(path: &str) -> String {
    let source = file(path);
    let lines = source.lines().map(str::trim_start);
    let lines = lines.filter(|line| !line.starts_with("//"));
    lines.flat_map(str::split_whitespace).collect()
}

/// The calls of the table's ports that a function makes.
fn calls(files: &[&str]) -> BTreeSet<String> {
    let mut calls = BTreeSet::new();
    for name in files {
        let source = code(&format!("shared/jobs/src/app/{name}"));
        let ports = PORTS.iter().flat_map(|port| source.match_indices(port));
        for (at, port) in ports {
            let call = &source[at + port.len()..];
            let end = call.find('(').unwrap();
            let port = port.trim_start_matches("ports.");
            calls.insert(format!("{port}{}", &call[..end]));
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

/// Action and resource of everything of one service that a role allows.
pub(super) fn allowed(
    template: &Template,
    role: &str,
    service: &str,
) -> BTreeSet<(String, String)> {
    let mut allowed = BTreeSet::new();
    let role = template.resources("AWS::IAM::Role")[role];
    for policy in role["Policies"].as_sequence().unwrap() {
        let statements = policy["PolicyDocument"]["Statement"].as_sequence();
        for statement in statements.unwrap() {
            assert_eq!(text(&statement["Effect"]), "Allow");
            for action in all_texts(&statement["Action"]) {
                for resource in all_texts(&statement["Resource"]) {
                    if action.starts_with(service) {
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
        assert_eq!(allowed(&template, role, "dynamodb:"), needed, "{role}");
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
