//! All results of a job as one file: where whoever asks finds it. Refuses to hold more than one
//! segment of it.

use std::time::Duration;

use crate::app::App;
use crate::caller::Caller;
use crate::crawl::Part;
use crate::error::Error;
use crate::job::Job;
use crate::operation::{Export, FileForm, Operation};
use crate::ports::Files;
use crate::rate::Call;

/// How long a link to a file opens it.
const VALID: Duration = Duration::from_mins(15);
/// Of a crawl that runs, a file of results that were all a moment ago is given for so long.
const FRESH: Duration = Duration::from_mins(10);

/// Where all results are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Download {
    /// Here: lines of JSON, each with a line break.
    Lines(Vec<u8>),
    /// In these segments, to be read one after the other with [`App::result_segment`].
    Segments(Vec<Part>),
    /// At this web address, for 15 minutes, as a file that is written already. It is a secret.
    At(String),
    /// In a file that this operation is writing: ask again.
    Preparing(Box<Operation>),
}

impl App {
    /// Where all results of a job are that the caller has just read, in the form asked for. Where
    /// they are to be in a file that is not there yet, it is begun; to ask again goes on with it.
    ///
    /// While a crawl runs the file has what was there when it was begun, and is the answer for ten
    /// minutes after it was finished.
    pub async fn download(
        &self,
        caller: &Caller,
        job: &Job,
        form: FileForm,
    ) -> Result<Download, Error> {
        if !job.kind.is_crawl() {
            let results = self.results(job).await?.results;
            let lines = results.into_iter().map(|line| line + "\n");
            return Ok(Download::Lines(lines.collect::<String>().into_bytes()));
        }
        let Some(files) = self.ports.blobs.files() else {
            return Ok(Download::Segments(self.result_segments(job).await?));
        };
        let wanted = Export::of(job, form);
        if let Some(link) = link(files, &wanted).await? {
            return Ok(Download::At(link));
        }
        let mut found = self.ports.operations.operation(&wanted.operation()).await?;
        if let Some(running) = found.take_if(|found| found.finished_at.is_none()) {
            found = Some(self.carry_on(running).await?);
        }
        match found {
            Some(running) if running.finished_at.is_none() => {
                return Ok(Download::Preparing(Box::new(running)));
            }
            Some(ended) => {
                if let Some(link) = self.written(files, &ended, job, &wanted).await? {
                    return Ok(Download::At(link));
                }
                self.admit_export(caller, job).await?;
                // Of an earlier state of the crawl, or its file is gone.
                self.ports.operations.remove(&ended).await?;
            }
            None => self.admit_export(caller, job).await?,
        }
        let owner = job.customer.clone();
        let begun = self.begin_export(wanted.clone(), owner).await?;
        if begun.finished_at.is_none() {
            return Ok(Download::Preparing(Box::new(begun)));
        }
        let link = self.written(files, &begun, job, &wanted).await?;
        let missing = || Error::Corrupt(format!("the file {} is missing", wanted.key()));
        link.map(Download::At).ok_or_else(missing)
    }

    async fn admit_export(&self, caller: &Caller, job: &Job) -> Result<(), Error> {
        self.admit_caller(Call::Create, caller, Some(&job.customer))
            .await
    }

    /// A link to what an export has written, where that is still an answer to what is wanted.
    async fn written(
        &self,
        files: &dyn Files,
        ended: &Operation,
        job: &Job,
        wanted: &Export,
    ) -> Result<Option<String>, Error> {
        let Some(export) = &ended.export else {
            return Ok(None);
        };
        let is_same = export.manifest == wanted.manifest;
        if is_same && ended.progress.unfit > 0 {
            let what = format!("no file can be made of the results of {}", job.id);
            return Err(Error::Corrupt(what));
        }
        let age = ended.finished_at.map(|at| self.now().since(at));
        let is_fresh = !job.state.is_terminal() && age.is_some_and(|age| age <= FRESH);
        if is_same || is_fresh {
            link(files, export).await
        } else {
            Ok(None)
        }
    }
}

/// A link to a file that is there.
async fn link(files: &dyn Files, export: &Export) -> Result<Option<String>, Error> {
    let key = export.key();
    if !files.is_there(&key).await? {
        return Ok(None);
    }
    let link = files.link(&key, &export.file_name(), VALID).await?;
    Ok(Some(link))
}
