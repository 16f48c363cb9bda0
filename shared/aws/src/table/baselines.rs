//! What refreshes compare with: an item per customer and start address. Refuses to hold any of it:
//! that lies in the blob store.

use jobs::JobId;
use jobs::job::DueList;
use jobs::ports::{Baseline, PortError};
use jobs::spec::CustomerId;

use super::item::Attributes;
use super::keys::{self, DUE_AT, DUE_LIST, Item, number, text};
use super::{Table, unavailable};

impl Table {
    pub(super) async fn read_baseline(
        &self,
        customer: &CustomerId,
        url: &str,
    ) -> Result<Option<Baseline>, PortError> {
        let item = self.get(keys::baseline(customer, url)).await?;
        item.as_ref().map(decode).transpose()
    }

    pub(super) async fn write_baseline(
        &self,
        customer: &CustomerId,
        url: &str,
        baseline: &Baseline,
    ) -> Result<(), PortError> {
        let put = self.client.put_item().table_name(&self.name);
        let put = put.set_item(Some(encode(customer, url, baseline)));
        put.send().await.map(drop).map_err(unavailable)
    }
}

fn encode(customer: &CustomerId, url: &str, baseline: &Baseline) -> Item {
    let mut item = keys::baseline(customer, url);
    let mut put = |name: &str, value| item.insert(name.to_owned(), value);
    put("job_id", text(baseline.job.as_str()));
    // Serializing numbers does not fail.
    let manifest = serde_json::to_string(&baseline.manifest).unwrap_or_default();
    put("manifest", text(manifest));
    put("refreshed", number(u8::from(baseline.refreshed)));
    put("at", number(baseline.at.as_millis()));
    put("expires_at", number(baseline.expires_at.as_millis()));
    // Not by the table's own expiry: what it names has to go first.
    put(DUE_LIST, text(keys::due_list(DueList::Baseline, 0)));
    put(DUE_AT, number(baseline.expires_at.as_millis()));
    item
}

pub(super) fn decode(item: &Item) -> Result<Baseline, PortError> {
    let read = Attributes(item);
    Ok(Baseline {
        job: read.word("job_id", JobId::parse)?,
        manifest: serde_json::from_str(read.text("manifest")?)
            .map_err(|_| read.damaged("manifest"))?,
        refreshed: read.number::<u8>("refreshed")? > 0,
        at: read.time("at")?,
        expires_at: read.time("expires_at")?,
    })
}
