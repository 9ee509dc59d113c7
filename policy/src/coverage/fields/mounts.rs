//! Everything that the pod mounts is mounted by the policy, in the same way.
//!
//! Reads: `volumeMounts` with the kinds of their volumes, `terminationMessagePath`; `OCI.Mounts` of the policy.
//! Allows: fewer mounts than the policy has. Sources are the runtime's affair: where the kind of the volume does not fit the policy's
//! source, that is a warning.
//! Source: Kata Containers, genpolicy `mount_and_storage.rs` and `rules.rego` (`check_mount`).

use serde_json::{Value, json};

use super::{Difference, Pair, Proof};
use crate::coverage::cause::Cause;
use crate::coverage::described::texts;
use crate::coverage::pod::{Kind, Mount};
use crate::coverage::request::{self, Change};

const MOUNTS: &str = "/OCI/Mounts";
/// Where messages of a container go if the pod says nothing; the API server fills it in.
const TERMINATION_LOG: &str = "/dev/termination-log";

pub(super) fn compare(pair: &Pair<'_>) -> Vec<Difference> {
    // A policy that lists no mounts does not judge them.
    if pair.by.part(MOUNTS).is_none() {
        return Vec::new();
    }
    let mounts = pair.container.volume_mounts.iter().flatten();
    let log = pair.container.termination_message_path.as_deref().unwrap_or(TERMINATION_LOG);
    let log = (!log.is_empty()).then(|| missing(pair, log, "rw")).flatten();
    mounts.filter_map(|mount| one(pair, mount)).chain(log).collect()
}

fn one(pair: &Pair<'_>, mount: &Mount) -> Option<Difference> {
    let kind = pair.volumes.get(&*mount.name).map_or(Kind::Other, |volume| volume.kind());
    let read_only = match kind {
        _ if mount.read_only == Some(true) => Some(true),
        Kind::Files => Some(true),
        Kind::EmptyDir | Kind::HostPath => Some(false),
        Kind::Other => None,
    };
    let path = &*mount.path;
    let access = if read_only == Some(true) { "ro" } else { "rw" };
    if let Some(missing) = missing(pair, path, access) {
        return Some(missing);
    }
    let known = find(pair, path)?;
    let options: Vec<&str> = known.get("options").into_iter().flat_map(texts).collect();
    let other = if access == "ro" { "rw" } else { "ro" };
    if read_only.is_some() && options.contains(&other) && !options.contains(&access) {
        return Some(other_access(pair, known, path, access, other));
    }
    other_kind(mount, kind, known)
}

/// The policy's mount at a path, which may end in a slash in the pod.
fn find<'a>(pair: &Pair<'a>, path: &str) -> Option<&'a Value> {
    pair.by.mount(path).or_else(|| pair.by.mount(path.trim_end_matches('/')))
}

fn missing(pair: &Pair<'_>, path: &str, access: &str) -> Option<Difference> {
    if find(pair, path).is_some() {
        return None;
    }
    let change = Change::Added(MOUNTS, request::shared_mount(path, access));
    let proof = Proof::Rule { usual: None, change };
    let (field, pod, policy) = (format!("mount {path}"), "it".to_owned(), "no such mount".to_owned());
    Some(Difference { field, pod, policy, cause: Cause::of_mount(path), proof })
}

fn other_access(pair: &Pair<'_>, known: &Value, path: &str, access: &str, other: &str) -> Difference {
    let field = format!("mount {path}");
    let proof = request::mount(pair.by, known).map_or(Proof::None, |usual| {
        let mut changed = usual.clone();
        for option in changed.get_mut("options").and_then(Value::as_array_mut).into_iter().flatten() {
            if *option == other {
                *option = json!(access);
            }
        }
        Proof::Rule { usual: Some(Change::Added(MOUNTS, usual)), change: Change::Added(MOUNTS, changed) }
    });
    Difference { field, pod: format!("{access:?}"), policy: format!("{other:?}"), cause: Cause::Changed, proof }
}

/// Whether the policy's source is that of another kind of volume: files that the host shares, or storage of the guest.
fn other_kind(mount: &Mount, kind: Kind, known: &Value) -> Option<Difference> {
    let source = known.get("source").and_then(Value::as_str)?;
    let shared = source.starts_with("$(sfprefix)");
    let in_guest = source.is_empty() || source.contains("$(sandbox-id)") || source.contains("/sandbox/");
    let part_of_it = mount.sub_path.is_some() || mount.sub_path_expr.is_some();
    let pod = match kind {
        Kind::EmptyDir if shared && !part_of_it => "an emptyDir",
        Kind::Files if in_guest => "files of the cluster",
        Kind::HostPath if in_guest => "a hostPath",
        _ => return None,
    };
    let policy = if shared { "files that the host shares" } else { "storage of the guest" };
    let field = format!("volume {}", mount.name);
    let cause = Cause::Changed;
    Some(Difference { field, pod: pod.to_owned(), policy: policy.to_owned(), cause, proof: Proof::None })
}
