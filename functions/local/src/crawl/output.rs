//! Where the pages go: to a file that is there whole or not at all, or to standard output.

use std::fs::File;
use std::io::{BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;

pub(super) enum Output {
    /// Written beside its place and put there at the end.
    File {
        writer: BufWriter<File>,
        part: PathBuf,
        place: PathBuf,
        is_empty: bool,
    },
    Screen,
}

impl Output {
    pub(super) fn open(place: Option<&Path>) -> anyhow::Result<Self> {
        let Some(place) = place else {
            return Ok(Self::Screen);
        };
        let mut part = place.as_os_str().to_owned();
        part.push(".part");
        let part = PathBuf::from(part);
        let file = File::create(&part);
        let file = file.with_context(|| format!("{} cannot be written", part.display()))?;
        Ok(Self::File {
            writer: BufWriter::new(file),
            part,
            place: place.to_owned(),
            is_empty: true,
        })
    }

    /// Writes lines; `false` where nobody reads them any more.
    pub(super) fn write(&mut self, lines: &[String]) -> anyhow::Result<bool> {
        let written = match self {
            Self::File {
                writer, is_empty, ..
            } => lines.iter().try_for_each(|line| {
                *is_empty = false;
                writer.write_all(line.as_bytes())?;
                writer.write_all(b"\n")
            }),
            Self::Screen => {
                let mut screen = std::io::stdout().lock();
                lines.iter().try_for_each(|line| writeln!(screen, "{line}"))
            }
        };
        match written {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
            written => written
                .map(|()| true)
                .context("the pages cannot be written"),
        }
    }

    /// Puts the file into its place; says where the pages are. What an earlier crawl has written
    /// there gives way to pages, not to nothing.
    pub(super) fn finish(mut self) -> anyhow::Result<String> {
        let Self::File {
            writer,
            part,
            place,
            is_empty,
        } = &mut self
        else {
            return Ok("standard output".to_owned());
        };
        if *is_empty {
            return Ok("nowhere".to_owned());
        }
        writer.flush().context("the pages cannot be written")?;
        writer
            .get_ref()
            .sync_all()
            .context("the pages cannot be written")?;
        std::fs::rename(&*part, &*place)
            .with_context(|| format!("{} cannot be written", place.display()))?;
        Ok(place.display().to_string())
    }
}

impl Drop for Output {
    /// What did not get into its place is no file of the user's.
    fn drop(&mut self) {
        if let Self::File { part, .. } = self {
            // It is gone already where it was put into its place.
            let _ = std::fs::remove_file(part);
        }
    }
}
