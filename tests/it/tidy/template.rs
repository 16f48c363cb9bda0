//! `template.yaml` against the code, and against the rules that a deployment can break without
//! anything failing at once.

use std::collections::{BTreeMap, BTreeSet};

use aws::settings::{MAX_RETENTION_HOURS, SetBy, VARIABLES};
use jobs::spec::Priority;
use yaml_serde::Value;

use super::{all_texts, target, text};

/// The longest that a message may be held back before its job begins, in days.
const MAX_DELAY_DAYS: u64 = 30;
/// How long the table's own expiry stands behind the sweep.
const TABLE_EXPIRY_DAYS: u64 = 7;
/// Everything in the bucket, and for how long it lies there where the sweep has forgotten it: what a
/// refresh compares with longer than the 90 days for which it is kept.
const KEPT_DAYS: [(&str, u64); 4] = [
    ("crawls/", 120),
    ("exports/", 7),
    ("results/", 75),
    ("robots/", 2),
];
const LONGEST_QUEUE_RETENTION: u64 = 14 * 24 * 3_600;

pub(super) struct Template(Value);

impl Template {
    pub(super) fn read() -> Self {
        Self(aws::schema::template().unwrap())
    }

    /// Name and properties of the resources of a type.
    pub(super) fn resources(&self, kind: &str) -> BTreeMap<&str, &Value> {
        let resources = self.0["Resources"].as_mapping().unwrap().iter();
        resources
            .filter(|(_, resource)| resource["Type"].as_str() == Some(kind))
            .map(|(name, resource)| (name.as_str().unwrap(), &resource["Properties"]))
            .collect()
    }

    pub(super) fn functions(&self) -> BTreeMap<&str, &Value> {
        self.resources("AWS::Serverless::Function")
    }

    /// Function, queue and properties of every mapping from a queue.
    fn mappings(&self) -> Vec<(&str, &str, &Value)> {
        let mut mappings = Vec::new();
        for (function, properties) in self.functions() {
            for event in properties["Events"].as_mapping().unwrap().values() {
                if event["Type"].as_str() == Some("SQS") {
                    let mapping = &event["Properties"];
                    mappings.push((function, target(&mapping["Queue"]), mapping));
                }
            }
        }
        mappings
    }

    /// Queues that have dead letters, with those.
    fn queues(&self) -> BTreeMap<&str, &str> {
        let mut queues = BTreeMap::new();
        for (name, queue) in self.resources("AWS::SQS::Queue") {
            if let Some(redrive) = queue.get("RedrivePolicy") {
                queues.insert(name, target(&redrive["deadLetterTargetArn"]));
            }
        }
        queues
    }
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value:?}"))
}

#[test]
fn the_functions_are_given_exactly_the_variables_that_the_code_reads() {
    let template = Template::read();
    let given = &template.0["Globals"]["Function"]["Environment"]["Variables"];
    let given = given.as_mapping().unwrap().keys();
    let given: BTreeSet<_> = given.map(text).collect();
    let read = VARIABLES.iter().filter(|it| it.set_by == SetBy::Template);
    let read: BTreeSet<_> = read.map(|it| it.name).collect();
    assert_eq!(given, read);
    for (function, properties) in template.functions() {
        assert!(properties.get("Environment").is_none(), "{function}");
    }
}

