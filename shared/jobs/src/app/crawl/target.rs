//! The address of a refresh that names a job instead. What is not the caller's is not there.

use crate::app::App;
use crate::caller::Caller;
use crate::error::{Error, Problem};
use crate::id::JobId;
use crate::new_job::NewJob;
use crate::rate::Call;

impl App {
    /// The new job with the address and the customer of the job that it refreshes; any other comes
    /// back as it is. [`Error::NotFound`] where the caller sees no such job; counts as a read.
    pub async fn addressed(&self, caller: &Caller, mut new: NewJob) -> Result<NewJob, Error> {
        let named = new.spec.refresh.as_ref();
        let named = named.and_then(|refresh| JobId::parse(refresh.job_id.as_deref()?));
        let Some(id) = named else { return Ok(new) };
        caller.owner(new.customer.as_ref())?;
        self.admit_caller(Call::Read, caller, new.customer.as_ref())
            .await?;
        let job = self.visible(&id).await?;
        let job = job.filter(|job| caller.may_see(&job.customer));
        let job = job.ok_or_else(|| Error::NotFound(id.to_string()))?;
        if new.customer.as_ref().is_some_and(|it| *it != job.customer) {
            let problem = Problem::new("jobId", "is a job of another customer");
            return Err(Error::Invalid(vec![problem]));
        }
        new.customer = Some(job.customer);
        new.spec.url = job.url;
        Ok(new)
    }
}
