//! Manifests as input: files, standard input, and the pods in them as the decision core reads them.

use std::io::Read as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, anyhow, bail};
use countersign_decision::pod::Pod;
use countersign_decision::request::{Operation, PodRequest};
use countersign_manifest::{ManifestFile, PodInFile};
use serde_json::{Value, json};

/// The largest file that is read: the API server takes no larger request.
///
/// Source: Kubernetes, `k8s.io/apiserver` limits a request's body to 3 MiB; a file may hold several objects.
const MOST_BYTES: u64 = 64 * 1024 * 1024;

/// Whether standard input was read: what is in it can be had once.
static STANDARD_INPUT_WAS_READ: AtomicBool = AtomicBool::new(false);

/// What errors call a file.
pub(super) fn called(path: &Path) -> String {
    if path == Path::new("-") { "standard input".to_owned() } else { path.to_string_lossy().into_owned() }
}

/// The text of a file, or of standard input for `-`.
pub(super) fn text(path: &Path) -> anyhow::Result<String> {
    let name = called(path);
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") {
        if STANDARD_INPUT_WAS_READ.swap(true, Ordering::Relaxed) {
            bail!("standard input (-) can be read once: give a file for the other");
        }
        std::io::stdin().lock().take(MOST_BYTES + 1).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(MOST_BYTES + 1).read_to_end(&mut bytes))
    };
    read.with_context(|| format!("cannot read {name}"))?;
    if bytes.len() as u64 > MOST_BYTES {
        bail!("{name} is larger than {MOST_BYTES} bytes");
    }
    String::from_utf8(bytes).map_err(|error| anyhow!("{name}: byte {} is not UTF-8 text", error.utf8_error().valid_up_to() + 1))
}

/// A manifest with its text.
pub(super) struct Manifest {
    pub(super) text: String,
    pub(super) file: ManifestFile,
    pub(super) pods: Vec<PodInFile>,
}

/// Reads a manifest and finds the pods in it.
pub(super) fn manifest(path: &Path) -> anyhow::Result<Manifest> {
    let text = text(path)?;
    let file = ManifestFile::parse(&called(path), &text)?;
    let pods = file.pods()?;
    for pod in &pods {
        check(&file, pod)?;
    }
    Ok(Manifest { text, file, pods })
}

/// Kind, namespace and name, as lists show a pod.
pub(super) fn title(pod: &PodInFile, namespace: Option<&str>) -> String {
    format!("{}/{}/{}", pod.kind, namespace.unwrap_or("-"), pod.name)
}

/// The pod as the API server would get it: what a workload's controller makes of a template has a generated name.
pub(super) fn as_created(pod: &PodInFile) -> Value {
    let mut value = pod.pod.clone();
    if pod.template
        && let Some(metadata) = value.as_object_mut().map(|pod| pod.entry("metadata").or_insert_with(|| json!({})))
        && let Some(metadata) = metadata.as_object_mut()
    {
        metadata.insert("generateName".to_owned(), json!(format!("{}-", pod.name)));
    }
    value
}

/// Asks the decision core about a pod, given as JSON.
pub(super) fn ask<R>(
    operation: Operation,
    json: &str,
    namespace: &str,
    judge: impl FnOnce(&PodRequest<'_>) -> R,
) -> anyhow::Result<R> {
    let pod = Pod::from_json(json)?;
    Ok(judge(&PodRequest { operation, namespace, required: false, groups: Vec::new(), pod, old: None }))
}

/// Whether the decision core can read the pod; the error names file, line and field.
fn check(file: &ManifestFile, pod: &PodInFile) -> anyhow::Result<()> {
    let json = pod.pod.to_string();
    let mut reader = serde_json::Deserializer::from_str(&json);
    let Err(error) = serde_path_to_error::deserialize::<_, Pod<'_>>(&mut reader) else { return Ok(()) };
    let pointer = pointer(error.path());
    let at = std::iter::successors(Some(pointer.as_str()), |pointer| pointer.rsplit_once('/').map(|(parent, _)| parent))
        .find_map(|pointer| file.position(pod, pointer))
        .map_or_else(|| format!("line {}", pod.line), |position| position.to_string());
    let owner = format!("{} {}", pod.kind, pod.name);
    let found = pod.pod.pointer(&pointer);
    for (map, values) in
        [("/spec/nodeSelector/", "node selector"), ("/metadata/labels/", "label"), ("/metadata/annotations/", "annotation")]
    {
        if let (Some(key), Some(value)) = (pointer.strip_prefix(map), found) {
            let key = key.replace("~1", "/").replace("~0", "~");
            let written = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            bail!("{at}: {owner}: {values} values are strings: write {key}: \"{written}\"");
        }
    }
    let reason = error.inner().to_string();
    let reason = reason.split(" at line ").next().unwrap_or_default();
    bail!("{at}: {owner}: {}: {reason}", pointer.trim_start_matches('/').replace('/', "."))
}

/// A path of the reader as a JSON pointer.
fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter()
        .filter_map(|segment| match segment {
            Segment::Seq { index } => Some(format!("/{index}")),
            Segment::Map { key } => Some(format!("/{}", key.replace('~', "~0").replace('/', "~1"))),
            Segment::Enum { .. } | Segment::Unknown => None,
        })
        .collect()
}
