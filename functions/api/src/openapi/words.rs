//! Words of the document that the domain owns: each list is made from the domain's own, so that a
//! new word is described the moment it exists.

use std::borrow::Cow;

use jobs::app::FileForm;
use jobs::crawl::{SitemapUse, UrlState};
use jobs::schedule::{Outcome, Overlap, ScheduleStatus, Trigger};
use jobs::spec::{JobType, Priority};
use jobs::{Formats, Status};
use serde_json::{Value, json};
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::results_face::{CHANGES, FORMATS};
use crate::v1_list::{NAMES, QUEUES};

macro_rules! word {
    ($($(#[$documentation:meta])* $type:ident $name:literal = $schema:expr;)*) => { $(
        $(#[$documentation])*
        pub(crate) struct $type;

        impl PartialSchema for $type {
            fn schema() -> RefOr<Schema> {
                RefOr::T($schema.into())
            }
        }

        impl ToSchema for $type {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed($name)
            }
        }
    )* };
}

word! {
    StatusWord "Status" = words("Where a job stands.", &Status::ALL.map(Status::as_str));
    UrlStateWord "UrlState" = words("Where an address of a crawl stands.", &UrlState::ALL.map(UrlState::as_str));
    ScheduleStatusWord "ScheduleStatus" = words("Where a schedule stands.", &ScheduleStatus::ALL.map(ScheduleStatus::as_str));
    OverlapWord "Overlap" = words("What becomes of a run that is due while the one before has not ended.", &Overlap::ALL.map(Overlap::as_str));
    OutcomeWord "RunOutcome" = words("What became of a firing.", &Outcome::ALL.map(Outcome::as_str));
    TriggerWord "RunTrigger" = words("Who asked for a run.", &Trigger::ALL.map(Trigger::as_str));
    RecurringWord "RecurringType" = words("What a job that recurs does.", &["recurring-single-page", "recurring-full-crawl", "recurring-refresh"]);
    SitemapWord "Sitemap" = words("Whether addresses come from sitemaps and links, from links, or from sitemaps alone.", &SitemapUse::ALL.map(SitemapUse::as_str));
    PageFormatWord "PageFormat" = words("A form in which a page is kept.", &Formats::NAMES);
    FormatWord "ResultFormat" = words("The form of an answer.", &FORMATS);
    FileWord "FileFormat" = words("The form of a file.", &FileForm::ALL.map(FileForm::as_str));
    ChangeWord "Change" = words("What has become of a page since it was last seen.", &CHANGES);
    SinglePageWord "SinglePage" = words("What the job does.", &["single-page"]);
    TypeWord "JobType" = words("What a job does.", &JobType::ALL.map(JobType::as_str));
    PriorityWord "PriorityName" = words("How soon a job is worked on; `critical` is soonest.", &names());
    /// What a body may say, as `JobPriority` says it.
    PriorityBody "Priority" = priority();
    V1NameWord "JobName" = words("What a job does, in the words of the Queue System API.", &NAMES);
    V1QueueWord "QueueName" = words("A group of jobs of the Queue System API, by what they do.", &QUEUES);
}

fn words(description: &str, words: &[&'static str]) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(words.iter().copied()))
        .description(Some(description))
}

fn names() -> [&'static str; 5] {
    Priority::ALL.map(Priority::as_str)
}

fn priority() -> ObjectBuilder {
    let numbers = Priority::ALL.map(|priority| json!(priority.number()));
    let all: Vec<Value> = names()
        .map(Value::from)
        .into_iter()
        .chain(numbers)
        .collect();
    ObjectBuilder::new()
        .schema_type(SchemaType::AnyValue)
        .enum_values(Some(all))
        .description(Some(
            "low (1), normal (3), high (5), urgent (7) or critical (9), by name or number; bigger is sooner.",
        ))
}
