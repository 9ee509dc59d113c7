//! The folder of one run: what it started is recorded there, and nothing of it outlives the process that made it.
//!
//! Three ways lead to the end, because each covers what the others cannot: dropping the value; a watchdog, a small shell
//! that waits for this process to be gone (statics are never dropped, and SIGKILL drops nothing); and the next run, which
//! clears what it finds of runs whose maker is dead (both may have been killed, or the machine stopped).

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};

/// Waits for the end of its standard input, then stops and removes the run.
const WATCHDOG: &str = include_str!("watchdog.sh");

/// The file whose lock says that the maker of the run lives.
const LOCK: &str = "lock";

/// How long a process has between SIGTERM and SIGKILL.
pub(crate) const GRACE: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub(crate) struct Run {
    folder: PathBuf,
    watchdog: Child,
    _lock: File,
}

impl Run {
    /// Clears dead runs and makes a new one, in the temporary folder of the system.
    ///
    /// # Errors
    /// When the folder cannot be written or no shell can be started.
    pub(crate) fn create() -> Result<Self> {
        let user = rustix::process::getuid().as_raw();
        let runs = std::env::temp_dir().join(format!("countersign-runs-{user}"));
        Self::create_in(&runs).with_context(|| format!("cannot make a run folder in {}", runs.display()))
    }

    pub(crate) fn create_in(runs: &Path) -> Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(runs)?;
        // Held while runs are made and cleared, so that nobody clears a run that is not locked yet.
        let all = File::create(runs.join(LOCK))?;
        all.lock()?;
        clear_dead(runs)?;
        let folder = tempfile::Builder::new().prefix("run-").tempdir_in(runs)?.keep();
        let lock = File::create(folder.join(LOCK))?;
        lock.lock()?;
        let watchdog = watchdog(&folder)
            .stdin(Stdio::piped())
            .process_group(0) // an interrupt from the terminal must not reach it
            .spawn()
            .context("cannot start sh")?;
        Ok(Self { folder, watchdog, _lock: lock })
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// What everything of this run outside its folder is called.
    pub(crate) fn name(&self) -> String {
        format!("countersign-{}", self.folder.file_name().unwrap_or_default().to_string_lossy())
    }

    /// Where the process of this name records its id.
    pub(crate) fn record(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.pid"))
    }
}

impl Drop for Run {
    /// The processes of the run are stopped by now: the watchdog finds none, removes what is left, and ends.
    fn drop(&mut self) {
        drop(self.watchdog.stdin.take());
        let _ = self.watchdog.wait();
    }
}

/// Stops and removes every run whose lock is free: its maker is gone, and its watchdog did not get to it.
fn clear_dead(runs: &Path) -> io::Result<()> {
    for entry in fs::read_dir(runs)? {
        let folder = entry?.path();
        let Ok(lock) = File::open(folder.join(LOCK)) else {
            continue;
        };
        if lock.try_lock().is_ok() {
            watchdog(&folder).stdin(Stdio::null()).status()?;
        }
    }
    Ok(())
}

/// The one way in which a run ends: what differs is who holds the other end of its standard input.
fn watchdog(folder: &Path) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", WATCHDOG, "watchdog"]).arg(folder).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::Instant;

    use super::*;

    fn command_line(pid: u32) -> String {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).into_owned()
    }

    /// A process that names the folder in its command line, and its record there.
    fn sleeper(folder: &Path, named: &str) -> Child {
        let child = Command::new("sh").args(["-c", "sleep 60 & wait", named]).process_group(0).spawn().unwrap();
        // `spawn` returns while the new program is still being loaded: until then its command line is empty.
        while !command_line(child.id()).contains(named) {
            std::thread::sleep(Duration::from_millis(1));
        }
        fs::write(folder.join("sleeper.pid"), child.id().to_string()).unwrap();
        child
    }

    fn dead_run(runs: &Path) -> PathBuf {
        let folder = runs.join("run-dead");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(LOCK), "").unwrap();
        folder
    }

    #[test]
    fn the_next_run_stops_and_removes_what_a_dead_run_left() {
        let runs = tempfile::tempdir().unwrap();
        let dead = dead_run(runs.path());
        let mut child = sleeper(&dead, &dead.to_string_lossy());
        let started = Instant::now();
        let run = Run::create_in(runs.path()).unwrap();
        assert!(!child.wait().unwrap().success(), "the process ended by a signal");
        assert!(started.elapsed() < Duration::from_secs(30), "it was stopped and did not end by itself");
        assert!(!dead.exists());
        assert!(run.folder().exists());
    }

    #[test]
    fn a_recorded_id_that_belongs_to_somebody_else_by_now_is_left_alone() {
        let runs = tempfile::tempdir().unwrap();
        let dead = dead_run(runs.path());
        let mut child = sleeper(&dead, "somebody else");
        let _run = Run::create_in(runs.path()).unwrap();
        assert!(!dead.exists());
        assert!(child.try_wait().unwrap().is_none(), "it still runs");
        child.kill().unwrap();
        child.wait().unwrap();
    }

    #[test]
    fn a_run_whose_maker_lives_is_left_alone() {
        let runs = tempfile::tempdir().unwrap();
        let first = Run::create_in(runs.path()).unwrap();
        let second = Run::create_in(runs.path()).unwrap();
        assert!(first.folder().exists());
        assert_ne!(first.folder(), second.folder());
    }

    #[test]
    fn a_dropped_run_leaves_neither_folder_nor_watchdog() {
        let runs = tempfile::tempdir().unwrap();
        let run = Run::create_in(runs.path()).unwrap();
        let (folder, watchdog) = (run.folder().to_owned(), run.watchdog.id());
        drop(run);
        assert!(!folder.exists());
        assert!(!Path::new(&format!("/proc/{watchdog}")).exists());
    }
}
