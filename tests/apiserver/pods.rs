//! What the tests do with pods: create, and read the answer.

use countersign_harness::ApiServer;
use serde_json::Value;

/// The answer to a request: the object as stored, or the text that the user sees.
pub(crate) struct Answer {
    pub(crate) stored: Result<Value, String>,
    /// The warnings, one a line.
    pub(crate) warnings: String,
}

/// Creates an object. `dry_run` runs admission and stores nothing.
pub(crate) fn create(server: &ApiServer, object: &Value, dry_run: bool) -> Answer {
    let mut arguments = vec!["create", "-o", "json", "-f", "-"];
    if dry_run {
        arguments.push("--dry-run=server");
    }
    run(server, &arguments, object)
}

/// Runs kubectl with an object on its standard input.
pub(crate) fn run(server: &ApiServer, arguments: &[&str], object: &Value) -> Answer {
    let output = server.kubectl_with_input(arguments, &object.to_string()).unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    let (warnings, error): (Vec<_>, Vec<_>) = text.lines().partition(|line| line.starts_with("Warning: "));
    let stored = if output.status.success() {
        Ok(serde_json::from_slice(&output.stdout).unwrap_or(Value::Null))
    } else {
        Err(error.join("\n"))
    };
    Answer { stored, warnings: warnings.join("\n") }
}

/// Deletes a pod at once, whatever became of it.
pub(crate) fn delete(server: &ApiServer, namespace: &str, name: &str) {
    let output = server
        .kubectl(&[
            "delete",
            "pod",
            "-n",
            namespace,
            name,
            "--grace-period=0",
            "--force",
            "--ignore-not-found",
            "--timeout=20s",
        ])
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

impl Answer {
    /// The refusal; fails if there is none.
    pub(crate) fn refused(self) -> String {
        self.stored.expect_err("the pod was admitted")
    }

    /// The object as stored; fails with the refusal.
    pub(crate) fn admitted(self) -> Value {
        self.stored.unwrap_or_else(|error| panic!("refused: {error}"))
    }
}

/// The documents of a YAML text.
pub(crate) fn documents(text: &str) -> Vec<Value> {
    serde_saphyr::from_multiple(text).unwrap()
}
