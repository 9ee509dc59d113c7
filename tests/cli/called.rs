//! Calling the binary.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// What a call printed, and its exit code.
pub(crate) struct Called {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Calls `countersign` in the repository's root.
pub(crate) fn countersign(arguments: &[&str]) -> Called {
    countersign_with("", arguments)
}

/// Calls it with a text on standard input.
pub(crate) fn countersign_with(input: &str, arguments: &[&str]) -> Called {
    let mut child = Command::new(env!("CARGO_BIN_EXE_countersign"))
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that does not read its input closes it, which is no failure of the test.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Called { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}

impl Called {
    /// The output of a call that must succeed.
    pub(crate) fn printed(self) -> String {
        assert_eq!(self.code, 0, "{}{}", self.out, self.err);
        self.out
    }

    /// The error of a call whose input must be unusable.
    pub(crate) fn unusable(self) -> String {
        assert_eq!(self.code, 2, "{}{}", self.out, self.err);
        assert!(self.out.is_empty(), "{}", self.out);
        self.err
    }
}

/// Writes a file into a folder and gives its path.
pub(crate) fn file(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// The path of a shared fixture, or `None` with a word about it where there is none.
pub(crate) fn fixture(name: &str) -> Option<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared").join(name);
    if path.exists() {
        return Some(path.to_str().unwrap().to_owned());
    }
    let _ = writeln!(std::io::stderr(), "skipped: ../shared/{name} is not there");
    None
}
