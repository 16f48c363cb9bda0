//! What each function may do with the timetable and with objects, against what its code does.

use std::collections::BTreeSet;

use super::permissions::{allowed, code};
use super::template::Template;

/// What stands in the code of the timetable, and the action that it needs.
const SCHEDULE_ACTIONS: [(&str, &str); 4] = [
    (".create_schedule()", "scheduler:CreateSchedule"),
    (".delete_schedule()", "scheduler:DeleteSchedule"),
    (".list_schedules()", "scheduler:ListSchedules"),
    (".update_schedule()", "scheduler:UpdateSchedule"),
];

#[test]
fn functions_may_place_schedules_and_only_the_sweep_lists_them() {
    let template = Template::read();
    let source = code("shared/aws/src/timetable.rs");
    let group =
        "arn:${AWS::Partition}:scheduler:${AWS::Region}:${AWS::AccountId}:schedule/${Schedules}/*";
    for (role, lists) in [
        ("ApiRole", false),
        ("WorkerRole", false),
        ("SchedulerRole", true),
    ] {
        let mut needed = BTreeSet::new();
        for (call, action) in SCHEDULE_ACTIONS {
            assert!(source.contains(call), "{call}");
            match action {
                "scheduler:ListSchedules" if !lists => {}
                "scheduler:ListSchedules" => {
                    needed.insert((action.to_owned(), "*".to_owned()));
                }
                _ => {
                    needed.insert((action.to_owned(), group.to_owned()));
                }
            }
        }
        assert_eq!(allowed(&template, role, "scheduler:"), needed, "{role}");
        let passed = ("iam:PassRole".to_owned(), "FiresRole.Arn".to_owned());
        assert_eq!(allowed(&template, role, "iam:"), BTreeSet::from([passed]));
    }
    assert!(allowed(&template, "FiresRole", "scheduler:").is_empty());
}

/// Actions on the objects under a prefix.
type OnObjects = (&'static str, &'static [&'static str]);
/// What each function does with objects.
const OBJECTS: [(&str, &[OnObjects]); 3] = [
    (
        "ApiRole",
        &[
            ("crawls", &["s3:DeleteObject", "s3:GetObject"]),
            ("exports", &FILES),
            ("results", &["s3:DeleteObject", "s3:GetObject"]),
            ("robots", &["s3:GetObject"]),
        ],
    ),
    (
        "WorkerRole",
        &[
            (
                "crawls",
                &["s3:DeleteObject", "s3:GetObject", "s3:PutObject"],
            ),
            ("results", &["s3:GetObject", "s3:PutObject"]),
            ("robots", &["s3:GetObject", "s3:PutObject"]),
        ],
    ),
    (
        "SchedulerRole",
        &[
            ("crawls", &["s3:DeleteObject", "s3:GetObject"]),
            ("exports", &FILES),
            ("results", &["s3:DeleteObject"]),
        ],
    ),
];
/// A file is written, read by whoever has a link, given up and removed.
const FILES: [&str; 4] = [
    "s3:AbortMultipartUpload",
    "s3:DeleteObject",
    "s3:GetObject",
    "s3:PutObject",
];

#[test]
fn each_function_may_touch_the_objects_that_it_works_with_and_no_others() {
    let template = Template::read();
    for (role, prefixes) in OBJECTS {
        let mut expected =
            BTreeSet::from([("s3:ListBucket".to_owned(), "ResultsBucket.Arn".to_owned())]);
        for (prefix, actions) in prefixes {
            let resource = format!("${{ResultsBucket.Arn}}/{prefix}/*");
            expected.extend(
                actions
                    .iter()
                    .map(|it| ((*it).to_owned(), resource.clone())),
            );
        }
        assert_eq!(allowed(&template, role, "s3:"), expected, "{role}");
    }
}
