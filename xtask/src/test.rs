//! `cargo xtask test`: the table of everything that a change must pass, run from top to bottom.

use std::process::ExitCode;

use anyhow::Result;

use crate::report::Report;
use crate::step::{Condition, Step};
use crate::tools::{self, Tool};

/// Every part, in the order it runs: the quick and the telling first. A new part is a new row.
///
/// Nearly all name the whole workspace: cargo then builds each dependency once, with the features that all of it asks for,
/// where `-p` would build some of them again with fewer.
pub(crate) const STEPS: &[Step] = &[
    Step {
        name: "fmt",
        does: "the code is formatted",
        command: &["cargo", "fmt", "--all", "--check"],
        needs: &[Tool::Component("rustfmt")],
        ..Step::CHECK
    },
    Step {
        name: "clippy",
        does: "no lint speaks, warnings are errors",
        command: &["cargo", "clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"],
        needs: &[Tool::Component("clippy")],
        ..Step::CHECK
    },
    Step {
        name: "docs",
        does: "the documentation builds, warnings are errors",
        command: &["cargo", "doc", "--workspace", "--no-deps", "--document-private-items", "--locked"],
        variables: &[("RUSTDOCFLAGS", "-D warnings")],
        ..Step::CHECK
    },
    Step {
        name: "deny",
        does: "licences, bans and sources of the dependencies (deny.toml)",
        command: &["cargo", "deny", "--locked", "check", "licenses", "bans", "sources"],
        needs: &[Tool::Cargo(tools::CARGO_DENY)],
        ..Step::CHECK
    },
    Step {
        name: "advisories",
        does: "no known vulnerability in the dependencies, where the RustSec database can be reached",
        command: &["cargo", "deny", "--locked", "check", "advisories"],
        needs: &[Tool::Cargo(tools::CARGO_DENY)],
        only_if: Some(Condition {
            command: &["cargo", "deny", "--locked", "fetch", "db"],
            otherwise: "the RustSec database cannot be reached from here: `cargo deny fetch db` says why",
        }),
        ..Step::CHECK
    },
    Step {
        name: "unit",
        does: "tests beside the code they test",
        command: &["cargo", "test", "--workspace", "--lib", "--bins", "--locked", "--no-fail-fast"],
        ..Step::TESTS
    },
    Step {
        name: "doc-tests",
        does: "the examples in the documentation",
        command: &["cargo", "test", "--workspace", "--doc", "--locked", "--no-fail-fast"],
        ..Step::TESTS
    },
    Step {
        name: "golden",
        does: "golden cases and properties of the libraries",
        command: &[
            "cargo",
            "test",
            "--locked",
            "--no-fail-fast",
            "-p",
            "countersign-decision",
            "-p",
            "countersign-policy",
            "-p",
            "countersign-manifest",
            "--test",
            "*",
        ],
        ..Step::TESTS
    },
    Step {
        name: "guard",
        does: "each change and each rule is missed by a test when it is taken out",
        command: &["cargo", "xtask", "guard"],
        ..Step::CHECK
    },
    Step {
        name: "count",
        does: "the decision core takes no more instructions and allocations than docs/performance/counts.txt says, and five percent",
        command: &["cargo", "xtask", "count"],
        needs: &[Tool::Valgrind],
        ..Step::CHECK
    },
    Step {
        name: "smoke",
        does: "a few thousand inputs for every target of fuzz/, the same each time",
        command: &["cargo", "test", "--workspace", "--locked", "--test", "smoke"],
        ..Step::TESTS
    },
    Step {
        name: "http",
        does: "the HTTPS edge, over loopback",
        command: &["cargo", "test", "--workspace", "--locked", "--test", "http"],
        ..Step::TESTS
    },
    Step {
        name: "load",
        does: "a real server under crowds, half-open handshakes and slow clients, over loopback",
        command: &["cargo", "test", "--workspace", "--locked", "--test", "load", "--", "--test-threads", "1"],
        ..Step::TESTS
    },
    Step {
        name: "cli",
        does: "the command line as people call it",
        command: &["cargo", "test", "--workspace", "--locked", "--test", "cli"],
        needs: &[Tool::Curl, Tool::Strace],
        ..Step::TESTS
    },
    Step {
        name: "control-plane",
        does: "etcd, kube-apiserver and kubectl: from KUBEBUILDER_ASSETS, or built once from Go modules",
        command: &["cargo", "test", "--workspace", "--locked", "--test", "control_plane", "--", "--nocapture"],
        needs: &[Tool::Go],
        ..Step::TESTS
    },
    Step {
        name: "harness",
        does: "the API server of the tests boots, serves and goes",
        command: &["cargo", "test", "--workspace", "--locked", "--test", "boot"],
        needs: &[Tool::Go],
        ..Step::TESTS
    },
    Step {
        name: "apiserver",
        does: "the webhook, asked by a real kube-apiserver",
        command: &["cargo", "test", "--workspace", "--locked", "--test", "apiserver"],
        needs: &[Tool::Go],
        ..Step::TESTS
    },
    Step {
        name: "packaging",
        does: "kustomize base, overlays and Helm chart: the same content, valid, upgraded and removed",
        command: &["cargo", "test", "--workspace", "--locked", "--test", "packaging"],
        needs: &[Tool::Go],
        ..Step::TESTS
    },
    Step {
        name: "node",
        does: "the programs of a node, built once from Go modules; a cluster boots, and goes without a trace",
        command: &["cargo", "test", "--workspace", "--locked", "--test", "node", "--", "--nocapture"],
        needs: &[Tool::Go, Tool::Node],
        only_if: Some(A_NODE_CAN_RUN),
        ..Step::TESTS
    },
    Step {
        name: "static",
        does: "the static release binary that the image holds",
        command: &["cargo", "build", "--release", "--locked", "--bin", "countersign", "--target", "x86_64-unknown-linux-gnu"],
        variables: &[("RUSTFLAGS", "-C target-feature=+crt-static")],
        only_if: Some(A_NODE_CAN_RUN),
        ..Step::CHECK
    },
    Step {
        name: "cluster",
        does: "the shipped image and manifests in a real cluster, on good and on bad days",
        command: &["cargo", "test", "--workspace", "--locked", "--test", "cluster"],
        needs: &[Tool::Go, Tool::Node],
        only_if: Some(A_NODE_CAN_RUN),
        ..Step::TESTS
    },
];

/// What every step with a node needs.
const A_NODE_CAN_RUN: Condition = Condition {
    command: tools::CAN_RUN_A_NODE,
    otherwise: "a node needs root on Debian, and leave to make network, mount and PID namespaces: \
                `unshare --net --mount --pid --fork true` says why",
};

/// Runs the named parts, or all; a failed part does not keep the others from running.
///
/// # Errors
/// When a tool is missing and cannot be installed: then nothing is run, and the error names what to install.
pub(crate) fn run(parts: &[String]) -> Result<ExitCode> {
    let chosen: Vec<&Step> =
        STEPS.iter().filter(|step| parts.is_empty() || parts.iter().any(|part| part == step.name)).collect();
    let mut report = Report::begin(&chosen);
    for tool in tools::needed(&chosen) {
        tool.ensure()?;
    }
    for step in chosen {
        anstream::println!("{}: {}", step.name, step.typed());
        let (outcome, took) = step.run();
        report.end(step, outcome, took);
    }
    Ok(report.finish())
}
