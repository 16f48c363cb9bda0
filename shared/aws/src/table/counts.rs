//! Counting from indexes and from the customers' items, without reading a row. Refuses to decide
//! what an entry means: an index may be behind the rows.

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::Select;
use futures::future::try_join_all;
use jobs::JobId;
use jobs::job::DueList;
use jobs::ports::{ActiveEntry, DUE_SHARDS, DueEntry, PortError, Scope};
use jobs::spec::CustomerId;
use jobs::tally::Tally;

use super::item::Attributes;
use super::keys::{
    self, ACTIVE_KEY, ACTIVE_SHARD, CUSTOMER_SHARDS, DUE_LIST, INDEX_ACTIVE, INDEX_DUE, Item,
    LIST_CUSTOMER, PK, text,
};
use super::{Table, row, unavailable};

impl Table {
    /// Everything in the work lists that is a job.
    pub(super) async fn read_unfinished(&self) -> Result<Vec<DueEntry>, PortError> {
        let shards = (0..DUE_SHARDS).map(|shard| async move {
            let query = self
                .index(INDEX_DUE)
                .key_condition_expression("#list = :list")
                .expression_attribute_names("#list", DUE_LIST)
                .expression_attribute_values(":list", text(keys::due_list(DueList::Work, shard)));
            entries(query, due_entry).await
        });
        Ok(try_join_all(shards).await?.concat())
    }

    /// Everything that is being worked on, of one customer or of all.
    pub(super) async fn read_active(
        &self,
        scope: Scope<'_>,
    ) -> Result<Vec<ActiveEntry>, PortError> {
        if let Scope::Customer(customer) = scope {
            return entries(self.active_of(customer), active_entry).await;
        }
        let shards = (0..CUSTOMER_SHARDS).map(|shard| async move {
            let query = self
                .index(INDEX_ACTIVE)
                .key_condition_expression("#shard = :shard")
                .expression_attribute_names("#shard", ACTIVE_SHARD)
                .expression_attribute_values(":shard", text(keys::active_shard(shard)));
            entries(query, active_entry).await
        });
        Ok(try_join_all(shards).await?.concat())
    }

    pub(super) async fn count_active(&self, customer: &CustomerId) -> Result<u64, PortError> {
        let query = self.active_of(customer).select(Select::Count);
        let mut pages = query.into_paginator().send();
        let mut count = 0;
        while let Some(page) = pages.next().await {
            count += u64::try_from(page.map_err(unavailable)?.count()).unwrap_or(0);
        }
        Ok(count)
    }

    fn active_of(&self, customer: &CustomerId) -> QueryFluentBuilder {
        let (shard, prefix) = keys::active_of(customer);
        self.index(INDEX_ACTIVE)
            .key_condition_expression("#shard = :shard AND begins_with(#key, :prefix)")
            .expression_attribute_names("#shard", ACTIVE_SHARD)
            .expression_attribute_names("#key", ACTIVE_KEY)
            .expression_attribute_values(":shard", text(shard))
            .expression_attribute_values(":prefix", text(prefix))
    }

    fn index(&self, name: &str) -> QueryFluentBuilder {
        let query = self.client.query().table_name(&self.name);
        query.index_name(name)
    }

    pub(super) async fn read_tally(&self, scope: Scope<'_>) -> Result<Tally, PortError> {
        if let Scope::Customer(customer) = scope {
            let item = self.get(keys::customer(customer)).await?;
            return item.as_ref().map_or(Ok(Tally::default()), tally);
        }
        let shards = (0..CUSTOMER_SHARDS).map(|shard| self.tally_of_shard(shard));
        let mut sum = Tally::default();
        for tally in try_join_all(shards).await? {
            sum += tally;
        }
        Ok(sum)
    }

    /// Asks for the items of all customers in a shard.
    pub(super) fn customers(&self, shard: u8) -> QueryFluentBuilder {
        let query = self.client.query().table_name(&self.name);
        query
            .key_condition_expression("#pk = :pk")
            .expression_attribute_names("#pk", PK)
            .expression_attribute_values(":pk", text(keys::customer_shard(shard)))
    }

    async fn tally_of_shard(&self, shard: u8) -> Result<Tally, PortError> {
        let mut pages = self.customers(shard).into_paginator().items().send();
        let mut sum = Tally::default();
        while let Some(item) = pages.next().await {
            sum += tally(&item.map_err(unavailable)?)?;
        }
        Ok(sum)
    }
}

/// The entries of a query, over all its pages. What does not read is left out: one damaged row
/// must not take the counts of all others away.
async fn entries<T>(
    query: QueryFluentBuilder,
    read: impl Fn(&Item) -> Result<Option<T>, PortError>,
) -> Result<Vec<T>, PortError> {
    let mut pages = query.into_paginator().items().send();
    let mut entries = Vec::new();
    while let Some(item) = pages.next().await {
        match read(&item.map_err(unavailable)?) {
            Ok(entry) => entries.extend(entry),
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                tracing::error!(error, "an entry of an index is not counted");
            }
        }
    }
    Ok(entries)
}

/// The job of an entry, unless it is something else that is due.
fn job_id(item: &Item) -> Option<JobId> {
    JobId::parse(item.get(PK)?.as_s().ok()?)
}

fn due_entry(item: &Item) -> Result<Option<DueEntry>, PortError> {
    let Some(id) = job_id(item) else {
        return Ok(None);
    };
    let read = Attributes(item);
    Ok(Some(DueEntry {
        id,
        customer: read.word(LIST_CUSTOMER, CustomerId::parse)?,
        priority: read.word("priority", row::priority)?,
        eligible_at: read.time("eligible_at")?,
    }))
}

fn active_entry(item: &Item) -> Result<Option<ActiveEntry>, PortError> {
    let Some(id) = job_id(item) else {
        return Ok(None);
    };
    let customer = Attributes(item).word(ACTIVE_KEY, keys::customer_of_active)?;
    Ok(Some(ActiveEntry { id, customer }))
}

fn tally(item: &Item) -> Result<Tally, PortError> {
    let read = Attributes(item);
    let count = |name| {
        read.optional(name, Attributes::number)
            .map(Option::unwrap_or_default)
    };
    Ok(Tally {
        unfinished: count("unfinished")?,
        paused: count("paused")?,
        completed: count("completed")?,
        failed: count("failed")?,
        cancelled: count("cancelled")?,
    })
}
