//! Where a finished page is kept and how it is read back. Small ones lie beside the row, large
//! ones in the blob store; both under a name that carries the fence, so that a worker which lost
//! its lease overwrites nothing.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;

use crate::app::App;
use crate::app::crawl::pack_prefix;
use crate::crawl::visit::MAX_PAGE;
use crate::error::Error;
use crate::id::JobId;
use crate::job::{Job, Place, ResultRef};
use crate::operation::file_prefix;
use crate::page::Page;

/// A larger page never goes into an item, whatever it compresses to.
const MAX_ITEM_PAGE: usize = 64 * 1024;
/// Compressed size up to which an item is cheaper than a blob: a blob put costs as much as eight
/// write units of a kilobyte each.
const MAX_ITEM_BODY: usize = 8 * 1024;

/// Results of a job.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ResultsPage {
    /// Each the JSON of one [`Page`].
    pub results: Vec<String>,
}

impl App {
    pub(super) async fn keep_result(
        &self,
        id: &JobId,
        fence: u64,
        page: Page,
    ) -> Result<ResultRef, Error> {
        let json = page
            .into_json(MAX_PAGE)
            .map_err(|error| Error::Corrupt(error.to_string()))?;
        let (body, place) = encoded_page(&json)?;
        match place {
            Place::Item => self.ports.store.put_result(id, fence, body).await?,
            Place::Blob => self.ports.blobs.put(&blob_key(id, fence), body).await?,
        }
        Ok(ResultRef {
            fence,
            place,
            bytes: json.len() as u64,
        })
    }

    /// The results of a job that the caller has just read.
    pub async fn results(&self, job: &Job) -> Result<ResultsPage, Error> {
        let Some(result) = job.result else {
            return Ok(ResultsPage::default());
        };
        let body = match result.place {
            Place::Item => self.ports.store.result(&job.id, result.fence).await?,
            Place::Blob => {
                let key = blob_key(&job.id, result.fence);
                self.ports.blobs.get(&key).await?
            }
        };
        let body =
            body.ok_or_else(|| Error::Corrupt(format!("the result of {} is missing", job.id)))?;
        let mut json = String::new();
        DeflateDecoder::new(body.as_slice())
            .read_to_string(&mut json)
            .map_err(|error| Error::Corrupt(format!("the result of {}: {error}", job.id)))?;
        Ok(ResultsPage {
            results: vec![json],
        })
    }

    /// Removes what the blob store holds of a job, but for what refreshes compare with.
    pub(super) async fn drop_results(&self, job: &Job) -> Result<(), Error> {
        let id = &job.id;
        if job.kind.is_crawl() && !self.is_baseline(job).await? {
            self.ports.blobs.delete_all(&pack_prefix(id)).await?;
        }
        if job.kind.is_crawl() {
            self.ports.blobs.delete_all(&file_prefix(id)).await?;
        }
        Ok(self.ports.blobs.delete_all(&blob_prefix(id)).await?)
    }
}

/// A page's JSON in its stored form (DEFLATE, RFC 1951), and where that belongs.
fn encoded_page(json: &[u8]) -> Result<(Vec<u8>, Place), Error> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
    let body = encoder
        .write_all(json)
        .and_then(|()| encoder.finish())
        .map_err(|error| Error::Corrupt(error.to_string()))?;
    let place = if json.len() <= MAX_ITEM_PAGE && body.len() <= MAX_ITEM_BODY {
        Place::Item
    } else {
        Place::Blob
    };
    Ok((body, place))
}

fn blob_prefix(id: &JobId) -> String {
    format!("results/{id}/")
}

fn blob_key(id: &JobId, fence: u64) -> String {
    format!("results/{id}/{fence}.json.deflate")
}
