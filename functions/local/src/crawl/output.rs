//! Where lines go: to a file that is there whole or not at all, or to standard output.

use std::fs::File;
use std::io::{BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use tempfile::NamedTempFile;

/// What is told of an error in the middle of writing.
const UNWRITTEN: &str = "the output cannot be written";

pub(super) struct Output {
    sink: Sink,
    /// Where the lines go, in the user's words.
    shown: String,
    bytes: u64,
}

enum Sink {
    /// Written beside its place and put there at the end; gone if that is never reached.
    File {
        writer: BufWriter<NamedTempFile>,
        place: PathBuf,
    },
    /// Written as it comes: what stands there is a pipe or a device, and stays one.
    Device(File),
    Screen,
}

impl Output {
    /// Opens what will be written, so that what cannot be is known before anything is done.
    pub(super) fn open(place: Option<&Path>) -> anyhow::Result<Self> {
        let (sink, shown) = match place {
            None => (Sink::Screen, "standard output".to_owned()),
            Some(place) => {
                let shown = place.display().to_string();
                let sink = Sink::open(place);
                (
                    sink.with_context(|| format!("{shown} cannot be written"))?,
                    shown,
                )
            }
        };
        Ok(Self {
            sink,
            shown,
            bytes: 0,
        })
    }

    /// Whether a file is written.
    pub(super) fn is_file(&self) -> bool {
        !matches!(self.sink, Sink::Screen)
    }

    /// Bytes written so far.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Writes whole lines; `false` where nobody reads them any more.
    pub(super) fn write(&mut self, lines: &[u8]) -> anyhow::Result<bool> {
        let written = match &mut self.sink {
            Sink::File { writer, .. } => writer.write_all(lines),
            Sink::Device(file) => file.write_all(lines),
            Sink::Screen => std::io::stdout().lock().write_all(lines),
        };
        match written {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
            written => {
                written.context(UNWRITTEN)?;
                self.bytes += lines.len() as u64;
                Ok(true)
            }
        }
    }

    /// Puts the file into its place; says where the lines are, where there are some. What an earlier
    /// run has written there gives way to lines, not to nothing.
    pub(super) fn finish(self) -> anyhow::Result<Option<String>> {
        if self.bytes == 0 {
            return Ok(None);
        }
        match self.sink {
            Sink::Screen => match std::io::stdout().flush() {
                Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
                flushed => flushed.context(UNWRITTEN)?,
            },
            Sink::Device(_) => {}
            Sink::File { writer, place } => {
                let written = writer
                    .into_inner()
                    .map_err(std::io::IntoInnerError::into_error);
                let written = written.context(UNWRITTEN)?;
                written.as_file().sync_all().context(UNWRITTEN)?;
                let put = written.persist(&place).map_err(|error| error.error);
                put.with_context(|| format!("{} cannot be written", self.shown))?;
            }
        }
        Ok(Some(self.shown))
    }
}

impl Sink {
    fn open(place: &Path) -> anyhow::Result<Self> {
        let place = match std::fs::metadata(place) {
            // Where it is a link, what it leads to is written.
            Ok(there) if there.is_file() => std::fs::canonicalize(place)?,
            Ok(there) => {
                ensure!(!there.is_dir(), "it is a folder");
                let file = File::options().write(true).open(place)?;
                return Ok(Self::Device(file));
            }
            Err(_) => place.to_owned(),
        };
        let folder = place.parent().filter(|it| !it.as_os_str().is_empty());
        let name = place.file_name().context("it names no file")?;
        let mut prefix = name.to_owned();
        prefix.push(".");
        let mut part = tempfile::Builder::new();
        part.prefix(&prefix).suffix(".part");
        #[cfg(unix)]
        {
            // As any new file: the user's mask decides.
            use std::os::unix::fs::PermissionsExt;
            part.permissions(std::fs::Permissions::from_mode(0o666));
        }
        let part = part.tempfile_in(folder.unwrap_or(Path::new(".")))?;
        Ok(Self::File {
            writer: BufWriter::new(part),
            place,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        let name = |entry: std::io::Result<std::fs::DirEntry>| entry.unwrap().file_name();
        let mut names: Vec<_> = entries.map(name).collect();
        names.sort();
        names
            .iter()
            .map(|it| it.to_string_lossy().into_owned())
            .collect()
    }

    #[test]
    fn a_file_is_there_whole_or_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("a.ndjson");
        std::fs::write(&place, "old\n").unwrap();
        let mut output = Output::open(Some(&place)).unwrap();
        assert!(output.write(b"half of\n").unwrap());
        assert_eq!(std::fs::read(&place).unwrap(), b"old\n");
        drop(output);
        assert_eq!(names(folder.path()), ["a.ndjson"]);
        // Nothing is no reason to lose something.
        let output = Output::open(Some(&place)).unwrap();
        assert_eq!(output.finish().unwrap(), None);
        assert_eq!(std::fs::read(&place).unwrap(), b"old\n");
        let mut output = Output::open(Some(&place)).unwrap();
        output.write(b"new\n").unwrap();
        assert_eq!(output.bytes(), 4);
        output.finish().unwrap();
        assert_eq!(std::fs::read(&place).unwrap(), b"new\n");
        assert_eq!(names(folder.path()), ["a.ndjson"]);
    }

    #[test]
    fn what_cannot_be_written_is_known_at_once() {
        let folder = tempfile::tempdir().unwrap();
        for place in [folder.path(), &folder.path().join("a/b"), Path::new("..")] {
            assert!(Output::open(Some(place)).is_err(), "{}", place.display());
        }
        assert_eq!(names(folder.path()), [""; 0]);
    }

    #[cfg(unix)]
    #[test]
    fn links_and_devices_stay_what_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let (place, link) = (folder.path().join("a"), folder.path().join("b"));
        std::fs::write(&place, "old\n").unwrap();
        std::os::unix::fs::symlink(&place, &link).unwrap();
        let mut output = Output::open(Some(&link)).unwrap();
        output.write(b"new\n").unwrap();
        output.finish().unwrap();
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(std::fs::read(&place).unwrap(), b"new\n");
        let mut output = Output::open(Some(Path::new("/dev/null"))).unwrap();
        output.write(b"new\n").unwrap();
        assert_eq!(output.finish().unwrap().unwrap(), "/dev/null");
        assert!(!std::fs::metadata("/dev/null").unwrap().is_file());
    }
}
