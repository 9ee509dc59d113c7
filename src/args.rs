//! The command line, as clap reads it. What each command does is in `commands/`, one file each.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use countersign_decision::configuration::ClientName;

/// Exit codes, part of every help text.
const EXIT_CODES: &str =
    "Exit codes:\n  0  done; every pod is admitted\n  1  a pod is refused\n  2  the input or the command line is unusable";

/// Admission control for confidential pods on Kubernetes.
#[derive(Debug, Parser)]
#[command(name = "countersign", bin_name = "countersign", version, propagate_version = true, after_help = EXIT_CODES, max_term_width = 110)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the admission webhook
    #[command(after_help = "Examples:\n  countersign serve                         in a cluster: no flags needed\n  \
        countersign serve --standalone --self-signed ./certs --allow-list al.yaml\n                                            without a cluster, on https://127.0.0.1:8443")]
    Serve(ServeArguments),
    /// Show the main job on this machine: no cluster needed
    Demo,
    /// Print a manifest as the webhook will complete it
    #[command(
        after_help = "Examples:\n  countersign render -f pod.yaml > complete.yaml\n  countersign render -f deployment.yaml --diff\n  \
        kustomize build . | countersign render -f -\n\nOnly pods that are opted in are completed; comments and order of the file are kept. The manifest is completed as in a\n\
        namespace of mode enforce: in warn and audit the label countersign.dev/countersigned is not added, and a conflict leaves\n\
        the pod as it is."
    )]
    Render(RenderArguments),
    /// Print the policy digest of every pod in a manifest
    #[command(
        after_help = "Example:\n  countersign digest -f pod.yaml\n  sha256:bebb…4caf  Pod/kafka/kafka-golang-consumer\n\n\
        The digest is what the hardware reports as host data (the tutorial's WORKLOAD_MEASUREMENT); it is not the launch\nmeasurement of the virtual machine."
    )]
    Digest(DigestArguments),
    /// Say what the cluster would answer to a manifest
    #[command(after_help = "Examples:\n  countersign review -f pod.yaml --allow-list al.yaml\n  \
        countersign review -f pod.yaml --allow-list al.yaml --as-stored -o json\n\n\
        The manifest is completed, then judged, as if the mode were enforce.\n\nExit codes:\n  0  every pod is admitted\n  1  a pod is refused\n  2  the input or the command line is unusable")]
    Review(ReviewArguments),
    /// Print the allow-list ConfigMap with the entry for a manifest added
    #[command(after_help = "Examples:\n  countersign allow -f pod.yaml > al.yaml\n  \
        countersign allow -f pod.yaml --allow-list al.yaml > new.yaml\n  countersign allow --from-cluster > al.yaml\n\n\
        The entry counts for the manifest's namespace and service account; flags make it wider. Apply the result with\n\
        `kubectl apply --server-side -f al.yaml`: client-side apply cannot hold a long list.")]
    Allow(AllowArguments),
    /// Say what the policy in a manifest allows, or what changed between two
    #[command(after_help = "Examples:\n  countersign explain -f pod.yaml\n  countersign explain -f pod.yaml -o json\n  \
        countersign explain -f old.yaml -f new.yaml       what changed\n\n\
        Requests are asked of the policy's own rules, in the guest's own engine. A finding says why the cluster refuses the policy\n\
        when it is listed without `permissive: true`. An initdata's key brokers and certificates are shown too.")]
    Explain(ExplainArguments),
    /// Check an installation from outside, and say what mends it
    #[command(
        after_help = "Examples:\n  countersign doctor\n  countersign doctor --config countersign.yaml -o json\n  countersign doctor -n security --context production\n\n\
        It reads with your rights and changes nothing: two pods are created with server-side dry run.\n\
        What you may not read is reported, and does not count as healthy.\n\
        Each check: docs/troubleshooting.md.\n\n\
        Exit codes:\n  0  everything that was looked at is as it should be; there may be warnings\n  1  something is wrong, or could not be looked at\n  2  there is no cluster to look at, or the command line is unusable"
    )]
    Doctor(DoctorArguments),
    /// Evaluate the policy on standard input for another process of this program
    #[command(name = crate::evaluator::COMMAND, hide = true)]
    EvaluatePolicy,
    /// Print everything to install
    #[command(
        after_help = "Examples:\n  countersign manifests | kubectl apply --server-side -f -\n  countersign manifests --config configuration.yaml -n security"
    )]
    Manifests(ManifestsArguments),
    /// Print the JSON Schema of the configuration or of an allow-list
    Schema {
        /// Which one.
        of: SchemaOf,
    },
    /// Print the completion script for a shell
    #[command(after_help = "Example:\n  source <(countersign completion bash)")]
    Completion {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// Where a manifest comes from.
#[derive(Debug, Args)]
pub struct ManifestArguments {
    /// The manifest; - is standard input
    #[arg(short = 'f', long = "filename", value_name = "FILE")]
    pub file: PathBuf,
}

/// Which configuration holds.
#[derive(Debug, Args)]
pub struct ConfigurationArguments {
    /// The configuration file, - is standard input; without it, profile aks is enabled
    #[arg(long = "config", value_name = "FILE")]
    pub configuration: Option<PathBuf>,
}

/// Which cluster is looked into.
#[derive(Debug, Args)]
pub struct ClusterArguments {
    /// The kubeconfig file [default: as kubectl]
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// The context of the kubeconfig [default: its current one]
    #[arg(long, value_name = "NAME")]
    pub context: Option<String>,
}

/// `countersign doctor`.
#[derive(Debug, Args)]
pub struct DoctorArguments {
    /// The namespace of Countersign
    #[arg(short, long, value_name = "NS", default_value = crate::manifests::NAMESPACE)]
    pub namespace: String,
    /// The configuration file that should be installed; without it, the one in the cluster is taken
    #[arg(long = "config", value_name = "FILE")]
    pub configuration: Option<PathBuf>,
    /// How the report is printed
    #[arg(short, long, value_enum, default_value = "text")]
    pub output: Report,
    /// The cluster.
    #[command(flatten)]
    pub cluster: ClusterArguments,
}

/// `countersign serve`.
#[derive(Debug, Args)]
pub struct ServeArguments {
    /// Run without a cluster, on allow-lists from files
    #[arg(long, requires = "allow_list")]
    pub standalone: bool,
    /// A file of allow-list ConfigMaps, watched for changes; may be given several times
    #[arg(long, value_name = "FILE", requires = "standalone")]
    pub allow_list: Vec<PathBuf>,
    /// The configuration.
    #[command(flatten)]
    pub configuration: ConfigurationArguments,
    /// Where to listen for admission reviews (default: port 8443 of every address, standalone 127.0.0.1:8443)
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<SocketAddr>,
    /// Where to listen for health checks and metrics (default: port 8080 of every address, standalone 127.0.0.1:8080)
    #[arg(long, value_name = "ADDR")]
    pub metrics_listen: Option<SocketAddr>,
    /// The certificate chain, PEM; its directory is watched [in a cluster without it: Countersign makes its own]
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// The private key, PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
    /// Make a certificate for loopback (127.0.0.1, localhost), and write its CA to DIR/ca.crt
    #[arg(long, value_name = "DIR", conflicts_with = "tls_cert")]
    pub self_signed: Option<PathBuf>,
    /// Serve only callers whose client certificate leads to an authority in this file, PEM; it is watched [in a cluster: clientCertificates of the configuration]
    #[arg(long, value_name = "FILE", requires_all = ["standalone", "client_name"])]
    pub client_ca: Option<PathBuf>,
    /// A name that such a certificate may bear, as common name or DNS name; may be given several times
    #[arg(long, value_name = "NAME", requires = "client_ca", value_parser = ClientName::parse)]
    pub client_name: Vec<ClientName>,
    /// Judge kubectl exec, attach, port-forward and cp too, by path /exec: takes the right to get every pod (docs/exec-door.md)
    #[arg(long, conflicts_with = "standalone")]
    pub exec_door: bool,
    /// How the log is written
    #[arg(long, value_enum, default_value = "text", value_name = "FORMAT")]
    pub log: LogFormat,
}

/// `countersign render`.
#[derive(Debug, Args)]
pub struct RenderArguments {
    /// The manifest.
    #[command(flatten)]
    pub manifest: ManifestArguments,
    /// The namespace of objects that name none [default: default]
    #[arg(short, long, value_name = "NS")]
    pub namespace: Option<String>,
    /// The configuration.
    #[command(flatten)]
    pub configuration: ConfigurationArguments,
    /// Show only what changes
    #[arg(long)]
    pub diff: bool,
}

/// `countersign digest`.
#[derive(Debug, Args)]
pub struct DigestArguments {
    /// The manifest.
    #[command(flatten)]
    pub manifest: ManifestArguments,
}

/// `countersign review`.
#[derive(Debug, Args)]
pub struct ReviewArguments {
    /// The manifest.
    #[command(flatten)]
    pub manifest: ManifestArguments,
    /// A file of allow-list ConfigMaps; - is standard input; may be given several times
    #[arg(long, value_name = "FILE", required = true)]
    pub allow_list: Vec<PathBuf>,
    /// The namespace, in the place of the manifest's
    #[arg(short, long, value_name = "NS")]
    pub namespace: Option<String>,
    /// The configuration.
    #[command(flatten)]
    pub configuration: ConfigurationArguments,
    /// How the answer is printed
    #[arg(short, long, value_enum, default_value = "text")]
    pub output: Output,
    /// Judge the manifest as it stands, without completing it first
    #[arg(long)]
    pub as_stored: bool,
    /// Labels of the namespace, as key=value[,key=value]
    #[arg(long, value_name = "LABELS", value_delimiter = ',', value_parser = label)]
    pub namespace_labels: Vec<(String, String)>,
    /// The time to judge at [default: now]
    #[arg(long, value_name = "TIME")]
    pub at: Option<jiff::Timestamp>,
}

/// `countersign explain`.
#[derive(Debug, Args)]
pub struct ExplainArguments {
    /// The manifest; - is standard input; given twice, the two are compared
    #[arg(short = 'f', long = "filename", value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// How the account is printed
    #[arg(short, long, value_enum, default_value = "text")]
    pub output: Report,
}

/// `countersign allow`.
#[derive(Debug, Args)]
pub struct AllowArguments {
    /// The manifest; - is standard input
    #[arg(short = 'f', long = "filename", value_name = "FILE", required_unless_present = "from_cluster")]
    pub file: Option<PathBuf>,
    /// Take the confidential pods that run in the cluster now instead of a manifest
    #[arg(long, conflicts_with = "file")]
    pub from_cluster: bool,
    /// The ConfigMap to add to, - is standard input; without it, a new one is printed
    #[arg(long, value_name = "FILE")]
    pub allow_list: Option<PathBuf>,
    /// Let the entry count in these namespaces, in the place of the manifest's
    #[arg(long, value_name = "NS", value_delimiter = ',')]
    pub namespaces: Vec<String>,
    /// Let the entry count in every namespace
    #[arg(long, conflicts_with = "namespaces")]
    pub any_namespace: bool,
    /// Let the entry count for every service account
    #[arg(long)]
    pub any_service_account: bool,
    /// A name for the entry
    #[arg(long, value_name = "TEXT")]
    pub name: Option<String>,
    /// The namespace of Countersign, for a new ConfigMap
    #[arg(long, value_name = "NS", default_value = crate::manifests::NAMESPACE, conflicts_with = "allow_list")]
    pub list_namespace: String,
    /// The configuration.
    #[command(flatten)]
    pub configuration: ConfigurationArguments,
    /// The cluster.
    #[command(flatten)]
    pub cluster: ClusterArguments,
}

/// `countersign manifests`.
#[derive(Debug, Args)]
pub struct ManifestsArguments {
    /// The configuration.
    #[command(flatten)]
    pub configuration: ConfigurationArguments,
    /// The namespace to install into
    #[arg(short, long, value_name = "NS", default_value = crate::manifests::NAMESPACE)]
    pub namespace: String,
    /// The image of the webhook
    #[arg(long, value_name = "IMAGE", default_value = crate::manifests::IMAGE)]
    pub image: String,
    /// What to print
    #[arg(short, long, value_name = "WHAT", default_value = "yaml")]
    pub output: ManifestsOutput,
}

/// What `countersign manifests` prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ManifestsOutput {
    /// Everything to install
    Yaml,
    /// The values by which the Helm chart installs the same configuration
    HelmValues,
}

/// How an answer is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people
    Text,
    /// For programs: refusals and warnings alone
    Json,
}

/// How a report is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Report {
    /// For people
    Text,
    /// For programs
    Json,
}

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people
    Text,
    /// One JSON object a line
    Json,
}

/// What a schema is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SchemaOf {
    /// The configuration file
    Configuration,
    /// The text under one key of an allow-list ConfigMap
    AllowList,
}

fn label(text: &str) -> Result<(String, String), String> {
    text.split_once('=')
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .ok_or_else(|| format!("{text:?} is not key=value"))
}
