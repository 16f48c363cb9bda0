//! What a step of an export does: reads results from where the last part ended, and writes the next
//! part of the file. Holds one part and one segment, whatever the size of the crawl, and may be
//! repeated: the same results make the same part.

use crate::app::App;
use crate::app::crawl::ResultsCursor;
use crate::crawl::frontier::{Manifest, ResultSegment};
use crate::csv_table::Table;
use crate::error::Error;
use crate::job::Job;
use crate::operation::{Export, FileForm, Operation, Progress, Step, Upload};
use crate::ports::{Files, LEAST_PART, MOST_PARTS};

/// A part is closed with the line that makes it as long as this, so no line is ever split, and no
/// part is longer than this and one line of at most 4 MB.
const PART: usize = LEAST_PART;
/// Files end before the row that lists their parts is too large for an item.
const MOST_TAGS: usize = 8_000;
const _: () = assert!(MOST_TAGS < MOST_PARTS as usize);

/// The next part of a file.
#[derive(Debug, Default, PartialEq, Eq)]
struct Filled {
    body: Vec<u8>,
    /// It is full when it has so many.
    least: usize,
    /// Results in it.
    pages: u64,
    /// Where the part after it begins; `None`: it is the last.
    next: Option<ResultsCursor>,
}

/// Writes lines as a form has them.
enum Writer {
    Ndjson,
    Csv(Table),
}

impl Writer {
    fn begin(&self) -> Result<Vec<u8>, Error> {
        match self {
            Self::Ndjson => Ok(Vec::new()),
            Self::Csv(table) => table.header(),
        }
    }

    fn write(&self, line: &[u8], body: &mut Vec<u8>) -> Result<(), Error> {
        match self {
            Self::Ndjson => {
                body.extend_from_slice(line);
                body.push(b'\n');
            }
            Self::Csv(table) => body.append(&mut table.row(line)?),
        }
        Ok(())
    }
}

impl Filled {
    fn begin(writer: &Writer, from: ResultsCursor, least: usize) -> Result<Self, Error> {
        let body = if from == ResultsCursor::default() {
            writer.begin()?
        } else {
            Vec::new()
        };
        Ok(Self {
            body,
            least,
            ..Self::default()
        })
    }

    /// Takes in the line at a place; `false` where the next part begins with it.
    fn take(&mut self, writer: &Writer, line: &[u8], at: ResultsCursor) -> Result<bool, Error> {
        if self.body.len() >= self.least {
            self.next = Some(at);
            return Ok(false);
        }
        writer.write(line, &mut self.body)?;
        self.pages += 1;
        Ok(true)
    }
}

impl App {
    /// The next part of a file. What cannot be read ends the export, since it does not read later
    /// either.
    pub(in crate::app) async fn export_step(&self, operation: &Operation) -> Result<Step, Error> {
        let Some(export) = &operation.export else {
            return Err(Error::Corrupt(format!("{} exports nothing", operation.id)));
        };
        match self.write_next(operation, export).await {
            Err(Error::Corrupt(what)) => {
                tracing::error!(operation = %operation.id, what, "a file cannot be written");
                self.end_unwritten(export).await
            }
            other => other,
        }
    }

    async fn write_next(&self, operation: &Operation, export: &Export) -> Result<Step, Error> {
        let Some(files) = self.ports.blobs.files() else {
            return self.end_unwritten(export).await;
        };
        let found = self.ports.store.job_and_spec(&export.job).await?;
        let now = self.now();
        let Some((job, spec)) = found.filter(|(job, _)| !job.is_expired(now)) else {
            // Nobody will fetch the file.
            return self.end_unwritten(export).await;
        };
        let from = match &operation.cursor {
            None => ResultsCursor::default(),
            Some(cursor) => cursor
                .parse()
                .map_err(|()| Error::Corrupt(format!("the cursor of {}", operation.id)))?,
        };
        let segments = self.segments_of(&job, export).await?;
        let writer = match export.form {
            FileForm::Ndjson => Writer::Ndjson,
            FileForm::Csv => Writer::Csv(self.results_table(&job, &spec).await?),
        };
        let filled = self.fill(&job, &segments, from, &writer).await?;
        let progress = Progress {
            examined: filled.pages,
            changed: filled.pages,
            ..Progress::default()
        };
        let written = self.put_filled(files, export, filled).await?;
        Ok(match written {
            Written::All => Step {
                progress,
                ..Step::default()
            },
            Written::Upto(next, upload) => Step {
                progress,
                cursor: Some(next.to_string()),
                upload: Some(upload),
            },
            Written::Nothing => Step {
                cursor: Some(ResultsCursor::default().to_string()),
                ..Step::default()
            },
        })
    }

