//! Reading the files of a case.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

/// Why a case cannot be used. The path names the file or folder.
#[derive(Debug, thiserror::Error)]
pub enum UnusableCase {
    /// It cannot be read.
    #[error("{path}: {error}")]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// It is not what its name says.
    #[error("{path}: {error}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong, with line and column.
        error: String,
    },
    /// A file whose name has no meaning here.
    #[error("{path} is none of the files of a case")]
    Unknown {
        /// The file.
        path: PathBuf,
    },
}

/// A folder with a case, or with folders of cases.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn at(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// The folder's own name.
    pub(crate) fn name(&self) -> String {
        self.0.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// The folders in it, in the order of their names.
    pub(crate) fn folders(&self) -> Result<Vec<Self>, UnusableCase> {
        Ok(self.entries()?.into_iter().map(Self).collect())
    }

    /// Refuses files with other names than these.
    pub(crate) fn permit(&self, names: &[&str]) -> Result<(), UnusableCase> {
        let strange = self.entries()?.into_iter().find(|path| !names.iter().any(|name| path.ends_with(name)));
        strange.map_or(Ok(()), |path| Err(UnusableCase::Unknown { path }))
    }

    /// The content of a file that every case has.
    pub(crate) fn required<T: DeserializeOwned>(&self, file: &str) -> Result<T, UnusableCase> {
        let path = self.0.join(file);
        let text = self.text(file)?;
        serde_saphyr::from_str(&text).map_err(|error| UnusableCase::Malformed { path, error: error.to_string() })
    }

    /// The text of a file.
    pub(crate) fn text(&self, file: &str) -> Result<String, UnusableCase> {
        let path = self.0.join(file);
        std::fs::read_to_string(&path).map_err(|error| UnusableCase::Unreadable { path, error })
    }

    /// The content of a file that a case may have.
    pub(crate) fn optional<T: DeserializeOwned>(&self, file: &str) -> Result<Option<T>, UnusableCase> {
        if self.0.join(file).exists() { self.required(file).map(Some) } else { Ok(None) }
    }

    fn entries(&self) -> Result<Vec<PathBuf>, UnusableCase> {
        let unreadable = |error| UnusableCase::Unreadable { path: self.0.clone(), error };
        let entries = std::fs::read_dir(&self.0).map_err(unreadable)?;
        let mut paths =
            entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>().map_err(unreadable)?;
        paths.sort();
        Ok(paths)
    }
}
