//! A node's folder, and the sweeping of folders that killed test runs left behind.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use tempfile::TempDir;

const PREFIX: &str = "chorus-kafka-";
const LOCK: &str = "in-use";

/// A folder under the system's temporary folder, marked as in use by a lock that ends with this process.
#[derive(Debug)]
pub(super) struct DataFolder {
    folder: TempDir,
    _in_use: File,
}

impl DataFolder {
    pub(super) fn create() -> Result<DataFolder> {
        sweep(&std::env::temp_dir());
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir().context("no temporary folder")?;
        let in_use = File::create(folder.path().join(LOCK))?;
        in_use.lock()?;
        Ok(DataFolder { folder, _in_use: in_use })
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(super) fn join(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// Removes the folders of dead processes: a test run that is killed drops nothing, and each leaves tens of megabytes.
fn sweep(temporary: &Path) {
    let Ok(entries) = fs::read_dir(temporary) else { return };
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().starts_with(PREFIX) && is_abandoned(&entry.path()) {
            // Another run may sweep at the same time; what it takes first is gone, and that was the aim.
            drop(fs::remove_dir_all(entry.path()));
        }
    }
}

fn is_abandoned(folder: &Path) -> bool {
    let Ok(lock) = File::open(folder.join(LOCK)) else { return false };
    // A younger lock file may be one that its owner is about to lock.
    let age = lock.metadata().ok().and_then(|metadata| metadata.modified().ok()?.elapsed().ok());
    age.is_some_and(|age| age > Duration::from_secs(60)) && lock.try_lock().is_ok()
}