#[test]
fn each_queue_stands_in_the_variable_of_its_priority() {
    let template = Template::read();
    let given = &template.0["Globals"]["Function"]["Environment"]["Variables"];
    let worked_at = template.mappings().into_iter();
    let worked_at: BTreeSet<_> = worked_at
        .filter(|(function, ..)| *function == "WorkerFunction")
        .map(|(_, queue, _)| queue)
        .collect();
    let mut named = BTreeSet::new();
    for priority in Priority::ALL {
        let variable = format!("HARVESTMAN_QUEUE_{}", priority.as_str().to_uppercase());
        let queue = target(&given[variable.as_str()]);
        assert_eq!(queue.to_lowercase(), format!("{}queue", priority.as_str()));
        named.insert(queue);
    }
    let deliveries = target(&given["HARVESTMAN_QUEUE_DELIVERIES"]);
    assert_eq!(deliveries, "DeliveriesQueue");
    named.insert(deliveries);
    named.insert("RequestsQueue");
    assert_eq!(worked_at, named);
    let refused = target(&given["HARVESTMAN_QUEUE_REFUSED"]);
    assert_eq!(refused, template.queues()["RequestsQueue"]);
}

#[test]
fn the_gateway_lets_the_routers_routes_through_and_the_rest_to_its_fallback() {
    let template = Template::read();
    let events = template.functions()["ApiFunction"]["Events"].as_mapping();
    let routes: Vec<_> = events
        .unwrap()
        .values()
        .map(|event| {
            let event = &event["Properties"];
            let part = |name: &str| event.get(name).map_or("", text).to_owned();
            (part("Method"), part("Path"))
        })
        .collect();
    let through: BTreeSet<_> = routes.iter().cloned().collect();
    assert_eq!(through.len(), routes.len(), "a route stands there twice");
    let known = api::ROUTES.iter();
    let known = known.map(|(method, path)| ((*method).to_owned(), (*path).to_owned()));
    let expected: BTreeSet<_> = known.chain([(String::new(), String::new())]).collect();
    assert_eq!(through, expected);
}

#[test]
fn a_message_stays_hidden_six_times_as_long_as_its_function_may_take() {
    let template = Template::read();
    let (queues, functions) = (template.resources("AWS::SQS::Queue"), template.functions());
    for (function, queue, _) in template.mappings() {
        let timeout = number(&functions[function]["Timeout"]);
        let hidden = number(&queues[queue]["VisibilityTimeout"]);
        assert!(hidden >= 6 * timeout, "{queue} and {function}");
    }
}

#[test]
fn every_mapping_reports_single_failures_and_is_bounded() {
    for (function, queue, mapping) in Template::read().mappings() {
        let name = format!("{queue} and {function}");
        let reports = all_texts(&mapping["FunctionResponseTypes"]);
        assert_eq!(reports, ["ReportBatchItemFailures"], "{name}");
        let concurrency = number(&mapping["ScalingConfig"]["MaximumConcurrency"]);
        assert!((2..=1_000).contains(&concurrency), "{name}");
        assert!((1..=10).contains(&number(&mapping["BatchSize"])), "{name}");
    }
}

#[test]
fn every_queue_has_dead_letters_that_outlive_it() {
    let template = Template::read();
    let queues = template.resources("AWS::SQS::Queue");
    let lettered = template.queues();
    let letters: BTreeSet<_> = lettered.values().copied().collect();
    assert_eq!(letters.len(), lettered.len(), "each has its own");
    for (name, properties) in &queues {
        let retention = number(&properties["MessageRetentionPeriod"]);
        if letters.contains(name) {
            assert_eq!(retention, LONGEST_QUEUE_RETENTION, "{name}");
        } else {
            assert!(retention < LONGEST_QUEUE_RETENTION, "{name}");
            let receipts = number(&properties["RedrivePolicy"]["maxReceiveCount"]);
            assert!(receipts >= 5, "{name}");
        }
    }
}