    /// The segments that the manifest of the export names, oldest first.
    async fn segments_of(&self, job: &Job, export: &Export) -> Result<Vec<ResultSegment>, Error> {
        let Some(part) = export.manifest else {
            return Ok(Vec::new());
        };
        let frame = self.read_part(&job.id, part).await?;
        let manifest = Manifest::decode(&frame)
            .map_err(|error| Error::Corrupt(format!("the manifest of {}: {error}", job.id)))?;
        Ok(manifest.results)
    }

    /// Writes results from a place on until a part is full or there are no more of them.
    async fn fill(
        &self,
        job: &Job,
        segments: &[ResultSegment],
        from: ResultsCursor,
        writer: &Writer,
    ) -> Result<Filled, Error> {
        let mut filled = Filled::begin(writer, from, PART)?;
        let mut skipped = from.line as usize;
        for (number, segment) in (0..).zip(segments).skip(from.segment as usize) {
            let lines = self.result_segment(job, segment.part).await?;
            let lines = lines
                .split(|byte| *byte == b'\n')
                .filter(|line| !line.is_empty());
            for (index, line) in lines.enumerate().skip(skipped) {
                let at = ResultsCursor {
                    segment: number,
                    line: index as u32,
                };
                if !filled.take(writer, line, at)? {
                    return Ok(filled);
                }
            }
            skipped = 0;
        }
        Ok(filled)
    }

    async fn put_filled(
        &self,
        files: &dyn Files,
        export: &Export,
        filled: Filled,
    ) -> Result<Written, Error> {
        let key = export.key();
        let Filled { body, next, .. } = filled;
        let mut upload = match (&export.upload, next) {
            (Some(upload), _) => upload.clone(),
            (None, Some(_)) => Upload {
                id: files.begin(&key).await?,
                tags: Vec::new(),
            },
            (None, None) => {
                self.ports.blobs.put(&key, body).await?;
                return Ok(Written::All);
            }
        };
        if upload.tags.len() >= MOST_TAGS {
            return Err(Error::Corrupt(format!("{key} would have too many parts")));
        }
        let number = upload.tags.len() as u32;
        let Some(tag) = files.put_part(&key, &upload.id, number, body).await? else {
            return lost(files, &key).await;
        };
        upload.tags.push(tag);
        if let Some(next) = next {
            return Ok(Written::Upto(next, upload));
        }
        if files.finish(&key, &upload.id, &upload.tags).await? {
            Ok(Written::All)
        } else {
            lost(files, &key).await
        }
    }

    /// Ends an export without a file.
    async fn end_unwritten(&self, export: &Export) -> Result<Step, Error> {
        if let (Some(files), Some(upload)) = (self.ports.blobs.files(), &export.upload) {
            files.abort(&export.key(), &upload.id).await?;
        }
        Ok(Step {
            progress: Progress {
                unfit: 1,
                ..Progress::default()
            },
            ..Step::default()
        })
    }
}

/// What is written of a file.
enum Written {
    All,
    Upto(ResultsCursor, Upload),
    /// It has to be begun anew.
    Nothing,
}

/// What a missing upload means: a step before this one has finished it and died, or the store has
/// forgotten it.
async fn lost(files: &dyn Files, key: &str) -> Result<Written, Error> {
    if files.is_there(key).await? {
        Ok(Written::All)
    } else {
        Ok(Written::Nothing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file as it comes about, part after part.
    fn parts(lines: &[String], least: usize) -> Vec<String> {
        let (writer, mut from) = (Writer::Ndjson, ResultsCursor::default());
        let mut parts = Vec::new();
        loop {
            let mut filled = Filled::begin(&writer, from, least).unwrap();
            for (line, text) in (0..).zip(lines).skip(from.line as usize) {
                let at = ResultsCursor { segment: 0, line };
                if !filled.take(&writer, text.as_bytes(), at).unwrap() {
                    break;
                }
            }
            parts.push(String::from_utf8(filled.body).unwrap());
            match filled.next {
                Some(next) => from = next,
                None => return parts,
            }
        }
    }

    #[test]
    fn a_line_is_never_split_however_long_it_is() {
        let lines = ["a", &"b".repeat(100), "c", "dd", "e"].map(str::to_owned);
        let whole = lines.join("\n") + "\n";
        for least in 1..120 {
            let parts = parts(&lines, least);
            assert_eq!(parts.concat(), whole, "{least}");
            let (last, others) = parts.split_last().unwrap();
            assert!(others.iter().all(|part| part.len() >= least), "{parts:?}");
            assert!(!last.is_empty(), "{parts:?}");
        }
        assert_eq!(parts(&lines, 5).len(), 3);
        assert_eq!(parts(&[], 5), [""]);
    }
}
