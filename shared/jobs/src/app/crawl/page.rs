//! What a job for one page answers where a crawl would tell of many addresses: its own stands where
//! the job stands, and every other is none of its business.

use url::Url;

use crate::app::{Explained, UrlFilter, UrlRow, UrlsPage};
use crate::crawl::{Reason, UrlState};
use crate::job::{Job, State};
use crate::spec::{Spec, canonical};

impl UrlsPage {
    /// The one address of a job, where the filter lets it through.
    pub fn of_page(job: &Job, filter: &UrlFilter) -> Self {
        let (state, reason) = standing(job);
        let code = reason.as_ref().map(Reason::code);
        let wanted = filter.state.is_none_or(|wanted| wanted == state)
            && (filter.reason.is_none() || filter.reason == code);
        let row = UrlRow {
            url: canonical(&job.url).map_or_else(|| job.url.clone(), String::from),
            state,
            reason,
            final_url: None,
            depth: 0,
        };
        Self {
            urls: wanted.then_some(row).into_iter().collect(),
            next: None,
        }
    }
}

impl Explained {
    /// What a job for one page does with an address.
    pub fn of_page(job: &Job, spec: &Spec, url: &Url) -> Self {
        let own = spec.address().is_some_and(|address| address == *url);
        let (state, reason) = if own {
            standing(job)
        } else {
            (UrlState::Skipped, Some(Reason::OffScope))
        };
        let note = "The job is for one page alone.".to_owned();
        Self {
            url: url.to_string(),
            state,
            reason,
            final_url: None,
            notes: vec![note],
        }
    }
}

fn standing(job: &Job) -> (UrlState, Option<Reason>) {
    match job.state {
        State::Queued | State::Active | State::Paused => (UrlState::Queued, None),
        State::Completed => (UrlState::Done, None),
        State::Cancelled => {
            let reason = Reason::Limit("the job was cancelled".to_owned());
            (UrlState::Skipped, Some(reason))
        }
        State::Failed => {
            let last = job.attempts.last().map(|attempt| &attempt.failure);
            let reason = last.map(|it| Reason::Failure(it.code, it.message.clone()));
            (UrlState::Failed, reason)
        }
    }
}