#[test]
fn the_scheduler_takes_the_ticks_the_fires_and_the_dead_letters_of_every_job_queue() {
    let template = Template::read();
    let mappings = template.mappings();
    let of = |wanted: &str| -> BTreeSet<&str> {
        let mine = mappings.iter().filter(|(it, ..)| *it == wanted);
        mine.map(|(_, queue, _)| *queue).collect()
    };
    let letters = template.queues();
    let mut worked_at = of("WorkerFunction");
    // What asks for a job and cannot have one waits for a person.
    worked_at.remove("RequestsQueue");
    let expected = worked_at.iter().map(|queue| letters[queue]);
    let own = ["TicksQueue", "FiresQueue", "FiresDeadLetters"];
    let expected: BTreeSet<_> = expected.chain(own).collect();
    assert_eq!(of("SchedulerFunction"), expected);
    let rule = &template.resources("AWS::Events::Rule")["MinuteRule"]["Targets"][0];
    assert_eq!(target(&rule["Arn"]), "TicksQueue");
    let tick = serde_json::from_str::<scheduler::Tick>(text(&rule["Input"]));
    assert_eq!(tick.unwrap(), scheduler::Tick::Sweep);
}

#[test]
fn schedules_send_to_the_queue_of_fires_by_a_role_that_may_do_nothing_else() {
    let template = Template::read();
    let given = &template.0["Globals"]["Function"]["Environment"]["Variables"];
    let queue = target(&given["HARVESTMAN_SCHEDULE_TARGET"]);
    let letters = target(&given["HARVESTMAN_SCHEDULE_DEAD_LETTERS"]);
    assert_eq!(template.queues()[queue], letters);
    let queues = template.resources("AWS::SQS::Queue");
    let name = all_texts(&queues[letters]["QueueName"]);
    assert_eq!(
        name,
        ["${AWS::StackName}-fires-dead-letters"],
        "the log knows it by that"
    );
    let role = target(&given["HARVESTMAN_SCHEDULE_ROLE"]);
    let role = template.resources("AWS::IAM::Role")[role];
    let principals = all_texts(&role["AssumeRolePolicyDocument"]);
    assert!(
        principals.contains(&"scheduler.amazonaws.com"),
        "{principals:?}"
    );
    let policies = role["Policies"].as_sequence().unwrap();
    let [policy] = policies.as_slice() else {
        panic!("{policies:?}");
    };
    let statements = policy["PolicyDocument"]["Statement"].as_sequence().unwrap();
    let [statement] = statements.as_slice() else {
        panic!("{statements:?}");
    };
    assert_eq!(all_texts(&statement["Action"]), ["sqs:SendMessage"]);
    let resources: BTreeSet<_> = all_texts(&statement["Resource"]).into_iter().collect();
    let expected = [queue, letters].map(|name| format!("{name}.Arn"));
    let expected: BTreeSet<_> = expected.iter().map(String::as_str).collect();
    assert_eq!(resources, expected);
    // A day in which nobody looks loses nothing.
    let retention = number(&queues[queue]["MessageRetentionPeriod"]);
    assert!(retention >= 24 * 3_600);
}

#[test]
fn every_queue_has_an_alarm_on_its_age_and_its_dead_letters_and_every_alarm_rings() {
    let template = Template::read();
    let alarms = template.resources("AWS::CloudWatch::Alarm");
    let watches = |queue: &str, metric: &str| {
        alarms.values().any(|alarm| {
            let texts = all_texts(alarm);
            texts.contains(&metric) && texts.contains(&format!("{queue}.QueueName").as_str())
        })
    };
    for (queue, letters) in template.queues() {
        assert!(watches(queue, "ApproximateAgeOfOldestMessage"), "{queue}");
        assert!(
            watches(letters, "ApproximateNumberOfMessagesVisible"),
            "{letters}"
        );
    }
    for (name, alarm) in &alarms {
        assert_eq!(all_texts(&alarm["AlarmActions"]), ["AlarmTopic"], "{name}");
    }
}

#[test]
fn the_worker_is_given_the_time_that_the_code_counts_on() {
    let template = Template::read();
    let timeout = number(&template.functions()["WorkerFunction"]["Timeout"]);
    assert_eq!(timeout, jobs::app::INVOCATION.as_secs());
}

#[test]
fn a_job_may_pass_through_its_queue_as_often_as_its_row_allows() {
    let template = Template::read();
    let worker = template.functions()["WorkerFunction"];
    assert_eq!(text(&worker["RecursiveLoop"]), "Allow");
}

