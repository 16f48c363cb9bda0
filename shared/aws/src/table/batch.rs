//! Batches: the row of one that takes several transactions, its parts, and the owners that its jobs
//! meet. Refuses to decide which of those block.

use std::collections::HashMap;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_dynamodb::types::{
    AttributeValue, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem,
};
use jobs::batch::Work;
use jobs::idempotency::Kept;
use jobs::new_job::NewJob;
use jobs::ports::{Batches, Begun, Chunk, Chunked, DUE_SHARDS, Guard, Owner, PortError};
use jobs::spec::{CustomerId, Priority};
use jobs::{Batch, BatchId, Job, JobId, NewBatch, Timestamp};

use super::create::{ROW, any_refused, without_reason};
use super::idempotency::{answered, decode_outcome, encode_outcome};
use super::item::Attributes;
use super::keys::{self, DUE_AT, DUE_LIST, Item, PK, STATE, number, text};
use super::write::Outcome;
use super::{Table, row, unavailable};

/// Between two looks at a batch that another request creates.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

#[async_trait]
impl Batches for Table {
    async fn write(&self, chunk: &Chunk<'_>) -> Result<Chunked, PortError> {
        let mut writes = Vec::with_capacity(chunk.rows.len() * 3 + 2);
        for row in &chunk.rows {
            self.put_job(row, &mut writes)?;
        }
        match chunk.guard {
            Guard::Room {
                customer,
                max_unfinished,
                kept,
            } => {
                let jobs = chunk.rows.len() as u64;
                let counts = writes.len();
                writes.push(self.admission(customer, jobs, max_unfinished)?);
                if let Some(kept) = kept {
                    writes.push(self.keeping(kept)?);
                }
                self.write_at_once(writes, counts).await
            }
            Guard::Batch {
                seen,
                next,
                given_back,
            } => {
                // First, as in every transaction with a row: it tells an echo.
                writes.insert(ROW, self.replace_batch(seen, next)?);
                if given_back > 0 {
                    writes.push(self.give_back(&next.customer, given_back)?);
                }
                self.write_part(writes, next).await
            }
        }
    }

    async fn begin(
        &self,
        batch: &Batch,
        jobs: u64,
        max_unfinished: u64,
        kept: Option<&Kept>,
    ) -> Result<Begun, PortError> {
        let mut writes = vec![
            self.put_new(encode(batch))?,
            self.admission(&batch.customer, jobs, max_unfinished)?,
        ];
        if let Some(kept) = kept {
            writes.push(self.keeping(kept)?);
        }
        let reasons = match self.transact(writes).await? {
            Outcome::Written => return Ok(Begun::Written),
            Outcome::Refused(reasons) => reasons,
        };
        match reasons
            .iter()
            .map(|reason| reason.refused)
            .collect::<Vec<_>>()[..]
        {
            // The id is ours alone: a row under it is the echo of this very write.
            [true, ..] => Ok(Begun::Written),
            [_, _, true] => answered(&reasons[2]).map(Begun::Answered),
            [_, true, ..] => Ok(Begun::Full),
            _ => Err(without_reason()),
        }
    }

    async fn batch(&self, id: &BatchId) -> Result<Option<Batch>, PortError> {
        let item = self.get(keys::key(id.as_str(), STATE)).await?;
        item.as_ref().map(decode).transpose()
    }

    async fn ended(&self, id: &BatchId, patience: Duration) -> Result<Option<Batch>, PortError> {
        let mut looks = patience.as_millis() / LOOK_AGAIN.as_millis();
        loop {
            let batch = self.batch(id).await?;
            let open = batch.as_ref().is_some_and(|batch| batch.work.is_some());
            if !open || looks == 0 {
                return Ok(batch);
            }
            looks -= 1;
            self.sleep(LOOK_AGAIN).await;
        }
    }

    async fn owners(&self, fingerprints: &[&str]) -> Result<Vec<Option<Owner>>, PortError> {
        let keys = fingerprints.iter().map(|it| keys::dedup(it)).collect();
        let mut owners = HashMap::new();
        for item in self.get_all(keys, true).await? {
            let read = Attributes(&item);
            let owner = read.word("job_id", JobId::parse)?;
            owners.insert(read.text(PK)?.to_owned(), owner);
        }
        let mut rows = HashMap::new();
        if !owners.is_empty() {
            // One job owns one fingerprint: no key stands here twice.
            let keys = owners.values().map(|id| keys::key(id.as_str(), STATE));
            for item in self.get_all(keys.collect(), true).await? {
                let job = row::decode(&item)?;
                rows.insert(job.id.clone(), job);
            }
        }
        let mut owner = |fingerprint: &&str| {
            let id = owners.remove(&keys::dedup_pk(fingerprint))?;
            let job: Option<Job> = rows.remove(&id);
            Some(Owner { id, job })
        };
        Ok(fingerprints.iter().map(&mut owner).collect())
    }

    async fn keep(&self, kept: &Kept) -> Result<Option<Kept>, PortError> {
        self.keep_answer(kept).await
    }

    async fn kept(&self, name: &str, now: Timestamp) -> Result<Option<Kept>, PortError> {
        self.read_answer(name, now).await
    }
}

