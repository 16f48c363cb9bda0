//! Endpoints of webhooks: [`Webhooks`] on the table. An endpoint stands in the lists by customer and
//! by time under names that no job has.

use async_trait::async_trait;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use jobs::event::EventType;
use jobs::ports::{ListedWebhooks, PortError, Scope, WebhookSwap, Webhooks};
use jobs::spec::CustomerId;
use jobs::webhook::Disabled;
use jobs::{Webhook, WebhookId};

use super::item::Attributes;
use super::keys::{
    self, INDEX_BY_CUSTOMER, INDEX_BY_TIME, Item, LIST_CUSTOMER, LIST_SHARD, PK, WEBHOOK, WEBHOOKS,
    number, text,
};
use super::read::ids;
use super::write::Outcome;
use super::{Table, unavailable};

#[async_trait]
impl Webhooks for Table {
    async fn add_webhook(&self, webhook: &Webhook, most: u64) -> Result<bool, PortError> {
        let writes = vec![
            self.put_new(encode(webhook))?,
            self.count_in(&webhook.customer, WEBHOOKS, most)?,
        ];
        Ok(match self.transact(writes).await? {
            Outcome::Written => true,
            // The id is ours alone: a row under it is the echo of this very write.
            Outcome::Refused(reasons) => reasons.first().is_some_and(|reason| reason.refused),
        })
    }

    async fn webhook(&self, id: &WebhookId) -> Result<Option<Webhook>, PortError> {
        let item = self.get(place(id)).await?;
        item.as_ref().map(decode).transpose()
    }

    async fn replace_webhook(
        &self,
        before: &Webhook,
        after: &Webhook,
    ) -> Result<WebhookSwap, PortError> {
        let put = self
            .client
            .put_item()
            .table_name(&self.name)
            .set_item(Some(encode(after)))
            .condition_expression("revision = :seen")
            .expression_attribute_values(":seen", number(before.revision))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let error = match put {
            Ok(_) => return Ok(WebhookSwap::Written),
            Err(SdkError::ServiceError(error)) => error.into_err(),
            Err(error) => return Err(unavailable(error)),
        };
        let PutItemError::ConditionalCheckFailedException(refusal) = error else {
            return Err(unavailable(error));
        };
        let found = refusal.item().map(decode).transpose()?;
        Ok(match found {
            Some(found) if found.nonce == after.nonce => WebhookSwap::Written,
            found => WebhookSwap::Lost(found.map(Box::new)),
        })
    }

    async fn remove_webhook(&self, webhook: &Webhook) -> Result<(), PortError> {
        let count = self.count_out(&webhook.customer, WEBHOOKS)?;
        self.remove_counted(place(&webhook.id), count).await
    }

    async fn list_webhooks(
        &self,
        scope: Scope<'_>,
        before: Option<&WebhookId>,
        limit: usize,
    ) -> Result<ListedWebhooks, PortError> {
        let (index, hash, value) = match scope {
            Scope::Customer(customer) => {
                let list = keys::listed_under(WEBHOOKS, customer);
                (INDEX_BY_CUSTOMER, LIST_CUSTOMER, list)
            }
            Scope::Everyone => (INDEX_BY_TIME, LIST_SHARD, WEBHOOKS.to_owned()),
        };
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
                .expression_attribute_values(":before", text(id.as_str())),
        };
        // One more than asked for says whether there is more.
        let mut found = ids(query, limit.saturating_add(1), WebhookId::parse).await?;
        let more = found.len() > limit;
        found.truncate(limit);
        let mut webhooks = Vec::with_capacity(found.len());
        for some in found.chunks(100) {
            let items = self.get_all(some.iter().map(place).collect(), true).await?;
            // One that does not read must not keep the others from being told.
            webhooks.extend(items.iter().filter_map(|item| match decode(item) {
                Ok(webhook) => Some(webhook),
                Err(error) => {
                    let error: &dyn std::error::Error = &error;
                    tracing::error!(error, "a webhook does not read");
                    None
                }
            }));
        }
        webhooks.sort_unstable_by(|one, other| other.id.cmp(&one.id));
        let next = if more { found.pop() } else { None };
        Ok(ListedWebhooks { webhooks, next })
    }
}

fn place(id: &WebhookId) -> Item {
    keys::key(id.as_str(), WEBHOOK)
}

fn encode(webhook: &Webhook) -> Item {
    let mut item = place(&webhook.id);
    let mut put = |name: &str, value| item.insert(name.to_owned(), value);
    put("customer", text(webhook.customer.as_str()));
    let list = keys::listed_under(WEBHOOKS, &webhook.customer);
    put(LIST_CUSTOMER, text(list));
    put(LIST_SHARD, text(WEBHOOKS));
    put("url", text(&webhook.url));
    let events = webhook.events.iter().map(|kind| kind.as_str());
    put("events", text(events.collect::<Vec<_>>().join(" ")));
    if let Some(why) = webhook.disabled {
        put("disabled", text(why.as_str()));
    }
    put("version", number(webhook.version));
    if let Some(at) = webhook.previous_until {
        put("previous_until", number(at.as_millis()));
    }
    put("created_at", number(webhook.created_at.as_millis()));
    put("updated_at", number(webhook.updated_at.as_millis()));
    put("revision", number(webhook.revision));
    put("nonce", number(webhook.nonce));
    item
}

fn decode(item: &Item) -> Result<Webhook, PortError> {
    let read = Attributes(item);
    let events = read.word("events", |names| {
        names.split_whitespace().map(EventType::parse).collect()
    });
    Ok(Webhook {
        id: read.word(PK, WebhookId::parse)?,
        customer: read.word("customer", CustomerId::parse)?,
        url: read.text("url")?.to_owned(),
        events: events?,
        disabled: read.optional("disabled", |read, name| read.word(name, Disabled::parse))?,
        version: read.number("version")?,
        previous_until: read.optional("previous_until", Attributes::time)?,
        created_at: read.time("created_at")?,
        updated_at: read.time("updated_at")?,
        revision: read.number("revision")?,
        nonce: read.number("nonce")?,
    })
}
