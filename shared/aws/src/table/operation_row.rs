//! The stored form of an operation, both ways.

use std::time::Duration;

use jobs::crawl::Part;
use jobs::job::DueList;
use jobs::operation::{Export, FileForm, Kind, Progress, Upload};
use jobs::ports::PortError;
use jobs::spec::CustomerId;
use jobs::{JobId, Operation, OperationId};
use serde::{Deserialize, Serialize};

use super::item::Attributes;
use super::keys::{DUE_AT, DUE_LIST, Item, PK, due_list, key, number, text};
use super::row::STATES;

pub(super) const OPERATION: &str = "operation";
/// The item of an operation.
pub(super) fn encode(operation: &Operation) -> Item {
    let mut item = key(operation.id.as_str(), OPERATION);
    let mut put = |name: &str, value| item.insert(name.to_owned(), value);
    put("kind", text(operation.kind.as_str()));
    put("max_age", number(operation.max_age.as_millis()));
    let states = STATES
        .iter()
        .filter(|(it, _)| operation.states.contains(it));
    let states: Vec<_> = states.map(|(_, name)| *name).collect();
    put("states", text(states.join(" ")));
    put("listed", number(operation.listed));
    put("cutoff", number(operation.cutoff.as_millis()));
    put("revision", number(operation.revision));
    put("nonce", number(operation.nonce));
    put(DUE_LIST, text(due_list(DueList::Operation, 0)));
    put(DUE_AT, number(operation.due_at.as_millis()));
    let Progress {
        examined,
        changed,
        taken,
        full,
        unfit,
    } = operation.progress;
    put("examined", number(examined));
    put("changed", number(changed));
    put("taken", number(taken));
    put("full", number(full));
    put("unfit", number(unfit));
    if let Some(customer) = &operation.customer {
        put("customer", text(customer.as_str()));
    }
    if let Some(customer) = &operation.asked_by {
        put("asked_by", text(customer.as_str()));
    }
    if let Some(cursor) = &operation.cursor {
        put("cursor", text(cursor));
    }
    if let Some(export) = &operation.export {
        put("export", text(stored(export)));
    }
    if let Some(at) = operation.lease_until {
        put("lease_until", number(at.as_millis()));
    }
    if let Some(at) = operation.finished_at {
        put("finished_at", number(at.as_millis()));
    }
    item
}

/// The operation of an item.
pub(super) fn decode(item: &Item) -> Result<Operation, PortError> {
    let read = Attributes(item);
    let customer = |name| read.optional(name, |read, name| read.word(name, CustomerId::parse));
    let states = read.word("states", |names| {
        let known = |name| STATES.iter().find(|(_, known)| *known == name);
        let states = names.split_whitespace();
        states.map(|name| known(name).map(|(it, _)| *it)).collect()
    });
    Ok(Operation {
        id: read.word(PK, OperationId::parse)?,
        kind: read.word("kind", Kind::parse)?,
        customer: customer("customer")?,
        asked_by: customer("asked_by")?,
        max_age: Duration::from_millis(read.number("max_age")?),
        states: states?,
        listed: read.number("listed")?,
        export: read.optional("export", |read, name| read.word(name, exported))?,
        cutoff: read.time("cutoff")?,
        cursor: read.optional("cursor", |read, name| read.text(name).map(str::to_owned))?,
        progress: Progress {
            examined: read.number("examined")?,
            changed: read.number("changed")?,
            taken: read.number("taken")?,
            full: read.number("full")?,
            unfit: read.number("unfit")?,
        },
        finished_at: read.optional("finished_at", Attributes::time)?,
        lease_until: read.optional("lease_until", Attributes::time)?,
        due_at: read.time(DUE_AT)?,
        revision: read.number("revision")?,
        nonce: read.number("nonce")?,
    })
}

/// What an export writes, as its row has it.
#[derive(Serialize, Deserialize)]
struct Exported {
    job: String,
    form: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    manifest: Option<Part>,
    #[serde(skip_serializing_if = "Option::is_none")]
    upload: Option<Upload>,
}

fn stored(export: &Export) -> String {
    let exported = Exported {
        job: export.job.to_string(),
        form: export.form.as_str().to_owned(),
        manifest: export.manifest,
        upload: export.upload.clone(),
    };
    // Texts and numbers always serialise.
    serde_json::to_string(&exported).unwrap_or_default()
}

fn exported(json: &str) -> Option<Export> {
    let exported: Exported = serde_json::from_str(json).ok()?;
    Some(Export {
        job: JobId::parse(&exported.job)?,
        form: FileForm::parse(&exported.form)?,
        manifest: exported.manifest,
        upload: exported.upload,
    })
}

#[cfg(test)]
mod tests {
    use jobs::crawl::PackName;
    use jobs::operation::NewOperation;
    use jobs::transition::Stamp;
    use jobs::{State, Timestamp};

    use super::*;

    #[test]
    fn an_operation_reads_back_as_it_was_written() {
        let start = Timestamp::from_millis(1_700_000_000_000);
        let (now, nonce) = (start, 7);
        for kind in Kind::ALL {
            let new = NewOperation {
                states: vec![State::Failed],
                ..NewOperation::of(kind, None)
            };
            let id = OperationId::new(start, 1);
            let customer = CustomerId::parse("ann");
            let mut operation =
                Operation::new(id, Stamp { now, nonce }, start, &new, customer, None);
            assert_eq!(decode(&encode(&operation)).unwrap(), operation);
            operation.asked_by = CustomerId::parse("ann");
            operation.cursor = Some("0 1 job_x state".to_owned());
            operation.progress.full = 3;
            operation.export = Some(Export {
                job: JobId::new(start, 7),
                form: FileForm::Csv,
                manifest: Some(Part {
                    pack: PackName(3, 1),
                    offset: 7,
                    length: 9,
                }),
                upload: Some(Upload {
                    id: "2~x".to_owned(),
                    tags: vec!["\"0a\"".to_owned(), String::new()],
                }),
            });
            operation.lease_until = None;
            operation.finished_at = Some(start);
            assert_eq!(decode(&encode(&operation)).unwrap(), operation);
        }
    }
}