impl Table {
    /// Jobs, then counts, then the answer where there is one.
    async fn write_at_once(
        &self,
        writes: Vec<TransactWriteItem>,
        counts: usize,
    ) -> Result<Chunked, PortError> {
        let reasons = match self.transact(writes).await? {
            Outcome::Written => return Ok(Chunked::Written),
            Outcome::Refused(reasons) => reasons,
        };
        let refusal = |index: usize| reasons.get(index).filter(|reason| reason.refused);
        if refusal(ROW).is_some() && counts > ROW {
            return Ok(Chunked::Written);
        }
        if let Some(answer) = refusal(counts + 1) {
            return answered(answer).map(Chunked::Answered);
        }
        if any_refused(&reasons[..counts.min(reasons.len())]) {
            return Ok(Chunked::Owned);
        }
        if refusal(counts).is_some() {
            return Ok(Chunked::Full);
        }
        Err(without_reason())
    }

    /// The batch's next row, then jobs, then the counts where they change.
    async fn write_part(
        &self,
        writes: Vec<TransactWriteItem>,
        next: &Batch,
    ) -> Result<Chunked, PortError> {
        let reasons = match self.transact(writes).await? {
            Outcome::Written => return Ok(Chunked::Written),
            Outcome::Refused(reasons) => reasons,
        };
        let Some(refused) = reasons.first().filter(|reason| reason.refused) else {
            return if any_refused(&reasons) {
                Ok(Chunked::Owned)
            } else {
                Err(without_reason())
            };
        };
        let Some(item) = &refused.item else {
            return Ok(Chunked::Lost(None));
        };
        let found = decode(item)?;
        Ok(if found.nonce == next.nonce {
            Chunked::Written
        } else {
            Chunked::Lost(Some(Box::new(found)))
        })
    }

    fn replace_batch(&self, seen: &Batch, next: &Batch) -> Result<TransactWriteItem, PortError> {
        let put = Put::builder()
            .table_name(&self.name)
            .set_item(Some(encode(next)))
            .condition_expression("revision = :seen")
            .expression_attribute_values(":seen", number(seen.revision))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()
            .map_err(unavailable)?;
        Ok(TransactWriteItem::builder().put(put).build())
    }
}

fn encode(batch: &Batch) -> Item {
    let mut item = keys::key(batch.id.as_str(), STATE);
    let mut put = |name: &str, value| item.insert(name.to_owned(), value);
    // Not the name that lists of a customer are made by: a batch is no job.
    put("customer", text(batch.customer.as_str()));
    put("created_at", number(batch.created_at.as_millis()));
    put("revision", number(batch.revision));
    put("nonce", number(batch.nonce));
    let open = AttributeValue::Null(true);
    let outcomes = batch.outcomes.iter().map(|outcome| match outcome {
        Some(outcome) => encode_outcome(outcome),
        None => open.clone(),
    });
    put("outcomes", AttributeValue::L(outcomes.collect()));
    if let Some(at) = batch.expires_at {
        put("expires_at", number(at.as_millis()));
        put("ttl", number(keys::seconds(at)));
    }
    if let Some(Work { new, lease_until }) = &batch.work {
        let shard = batch.id.shard(DUE_SHARDS);
        put(
            DUE_LIST,
            text(keys::due_list(jobs::job::DueList::Work, shard)),
        );
        put(DUE_AT, number(lease_until.as_millis()));
        let NewBatch {
            first,
            urls,
            stagger,
        } = new;
        // It was serialised for every job already: it cannot fail here.
        let spec = serde_json::to_string(&first.spec).unwrap_or_default();
        put("spec", text(spec));
        put("priority", text(first.priority.as_str()));
        put("deduplicate", AttributeValue::Bool(first.deduplicate));
        let window = first.deduplicate_for.as_millis();
        put("deduplicate_for", number(window));
        put("urls", AttributeValue::L(urls.iter().map(text).collect()));
        put("stagger", number(stagger.as_millis()));
    }
    item
}

fn decode(item: &Item) -> Result<Batch, PortError> {
    let read = Attributes(item);
    let outcomes = list(&read, "outcomes", |value| match value {
        AttributeValue::Null(_) => Some(None),
        decided => decode_outcome(decided).map(Some),
    })?;
    let work = if item.contains_key("urls") {
        Some(Work {
            new: decode_work(&read)?,
            lease_until: read.time(DUE_AT)?,
        })
    } else {
        None
    };
    Ok(Batch {
        id: read.word(PK, BatchId::parse)?,
        customer: read.word("customer", CustomerId::parse)?,
        created_at: read.time("created_at")?,
        outcomes,
        work,
        revision: read.number("revision")?,
        nonce: read.number("nonce")?,
        expires_at: read.optional("expires_at", Attributes::time)?,
    })
}

fn decode_work(read: &Attributes<'_>) -> Result<NewBatch, PortError> {
    let spec = serde_json::from_str(read.text("spec")?).map_err(|_| read.damaged("spec"))?;
    let deduplicate = read.get("deduplicate")?.as_bool();
    let duration = |name| read.number(name).map(Duration::from_millis);
    Ok(NewBatch {
        first: NewJob {
            customer: Some(read.word("customer", CustomerId::parse)?),
            priority: read.word("priority", Priority::named)?,
            spec,
            deduplicate: *deduplicate.map_err(|_| read.damaged("deduplicate"))?,
            deduplicate_for: duration("deduplicate_for")?,
        },
        urls: list(read, "urls", |url| url.as_s().ok().cloned())?,
        stagger: duration("stagger")?,
    })
}

fn list<T>(
    read: &Attributes<'_>,
    name: &str,
    decode: impl Fn(&AttributeValue) -> Option<T>,
) -> Result<Vec<T>, PortError> {
    let list = read.get(name)?.as_l().map_err(|_| read.damaged(name))?;
    let decoded: Option<Vec<T>> = list.iter().map(decode).collect();
    decoded.ok_or_else(|| read.damaged(name))
}
