//! A copy of the work tree, as it is now, committed or not.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::step::root;

/// A copy that may be changed: the work tree stays as it is.
pub(super) struct Copy {
    folder: PathBuf,
}

impl Copy {
    /// Copies every file that git knows or does not ignore into `folder`, in place of what was there. Files keep their times, so that
    /// cargo builds anew only what has changed.
    pub(super) fn of_work_tree(folder: &Path) -> Result<Self> {
        if folder.exists() {
            fs::remove_dir_all(folder).with_context(|| format!("cannot remove {}", folder.display()))?;
        }
        let listed = Command::new("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .current_dir(root())
            .output()
            .context("cannot run git, which knows the files of the work tree")?;
        ensure!(listed.status.success(), "git ls-files: {}", String::from_utf8_lossy(&listed.stderr));
        let names = String::from_utf8(listed.stdout).context("git ls-files")?;
        for name in names.split_terminator('\0') {
            copy(&root().join(name), &folder.join(name)).with_context(|| format!("cannot copy {name}"))?;
        }
        Ok(Self { folder: folder.to_owned() })
    }

    /// Where it is.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Writes a file of the copy anew; gives what `change` gives beside the new text.
    pub(super) fn rewrite<T>(&self, file: &str, change: impl FnOnce(&str) -> Result<(String, T)>) -> Result<T> {
        let path = self.folder.join(file);
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let (text, more) = change(&text).with_context(|| file.to_owned())?;
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(more)
    }
}

/// A file that git knows and that was removed is no file of the work tree.
fn copy(from: &Path, to: &Path) -> Result<()> {
    if !from.is_file() {
        return Ok(());
    }
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::copy(from, to)?;
    File::options().write(true).open(to)?.set_modified(fs::metadata(from)?.modified()?)?;
    Ok(())
}
