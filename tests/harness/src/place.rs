//! Where the processes of a control plane run.

use std::ffi::OsString;
use std::path::Path;

use anyhow::Result;

use crate::process::Process;
use crate::run::Run;
use crate::space::Space;

/// On the host, where only loopback is used, or inside the namespaces of a cluster.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place<'a> {
    Host,
    Inside(&'a Space),
}

impl Place<'_> {
    /// Starts a process there.
    ///
    /// # Errors
    /// As [`Process::start`].
    pub(crate) fn start(self, run: &Run, name: &'static str, program: &Path, arguments: &[OsString]) -> Result<Process> {
        match self {
            Self::Host => Process::start(run, name, program, arguments),
            Self::Inside(space) => space.start(run, name, program, arguments),
        }
    }
}
