//! Reading rows, specifications, results and lists.

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::KeysAndAttributes;
use futures::future::try_join_all;
use jobs::hold::Hold;
use jobs::job::DueList;
use jobs::ports::{Claimable, DUE_SHARDS, Listed, PortError, Scope};
use jobs::{Job, JobId, RowId, Spec, Timestamp};

use super::item::Attributes;
use super::keys::{
    self, DUE_AT, DUE_LIST, INDEX_BY_CUSTOMER, INDEX_BY_TIME, INDEX_DUE, Item, LIST_CUSTOMER,
    LIST_SHARD, PK, SK, SPEC, STATE, number, text,
};
use super::{Table, hold, row, unavailable};

/// Most rows in one `BatchGetItem`.
const BATCH: usize = 100;

impl Table {
    pub(super) async fn get(&self, key: Item) -> Result<Option<Item>, PortError> {
        let call = self.client.get_item().table_name(&self.name);
        let answer = call.set_key(Some(key)).consistent_read(true).send().await;
        Ok(answer.map_err(unavailable)?.item)
    }

    pub(super) async fn read_row(&self, id: &JobId) -> Result<Option<Job>, PortError> {
        let item = self.get(keys::key(id.as_str(), STATE)).await?;
        item.as_ref().map(row::decode).transpose()
    }

    pub(super) async fn read_row_and_spec(
        &self,
        id: &JobId,
    ) -> Result<Option<(Job, Spec)>, PortError> {
        let answer = self
            .client
            .query()
            .table_name(&self.name)
            .key_condition_expression("#pk = :pk AND #sk BETWEEN :spec AND :state")
            .expression_attribute_names("#pk", PK)
            .expression_attribute_names("#sk", SK)
            .expression_attribute_values(":pk", text(id.as_str()))
            .expression_attribute_values(":spec", text(SPEC))
            .expression_attribute_values(":state", text(STATE))
            .consistent_read(true)
            .send()
            .await
            .map_err(unavailable)?;
        let items = answer.items();
        both(id, find(items, SPEC), find(items, STATE))
    }

    pub(super) async fn read_claimable(&self, id: &JobId) -> Result<Claimable, PortError> {
        let keys = vec![
            keys::key(id.as_str(), SPEC),
            keys::key(id.as_str(), STATE),
            hold::key(),
        ];
        let items = self.get_all(keys, true).await?;
        let hold = find(&items, hold::QUEUE);
        Ok(Claimable {
            hold: hold.map_or(Ok(Hold::default()), hold::decode)?,
            job: both(id, find(&items, SPEC), find(&items, STATE)),
        })
    }

    pub(super) async fn read_result(
        &self,
        id: &JobId,
        fence: u64,
    ) -> Result<Option<Vec<u8>>, PortError> {
        let item = self
            .get(keys::key(id.as_str(), keys::result(fence)))
            .await?;
        let Some(item) = item else { return Ok(None) };
        let read = Attributes(&item);
        let body = read.get("body")?.as_b().map_err(|_| read.damaged("body"))?;
        Ok(Some(body.as_ref().to_vec()))
    }

    pub(super) async fn read_rows(&self, ids: &[JobId]) -> Result<Vec<Job>, PortError> {
        // An index may name a row twice while it moves, and no key may be asked for twice at once.
        let mut ids = ids.to_vec();
        ids.sort_unstable();
        ids.dedup();
        let mut rows = Vec::with_capacity(ids.len());
        for ids in ids.chunks(BATCH) {
            let keys = ids.iter().map(|id| keys::key(id.as_str(), STATE)).collect();
            for item in self.get_all(keys, false).await? {
                match row::decode(&item) {
                    Ok(job) => rows.push(job),
                    // A list goes on without it; asked for alone, it says what it is.
                    Err(error) => {
                        let error: &dyn std::error::Error = &error;
                        tracing::error!(error, "a row is left out of a list");
                    }
                }
            }
        }
        Ok(rows)
    }

    /// Items by at most 100 keys, in no order; those that are not there are left out.
    pub(super) async fn get_all(
        &self,
        keys: Vec<Item>,
        consistent: bool,
    ) -> Result<Vec<Item>, PortError> {
        const MOST_ROUNDS: usize = 10;
        let mut items = Vec::with_capacity(keys.len());
        let mut left = Some(keys);
        for _ in 0..MOST_ROUNDS {
            let Some(keys) = left.take() else {
                return Ok(items);
            };
            let wanted = KeysAndAttributes::builder().set_keys(Some(keys));
            let wanted = wanted.consistent_read(consistent).build();
            let call = self.client.batch_get_item();
            let call = call.request_items(&self.name, wanted.map_err(unavailable)?);
            let answer = call.send().await.map_err(unavailable)?;
            let found = answer.responses.unwrap_or_default().remove(&self.name);
            items.extend(found.unwrap_or_default());
            let unread = answer
                .unprocessed_keys
                .unwrap_or_default()
                .remove(&self.name);
            left = unread
                .map(|unread| unread.keys)
                .filter(|keys| !keys.is_empty());
        }
        if left.is_some() {
            return Err(unavailable("items stay unread"));
        }
        Ok(items)
    }

