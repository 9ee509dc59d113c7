//! Developer tasks of Countersign: `cargo xtask test` checks everything that a change must pass.

mod bench;
mod cluster;
mod count;
mod fuzz;
mod generate;
mod guard;
mod mutants;
mod report;
mod step;
mod test;
mod tools;

use std::process::ExitCode;

use anyhow::Result;
use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Parser, Subcommand};

use crate::test::STEPS;

/// Developer tasks of Countersign.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Installs or builds what is missing, then runs the checks and the tests.
    Test {
        /// Run these parts alone; without any, all of them.
        #[arg(value_name = "PART", value_parser = parts())]
        parts: Vec<String>,
    },
    /// Measures the webhook beside its floor and prints the ratios.
    Bench {
        /// What it adds to the creation of pods under a real API server, instead.
        #[arg(value_parser = ["apiserver"])]
        under: Option<String>,
    },
    /// Boots a real cluster with Countersign in it, and keeps both until Ctrl-C.
    ///
    /// One node, in namespaces of its own: etcd, kube-apiserver, controllers, scheduler, kubelet, kube-proxy and containerd.
    /// The shipped image is built with buildah and installed from manifests/install.yaml; stand-ins bear the names of the
    /// tutorial's images, and RuntimeClass kata-cc-isolation runs pods with runc. Needs root on Debian: packages that are
    /// missing are installed, programs are built once. Prints the KUBECONFIG and the tutorial's commands; Ctrl-C removes
    /// every trace.
    Cluster,
    /// Runs the targets of fuzz/ under libFuzzer (cargo-fuzz), and reports inputs and crashes.
    Fuzz {
        /// How long each target runs.
        #[arg(long, default_value_t = 60)]
        seconds: u32,
        /// Run these targets alone; without any, all of them.
        #[arg(value_name = "TARGET")]
        targets: Vec<String>,
    },
    /// Writes the files that come out of the code: manifests and schemas.
    Generate,
    /// Takes each change and each rule out, one at a time, and expects the tests to miss it.
    Guard,
    /// Counts the instructions and allocations that the decision core takes, and fails where they have grown by more than five
    /// percent (valgrind).
    Count {
        /// Write the counts to docs/performance/counts.txt: they are what is compared with from then on.
        #[arg(long)]
        write: bool,
    },
    /// Changes the core in small ways, one at a time, and expects the tests to fail (cargo-mutants). Takes some hours.
    Mutants {
        /// Arguments for cargo-mutants, such as `--file decision/src/rules/sidecar.rs`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
}

fn parts() -> PossibleValuesParser {
    STEPS.iter().map(|step| PossibleValue::new(step.name).help(step.does)).collect::<Vec<_>>().into()
}

fn main() -> Result<ExitCode> {
    match Arguments::parse().task {
        Task::Test { parts } => test::run(&parts),
        Task::Bench { under: None } => bench::run(),
        Task::Bench { under: Some(_) } => bench::under_an_api_server(),
        Task::Cluster => cluster::run(),
        Task::Fuzz { seconds, targets } => fuzz::run(seconds, &targets),
        Task::Generate => generate::run(),
        Task::Guard => guard::run(),
        Task::Count { write } => count::run(write),
        Task::Mutants { arguments } => mutants::run(&arguments),
    }
}
