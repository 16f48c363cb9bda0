//! Stands where the table will: it can look a job up and nothing else.

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use jobs::job::DueList;
use jobs::ports::{Commit, Created, Creation, PortError, Scope, Store};
use jobs::tally::Tally;
use jobs::{Job, JobId, Spec, Timestamp};

pub struct Table {
    client: Client,
    name: String,
}

impl Table {
    pub fn new(client: Client, name: String) -> Self {
        Self { client, name }
    }

    async fn look_up<T>(&self, id: &JobId) -> Result<Option<T>, PortError> {
        let call = self.client.get_item().table_name(&self.name);
        let call = call.key("pk", AttributeValue::S(id.to_string()));
        let call = call.key("sk", AttributeValue::S("job".to_owned()));
        match call.send().await {
            Ok(found) if found.item.is_none() => Ok(None),
            Ok(_) => Err(PortError::Corrupt("not read yet".to_owned())),
            Err(error) => Err(PortError::Unavailable {
                part: "table",
                source: Box::new(error),
            }),
        }
    }
}

fn missing<T>() -> Result<T, PortError> {
    Err(PortError::Corrupt("not written yet".to_owned()))
}

#[async_trait]
impl Store for Table {
    async fn create(&self, _: &Creation<'_>) -> Result<Created, PortError> {
        missing()
    }

    async fn job(&self, id: &JobId) -> Result<Option<Job>, PortError> {
        self.look_up(id).await
    }

    async fn job_and_spec(&self, id: &JobId) -> Result<Option<(Job, Spec)>, PortError> {
        self.look_up(id).await
    }

    async fn commit(&self, _: &Job, _: &Job) -> Result<Commit, PortError> {
        missing()
    }

    async fn put_result(&self, _: &JobId, _: u64, _: Vec<u8>) -> Result<(), PortError> {
        missing()
    }

    async fn result(&self, _: &JobId, _: u64) -> Result<Option<Vec<u8>>, PortError> {
        missing()
    }

    async fn purge(&self, _: &Job) -> Result<(), PortError> {
        missing()
    }

    async fn due(
        &self,
        _: DueList,
        _: u32,
        _: Timestamp,
        _: usize,
    ) -> Result<Vec<JobId>, PortError> {
        Ok(Vec::new())
    }

    async fn list(&self, _: Scope<'_>, _: Option<&JobId>, _: usize) -> Result<Vec<Job>, PortError> {
        missing()
    }

    async fn jobs(&self, _: &[JobId]) -> Result<Vec<Job>, PortError> {
        missing()
    }

    async fn tally(&self, _: Scope<'_>) -> Result<Tally, PortError> {
        missing()
    }
}