    pub(super) async fn read_due(
        &self,
        list: DueList,
        shard: u32,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<RowId>, PortError> {
        let query = self
            .client
            .query()
            .table_name(&self.name)
            .index_name(INDEX_DUE)
            .key_condition_expression("#list = :list AND #at <= :until")
            .expression_attribute_names("#list", DUE_LIST)
            .expression_attribute_names("#at", DUE_AT)
            .expression_attribute_values(":list", text(keys::due_list(list, shard)))
            .expression_attribute_values(":until", number(until.as_millis()));
        ids(query, limit, RowId::parse).await
    }

    pub(super) async fn read_list(
        &self,
        scope: Scope<'_>,
        before: Option<&JobId>,
        limit: usize,
    ) -> Result<Listed, PortError> {
        let before = before.map(JobId::as_str);
        let mut found = match scope {
            Scope::Customer(customer) => {
                let name = customer.as_str();
                let (index, hash) = (INDEX_BY_CUSTOMER, LIST_CUSTOMER);
                self.newest(index, hash, name, before, limit, JobId::parse)
                    .await?
            }
            Scope::Everyone => {
                let shards: Vec<_> = (0..DUE_SHARDS).map(|shard| shard.to_string()).collect();
                let (index, hash) = (INDEX_BY_TIME, LIST_SHARD);
                let lists = shards
                    .iter()
                    .map(|shard| self.newest(index, hash, shard, before, limit, JobId::parse));
                try_join_all(lists).await?.concat()
            }
        };
        found.sort_unstable_by(|one, other| other.cmp(one));
        let more = found.len() >= limit;
        found.truncate(limit);
        let mut jobs = self.read_rows(&found).await?;
        jobs.sort_unstable_by(|one, other| other.id.cmp(&one.id));
        let next = if more { found.pop() } else { None };
        Ok(Listed { jobs, next })
    }

    /// Ids of a list, newest first.
    pub(super) async fn newest<T>(
        &self,
        index: &str,
        hash: &str,
        value: &str,
        before: Option<&str>,
        limit: usize,
        parse: fn(&str) -> Option<T>,
    ) -> Result<Vec<T>, PortError> {
        let query = self
            .client
            .query()
            .table_name(&self.name)
            .index_name(index)
            .scan_index_forward(false)
            .expression_attribute_names("#hash", hash)
            .expression_attribute_values(":hash", text(value));
        let query = match before {
            None => query.key_condition_expression("#hash = :hash"),
            Some(id) => query
                .key_condition_expression("#hash = :hash AND #pk < :before")
                .expression_attribute_names("#pk", PK)
                .expression_attribute_values(":before", text(id)),
        };
        ids(query, limit, parse).await
    }
}

/// The item with this sort key; the keys that were asked for differ in it.
fn find<'a>(items: &'a [Item], sk: &str) -> Option<&'a Item> {
    let is_it =
        |item: &&Item| item.get(SK).and_then(|value| value.as_s().ok()) == Some(&sk.to_owned());
    items.iter().find(is_it)
}

fn both(
    id: &JobId,
    spec: Option<&Item>,
    state: Option<&Item>,
) -> Result<Option<(Job, Spec)>, PortError> {
    let (spec, state) = match (spec, state) {
        (None, None) => return Ok(None),
        (Some(spec), Some(state)) => (spec, state),
        // They are written and removed as one.
        _ => return Err(PortError::Corrupt(format!("job {id} is there by half"))),
    };
    let body = Attributes(spec).text("body")?;
    let spec = serde_json::from_str(body)
        .map_err(|error| PortError::Corrupt(format!("specification of {id}: {error}")))?;
    Ok(Some((row::decode(state)?, spec)))
}

/// Ids of an index query, over as many pages as `limit` takes.
pub(super) async fn ids<T>(
    query: QueryFluentBuilder,
    limit: usize,
    parse: fn(&str) -> Option<T>,
) -> Result<Vec<T>, PortError> {
    let page = i32::try_from(limit).ok().filter(|limit| *limit < 1_000);
    let mut pages = query.set_limit(page).into_paginator().items().send();
    let mut ids = Vec::new();
    while ids.len() < limit {
        let Some(item) = pages.next().await else {
            break;
        };
        let item = item.map_err(unavailable)?;
        ids.push(Attributes(&item).word(PK, parse)?);
    }
    Ok(ids)
}