#[test]
fn no_role_is_given_more_than_named_actions_on_named_resources() {
    let template = Template::read();
    let roles = template.resources("AWS::IAM::Role");
    // The one that is not a function's is the schedules'.
    assert_eq!(roles.len(), template.functions().len() + 1);
    for (name, role) in roles {
        assert!(role.get("ManagedPolicyArns").is_none(), "{name}");
        for policy in role["Policies"].as_sequence().unwrap() {
            let statements = policy["PolicyDocument"]["Statement"].as_sequence();
            for statement in statements.unwrap() {
                let actions = all_texts(&statement["Action"]);
                for action in &actions {
                    assert!(!action.contains('*'), "{name} may {action}");
                }
                for resource in all_texts(&statement["Resource"]) {
                    // Objects are named by a prefix, everything else by itself.
                    let objects = KEPT_DAYS
                        .iter()
                        .any(|(prefix, _)| resource == format!("${{ResultsBucket.Arn}}/{prefix}*"));
                    // Schedules are named by their group, and to list them knows no resources.
                    let schedules = resource.ends_with(":schedule/${Schedules}/*")
                        || (resource == "*" && actions == ["scheduler:ListSchedules"]);
                    let named = objects || schedules || !resource.contains('*');
                    assert!(named, "{name}: {resource}");
                }
            }
        }
    }
    for (name, function) in template.functions() {
        assert!(function.get("Policies").is_none(), "{name}");
        assert!(function.get("Role").is_some(), "{name}");
    }
}

#[test]
fn each_function_is_built_from_the_crate_that_it_is_named_after() {
    let template = Template::read();
    for name in template.functions().keys() {
        let function = &template.0["Resources"][*name];
        let metadata = &function["Metadata"];
        assert_eq!(text(&metadata["BuildMethod"]), "rust-cargolambda", "{name}");
        let program = text(&metadata["BuildProperties"]["Binary"]);
        assert_eq!(format!("{program}function"), name.to_lowercase());
        let main = super::root().join(format!("functions/{program}/src/main.rs"));
        assert!(main.exists(), "{}", main.display());
    }
}

#[test]
fn what_is_kept_survives_mistakes_and_goes_when_it_is_due() {
    let template = Template::read();
    for name in ["Table", "ResultsBucket"] {
        let resource = &template.0["Resources"][name];
        for policy in ["DeletionPolicy", "UpdateReplacePolicy"] {
            assert_eq!(text(&resource[policy]), "Retain", "{name}");
        }
    }
    let table = template.resources("AWS::DynamoDB::Table")["Table"];
    assert_eq!(table["DeletionProtectionEnabled"].as_bool(), Some(true));
    let recovery = &table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"];
    assert_eq!(recovery.as_bool(), Some(true));
    assert_eq!(
        text(&table["TimeToLiveSpecification"]["AttributeName"]),
        "ttl"
    );
    let bucket = template.resources("AWS::S3::Bucket")["ResultsBucket"];
    let rules = bucket["LifecycleConfiguration"]["Rules"].as_sequence();
    let mut kept = Vec::new();
    for rule in rules.unwrap() {
        match rule.get("ExpirationInDays") {
            Some(days) => kept.push((text(&rule["Prefix"]), number(days))),
            None => {
                let unfinished = &rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"];
                assert_eq!(number(unfinished), 1, "{rule:?}");
            }
        }
    }
    kept.sort_unstable();
    assert_eq!(kept, KEPT_DAYS);
    let longest_life = MAX_DELAY_DAYS + MAX_RETENTION_HOURS / 24 + TABLE_EXPIRY_DAYS;
    for (prefix, days) in [KEPT_DAYS[0], KEPT_DAYS[2]] {
        assert!(days > longest_life, "{prefix} may go before their job");
    }
}
