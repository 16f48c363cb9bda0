//! The data folder: created, locked against a second process, and the paths in it. The lock is the
//! kernel's, so one that a kill left behind blocks nobody.

use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use anyhow::Context;
use jobs::WebhookKey;

const DATABASE: &str = "harvestman.sqlite";
const WEBHOOK_KEY: &str = "webhook.key";

/// Another process holds the folder.
#[derive(Debug)]
pub struct InUse(PathBuf);

impl std::error::Error for InUse {}

impl fmt::Display for InUse {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.0.display();
        write!(
            formatter,
            "the data folder {shown} is in use by another process; stop it or choose another with --data-dir"
        )
    }
}

/// A locked data folder. The lock ends with the value.
pub struct DataDir {
    path: PathBuf,
    _lock: File,
}

impl DataDir {
    /// Creates the folder where it is missing, and locks it.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let shown = path.display();
        create(&path.join("blobs"))
            .with_context(|| format!("the data folder {shown} cannot be written"))?;
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path.join("lock"))
            .with_context(|| format!("the data folder {shown} cannot be written"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(InUse(path.to_owned()).into()),
            Err(TryLockError::Error(error)) => {
                return Err(error).context(format!("the data folder {shown} cannot be locked"));
            }
        }
        let folder = Self {
            path: path.to_owned(),
            _lock: lock,
        };
        own_file(&folder.database())
            .with_context(|| format!("the data folder {shown} cannot be written"))?;
        Ok(folder)
    }

    pub fn database(&self) -> PathBuf {
        self.path.join(DATABASE)
    }

    /// What the secrets of webhooks are derived from: made by `make` where the folder has none yet,
    /// and readable by this user alone.
    pub fn webhook_key(&self, make: impl FnOnce() -> String) -> anyhow::Result<WebhookKey> {
        let path = self.path.join(WEBHOOK_KEY);
        let shown = path.display();
        let read = std::fs::read_to_string(&path);
        let text = match read {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let text = make();
                // Whole or not at all: a key that is cut short would be another one.
                let fresh = self.path.join(format!("{WEBHOOK_KEY}.new"));
                own_file(&fresh)
                    .and_then(|()| std::fs::write(&fresh, &text))
                    .and_then(|()| std::fs::rename(&fresh, &path))
                    .with_context(|| format!("{shown} cannot be written"))?;
                text
            }
            Err(error) => return Err(error).context(format!("{shown} cannot be read")),
        };
        WebhookKey::of_text(&text)
            .with_context(|| format!("{shown} is no key: it has fewer than 43 characters"))
    }

    /// Whether a service has ever kept its data here.
    pub fn is_used(path: &Path) -> bool {
        path.join(DATABASE).exists()
    }

    pub fn blobs(&self) -> PathBuf {
        self.path.join("blobs")
    }
}

/// Creates the file where it is missing, for this user alone whoever may read the folder; what the
/// database puts beside it is as private.
fn own_file(path: &Path) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

/// For this user alone: jobs may carry headers with secrets.
fn create(path: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_process_gets_one_sentence_and_a_freed_folder_opens_again() {
        let folder = tempfile::tempdir().unwrap();
        let first = DataDir::open(folder.path()).unwrap();
        let error = DataDir::open(folder.path()).err().unwrap().to_string();
        assert!(error.contains("in use by another process"), "{error}");
        drop(first);
        DataDir::open(folder.path()).unwrap();
    }

    #[test]
    fn the_key_of_webhooks_is_made_once_for_this_user_alone() {
        let place = tempfile::tempdir().unwrap();
        let folder = DataDir::open(place.path()).unwrap();
        let key = folder.webhook_key(|| "a".repeat(64)).unwrap();
        assert_eq!(folder.webhook_key(|| unreachable!()).unwrap(), key);
        let path = place.path().join(WEBHOOK_KEY);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        std::fs::write(&path, "short").unwrap();
        let error = folder.webhook_key(|| unreachable!()).unwrap_err();
        assert!(error.to_string().contains("is no key"), "{error}");
    }
}
