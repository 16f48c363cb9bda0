//! The keys of callers: [`Keys`] on the table. A key lies there twice, by the hash of its secret and
//! by its id, written together; a revoked one stays, marked, so that no late write brings it back.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use jobs::ports::{Keys, ListedKeys, PortError};
use jobs::spec::CustomerId;
use jobs::{Grants, KeyHash, KeyId, KeyRecord, Timestamp};

use super::item::Attributes;
use super::keys::{self, CALLERS, Item, PK, SK, number, text};
use super::write::Outcome;
use super::{Table, unavailable};

const ADMIN: &str = "admin";
const CUSTOMER: &str = "customer";

#[async_trait]
impl Keys for Table {
    async fn add_key(&self, key: &KeyRecord) -> Result<(), PortError> {
        // Nobody else has this id and this secret: an item under them is the echo of this write.
        self.put_both(key, "attribute_not_exists(#pk)", PK)
            .await
            .map(drop)
    }

    async fn find_key(&self, hash: &KeyHash) -> Result<Option<KeyRecord>, PortError> {
        let item = self.get(keys::secret(hash)).await?;
        item.as_ref().map(decode).transpose()
    }

    async fn revoke_key(&self, id: &KeyId, at: Timestamp) -> Result<Option<KeyRecord>, PortError> {
        let Some(item) = self.get(keys::key(CALLERS, id.as_str())).await? else {
            return Ok(None);
        };
        let key = decode(&item)?;
        if key.revoked_at.is_some() {
            return Ok(Some(key));
        }
        let revoked = KeyRecord {
            revoked_at: Some(at),
            ..key
        };
        let condition = "attribute_not_exists(#revoked_at)";
        match self.put_both(&revoked, condition, "revoked_at").await? {
            Outcome::Written => Ok(Some(revoked)),
            // Revoked meanwhile, by another or by a try whose answer got lost.
            Outcome::Refused(_) => {
                let item = self.get(keys::key(CALLERS, id.as_str())).await?;
                item.as_ref().map(decode).transpose()
            }
        }
    }

    async fn list_keys(
        &self,
        before: Option<&KeyId>,
        limit: usize,
    ) -> Result<ListedKeys, PortError> {
        let query = self
            .client
            .query()
            .table_name(&self.name)
            .scan_index_forward(false)
            .consistent_read(true)
            .expression_attribute_names("#pk", PK)
            .expression_attribute_values(":pk", text(CALLERS))
            // One more than asked for says whether there is more.
            .limit(i32::try_from(limit.saturating_add(1)).unwrap_or(i32::MAX));
        let query = match before {
            None => query.key_condition_expression("#pk = :pk"),
            Some(id) => query
                .key_condition_expression("#pk = :pk AND #sk < :before")
                .expression_attribute_names("#sk", SK)
                .expression_attribute_values(":before", text(id.as_str())),
        };
        let answer = query.send().await.map_err(unavailable)?;
        let cut = answer.items().len() > limit || answer.last_evaluated_key().is_some();
        let items = answer.items().iter().take(limit);
        let keys: Vec<_> = items.map(decode).collect::<Result<_, _>>()?;
        let next = keys.last().filter(|_| cut).map(|key| key.id.clone());
        Ok(ListedKeys { keys, next })
    }
}

impl Table {
    /// Writes both items of a key where neither is as `condition` forbids; `name` is the attribute
    /// that it names.
    async fn put_both(
        &self,
        key: &KeyRecord,
        condition: &str,
        name: &str,
    ) -> Result<Outcome, PortError> {
        let mut writes = Vec::with_capacity(2);
        for place in [keys::secret(&key.hash), keys::key(CALLERS, key.id.as_str())] {
            let put = Put::builder()
                .table_name(&self.name)
                .set_item(Some(encode(key, place)))
                .condition_expression(condition)
                .expression_attribute_names(format!("#{name}"), name)
                .build()
                .map_err(unavailable)?;
            writes.push(TransactWriteItem::builder().put(put).build());
        }
        self.transact(writes).await
    }
}

fn encode(key: &KeyRecord, mut item: Item) -> Item {
    let mut set = |name: &str, value: AttributeValue| {
        item.insert(name.to_owned(), value);
    };
    set("id", text(key.id.as_str()));
    set("hash", text(key.hash.to_string()));
    match &key.grants {
        Grants::Admin => set("grants", text(ADMIN)),
        Grants::Customer(customer) => {
            set("grants", text(CUSTOMER));
            set("customer_id", text(customer.as_str()));
        }
    }
    if let Some(label) = &key.label {
        set("label", text(label));
    }
    set("created_at", number(key.created_at.as_millis()));
    if let Some(at) = key.revoked_at {
        set("revoked_at", number(at.as_millis()));
    }
    item
}

fn decode(item: &Item) -> Result<KeyRecord, PortError> {
    let read = Attributes(item);
    let grants = match read.text("grants")? {
        ADMIN => Grants::Admin,
        CUSTOMER => Grants::Customer(read.word("customer_id", CustomerId::parse)?),
        _ => return Err(read.damaged("grants")),
    };
    Ok(KeyRecord {
        id: read.word("id", KeyId::parse)?,
        hash: read.word("hash", KeyHash::parse)?,
        grants,
        label: read.optional("label", Attributes::text)?.map(str::to_owned),
        created_at: read.time("created_at")?,
        revoked_at: read.optional("revoked_at", Attributes::time)?,
    })
}
