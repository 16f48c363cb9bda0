//! What an export writes: all results of a crawl as they stood at one commit, into one file. Refuses
//! to touch the file; [`crate::App`] does that, a part in each step.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::crawl::{PackName, Part};
use crate::id::{JobId, OperationId};
use crate::job::Job;
use crate::ports::FileName;

/// What a file of results is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileForm {
    /// One JSON object a line.
    Ndjson,
    /// RFC 4180.
    Csv,
}

impl FileForm {
    pub const ALL: [Self; 2] = [Self::Ndjson, Self::Csv];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ndjson => "ndjson",
            Self::Csv => "csv",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|form| form.as_str() == text)
    }

    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Ndjson => "application/x-ndjson",
            Self::Csv => "text/csv; charset=utf-8; header=present",
        }
    }
}

/// A file to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    pub job: JobId,
    pub form: FileForm,
    /// The manifest that names its results; none before the first commit of the crawl.
    pub manifest: Option<Part>,
    /// Where it takes more than one part: how far that is.
    pub upload: Option<Upload>,
}

/// A file of which parts are written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upload {
    pub id: String,
    /// Of the parts, in their order.
    pub tags: Vec<String>,
}

impl Export {
    /// All results that the row knows of.
    pub fn of(job: &Job, form: FileForm) -> Self {
        Self {
            job: job.id.clone(),
            form,
            manifest: job.crawl.as_ref().and_then(|crawl| crawl.manifest),
            upload: None,
        }
    }

    /// Where the file lies: what is written later, by a crawl that goes on or is retried, lies
    /// elsewhere.
    pub fn key(&self) -> String {
        let prefix = file_prefix(&self.job);
        let form = self.form.as_str();
        match self.manifest {
            None => format!("{prefix}0.{form}"),
            Some(Part { pack, offset, .. }) => {
                let PackName(fence, number) = pack;
                format!("{prefix}{fence}-{number}-{offset}.{form}")
            }
        }
    }

    /// The operation that writes it: one at a time for each job and form, so that whoever asks
    /// again finds it, and a crawl that runs is not written anew with each of its commits.
    pub fn operation(&self) -> OperationId {
        let name = format!("export {} {}", self.job, self.form.as_str());
        let digest = Sha256::digest(name);
        let mut random = [0; 16];
        random.copy_from_slice(&digest[..16]);
        OperationId::of_job(&self.job, u128::from_be_bytes(random))
    }

    /// What clients save it as.
    pub fn file_name(&self) -> FileName {
        FileName {
            name: format!("{}.{}", self.job, self.form.as_str()),
            media_type: self.form.media_type(),
        }
    }
}

/// Every file of a job lies under this.
pub fn file_prefix(id: &JobId) -> String {
    format!("exports/{id}/")
}
