//! The allow-list files and what of them is in force.

use std::path::{Path, PathBuf};
use std::{fs, io};

use countersign_decision::allow_list::{ConfigMapText, RejectedConfigMap, Sources};
use countersign_policy::Digest;
use jiff::{SignedDuration, Timestamp};

use super::parse::{FileError, parse_allow_list_file};
use super::take::take_good;
use crate::knowledge::{Rejected, Standing};

/// The files, each with the last good version of its `ConfigMap`s.
#[derive(Debug)]
pub(super) struct Lists {
    files: Vec<File>,
    sources: Sources,
}

#[derive(Debug)]
struct File {
    path: PathBuf,
    /// The digest of what was in it when it was last looked at.
    seen: Result<Digest, FileError>,
    /// How many `ConfigMap`s its last good version has.
    config_maps: usize,
    broken: Option<Broken>,
}

/// A file whose latest version cannot be read as `ConfigMap`s at all.
#[derive(Debug)]
struct Broken {
    problem: FileError,
    /// When its last good version no longer counts.
    lapses: Timestamp,
    lapsed: bool,
}

impl Lists {
    /// Reads files of which every one must be good.
    pub(super) fn read(paths: &[PathBuf]) -> Result<Self, FileError> {
        let mut lists = Self { files: Vec::new(), sources: Sources::default() };
        for path in paths {
            let (seen, text) = read(path);
            let config_maps = text.and_then(|text| parse_allow_list_file(&path.to_string_lossy(), &text))?;
            lists.files.push(File { path: path.clone(), seen, config_maps: config_maps.len(), broken: None });
            take_good(&mut lists.sources, &config_maps)?;
        }
        Ok(lists)
    }

    /// Looks at every file again. Says whether anything changed.
    pub(super) fn look(&mut self, now: Timestamp, last_good_for: SignedDuration) -> bool {
        let Self { files, sources } = self;
        let mut changed = false;
        for file in files {
            changed |= file.look(sources, now, last_good_for);
        }
        changed
    }

    pub(super) fn sources(&self) -> &Sources {
        &self.sources
    }

    /// How the `ConfigMap`s stand, and the files that cannot be read as such.
    pub(super) fn standing(&self) -> Standing {
        let config_maps = self.sources.rejected().map(|rejected| {
            let (RejectedConfigMap::Text { config_map, .. } | RejectedConfigMap::Binary { config_map, .. }) = rejected;
            Rejected { name: config_map.clone(), message: rejected.to_string() }
        });
        let files = self.files.iter().filter_map(|file| {
            let broken = file.broken.as_ref()?;
            Some(Rejected { name: file.path.display().to_string(), message: broken.problem.to_string() })
        });
        Standing {
            rejected: config_maps.chain(files).collect(),
            config_maps: self.files.iter().map(|file| file.config_maps).sum(),
        }
    }
}

impl File {
    fn look(&mut self, sources: &mut Sources, now: Timestamp, last_good_for: SignedDuration) -> bool {
        // Where nothing changed a long list is not held for it.
        if digest(&self.path) == self.seen {
            return self.lapse(sources, now);
        }
        let (seen, text) = read(&self.path);
        self.seen = seen;
        match text.and_then(|text| parse_allow_list_file(&self.path.to_string_lossy(), &text)) {
            Ok(config_maps) => self.take(&config_maps, sources, now, last_good_for),
            Err(problem) => self.reject(&problem, now, last_good_for),
        }
        self.lapse(sources, now);
        true
    }

    fn take(&mut self, config_maps: &[ConfigMapText], sources: &mut Sources, now: Timestamp, last_good_for: SignedDuration) {
        self.broken = None;
        self.config_maps = config_maps.len();
        sources.retain(|name| !self.holds(name) || config_maps.iter().any(|config_map| config_map.name == name));
        for config_map in config_maps {
            if let Err(rejected) = sources.take(config_map, now, last_good_for) {
                tracing::error!(
                    "allow-list rejected: {rejected}; its last good version, if there was one, stays in force for {last_good_for:#}"
                );
            }
        }
    }

    fn reject(&mut self, problem: &FileError, now: Timestamp, last_good_for: SignedDuration) {
        tracing::error!("allow-list rejected: {problem}; its last good version stays in force for {last_good_for:#}");
        let first = || Broken {
            problem: problem.clone(),
            lapses: now.checked_add(last_good_for).unwrap_or(Timestamp::MAX),
            lapsed: false,
        };
        self.broken.get_or_insert_with(first).problem.clone_from(problem);
    }

    /// Takes the entries of a broken file away when its time is over.
    fn lapse(&mut self, sources: &mut Sources, now: Timestamp) -> bool {
        let over = |broken: &&mut Broken| !broken.lapsed && now >= broken.lapses;
        let Some(broken) = self.broken.as_mut().filter(over) else { return false };
        broken.lapsed = true;
        tracing::error!("allow-list: the last good version no longer counts: {}", broken.problem);
        let lapses = broken.lapses;
        sources.lapse(|name| self.holds(name), lapses);
        true
    }

    /// Whether a `ConfigMap` of this name comes from this file.
    fn holds(&self, config_map: &str) -> bool {
        let rest = config_map.strip_prefix(&*self.path.to_string_lossy());
        rest.is_some_and(|rest| rest.starts_with('/'))
    }
}

fn digest(path: &Path) -> Result<Digest, FileError> {
    fs::File::open(path).and_then(Digest::sha256_of_all).map_err(|error| unreadable(path, &error))
}

/// What is in a file, and the digest of just that: it may have changed since it was looked at.
fn read(path: &Path) -> (Result<Digest, FileError>, Result<String, FileError>) {
    let bytes = fs::read(path).map_err(|error| unreadable(path, &error));
    let seen = bytes.as_ref().map(|bytes| Digest::sha256_of(bytes)).map_err(Clone::clone);
    let text = bytes.and_then(|bytes| {
        String::from_utf8(bytes).map_err(|error| unreadable(path, &io::Error::new(io::ErrorKind::InvalidData, error)))
    });
    (seen, text)
}

fn unreadable(path: &Path, error: &io::Error) -> FileError {
    FileError::Unreadable { file: path.display().to_string(), problem: error.to_string() }
}
