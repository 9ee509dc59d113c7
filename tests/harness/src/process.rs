//! One server process of a run: recorded, logged to a file, stopped when dropped.

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use rustix::process::{Pid, Signal, kill_process};

use crate::run::{GRACE, Run};

/// Writes its id into the record and becomes the program: there is no moment in which the program runs unrecorded.
const RECORDED: &str = r#"echo $$ > "$0" && exec "$@""#;

/// How many of the last lines of a log an error shows.
const LAST_LINES: usize = 25;

/// A process of a run; dropping it stops it.
#[derive(Debug)]
pub struct Process {
    name: &'static str,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts a program; one of its arguments must name the run folder, by which a recorded id is known again.
    ///
    /// # Errors
    /// When the log cannot be written or the shell cannot be started.
    pub(crate) fn start(run: &Run, name: &'static str, program: &Path, arguments: &[OsString]) -> Result<Self> {
        Self::start_with(run, name, program, arguments, &[])
    }

    /// The same with variables in its environment.
    pub(crate) fn start_with(
        run: &Run,
        name: &'static str,
        program: &Path,
        arguments: &[OsString],
        variables: &[(&str, OsString)],
    ) -> Result<Self> {
        let command = command(run, name, program, arguments, variables);
        Self::spawn(run, name, command)
    }

    /// The same with a standard input that ends when the value is dropped, or this process is gone.
    pub(crate) fn start_held(run: &Run, name: &'static str, program: &Path, arguments: &[OsString]) -> Result<Self> {
        let mut command = command(run, name, program, arguments, &[]);
        command.stdin(Stdio::piped());
        Self::spawn(run, name, command)
    }

    fn spawn(run: &Run, name: &'static str, mut command: Command) -> Result<Self> {
        let log = run.folder().join(format!("{name}.log"));
        let file = File::create(&log).with_context(|| format!("cannot create {}", log.display()))?;
        let child = command.stdout(file.try_clone()?).stderr(file).spawn().with_context(|| format!("cannot start {name}"))?;
        Ok(Self { name, child, log })
    }

    /// The status that the process ended with, if it has ended.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// What the harness calls the process.
    pub(crate) fn name(&self) -> &str {
        self.name
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What the process has printed so far.
    pub fn log(&self) -> String {
        fs::read(&self.log).map(|log| String::from_utf8_lossy(&log).into_owned()).unwrap_or_default()
    }

    /// An error that says what is wrong with the process and shows the end of its log.
    pub fn failure(&self, what: &str) -> anyhow::Error {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        let last = lines.get(lines.len().saturating_sub(LAST_LINES)..).unwrap_or_default();
        anyhow!("{} {what}; the end of its log:\n{}", self.name, last.join("\n"))
    }
}

fn command(run: &Run, name: &str, program: &Path, arguments: &[OsString], variables: &[(&str, OsString)]) -> Command {
    let mut command = Command::new("sh");
    command
        .args(["-c", RECORDED])
        .arg(run.record(name))
        .arg(program)
        .args(arguments)
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .current_dir(run.folder())
        .stdin(Stdio::null());
    command
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        if self.ended().is_none() {
            let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
        }
        let deadline = Instant::now() + GRACE;
        while self.ended().is_none() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
