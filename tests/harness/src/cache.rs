//! What is built once and kept for later runs: a folder of the cache is there whole, or not at all.

use std::env;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Where everything is kept.
///
/// # Errors
/// When the environment names no place for it.
pub(crate) fn folder() -> Result<PathBuf> {
    let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute("XDG_CACHE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".cache")))
        .map(|cache| cache.join("countersign"))
        .context("neither XDG_CACHE_HOME nor HOME is set: set one, so that the built programs have a place")
}

/// The folder `name` of `cache`, made if it is missing: `make` fills the first path that it is given, which is then renamed to the
/// second. One process makes, others wait for it: the lock is the kernel's, so it goes with the process that holds it.
///
/// # Errors
/// When the cache cannot be written, or `make` fails.
pub(crate) fn kept(cache: &Path, name: &str, make: impl FnOnce(&Path, &Path) -> Result<()>) -> Result<PathBuf> {
    let folder = cache.join(name);
    if folder.is_dir() {
        return Ok(folder);
    }
    fs::create_dir_all(cache).with_context(|| format!("cannot create the cache {}", cache.display()))?;
    let path = cache.join(format!("{name}.lock"));
    let lock = File::create(&path).with_context(|| format!("cannot create {}", path.display()))?;
    if let Err(TryLockError::WouldBlock) = lock.try_lock() {
        eprintln!("waiting for another process that builds {name}");
        lock.lock().with_context(|| format!("cannot lock {}", path.display()))?;
    }
    if !folder.is_dir() {
        let unfinished = cache.join(format!("{name}.unfinished"));
        // What a killed build left behind.
        if unfinished.exists() {
            fs::remove_dir_all(&unfinished).with_context(|| format!("cannot remove {}", unfinished.display()))?;
        }
        make(&unfinished, &folder)?;
        fs::rename(&unfinished, &folder).with_context(|| format!("cannot move what was built to {}", folder.display()))?;
    }
    Ok(folder)
}
