//! An image registry inside the network namespace of a cluster, over folders in the OCI layout.
//!
//! Why: a pod with `imagePullPolicy: Always` (the attestation sidecar's) asks the registry each time it starts, so an imported
//! image is not enough. containerd is told that this is the mirror of every registry (hosts.toml), and the kubelet pulls
//! stand-in images under the real names.
//! Source: OCI distribution specification, "Pulling"; OCI image layout.

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener as Listener;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use axum::Router;
use axum::extract::{Query, State};
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::runtime::Handle;

/// The registry that a name without one means.
const DEFAULT_REGISTRY: &str = "docker.io";

/// What the registry serves: which image is meant by a name, and the folder of an image.
#[derive(Clone, Debug, Default)]
pub(crate) struct Images {
    by_name: BTreeMap<String, Image>,
}

/// An image in a folder in the OCI layout.
#[derive(Clone, Debug)]
pub(crate) struct Image {
    folder: PathBuf,
    /// `sha256:…` of its manifest.
    digest: String,
}

impl Image {
    /// Reads the only image of a folder.
    ///
    /// # Errors
    /// When the folder is not in the OCI layout or holds no image.
    pub(crate) fn in_folder(folder: &Path) -> Result<Self> {
        let path = folder.join("index.json");
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let index: Value = serde_json::from_str(&text)?;
        let digest = index.pointer("/manifests/0/digest").and_then(Value::as_str);
        let digest = digest.with_context(|| format!("{} names no image", path.display()))?;
        Ok(Self { folder: folder.to_owned(), digest: digest.to_owned() })
    }

    /// The bytes of a digest of this image.
    fn blob(&self, digest: &str) -> Option<Vec<u8>> {
        let name = digest.strip_prefix("sha256:").filter(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
        fs::read(self.folder.join("blobs/sha256").join(name)).ok()
    }
}

impl Images {
    /// The image is known by this name from now on: `mcr.microsoft.com/aci/skr:2.7`, `countersign:0.1.0`.
    pub(crate) fn add(&mut self, name: &str, image: Image) {
        self.by_name.insert(full(name), image);
    }

    /// All images of a repository.
    fn of(&self, repository: &str) -> impl Iterator<Item = &Image> {
        let tagged = move |name: &str| name.rsplit_once(':').is_some_and(|(before, _)| before == repository);
        self.by_name.iter().filter(move |(name, _)| tagged(name)).map(|(_, image)| image)
    }

    /// The answer to `/v2/<name>/manifests/<reference>` and `/v2/<name>/blobs/<digest>`.
    fn answer(&self, registry: &str, path: &str) -> Option<Response> {
        let (before, reference) = path.rsplit_once('/')?;
        let (name, kind) = before.rsplit_once('/')?;
        let repository = format!("{registry}/{name}");
        match kind {
            "manifests" => {
                let image = if reference.starts_with("sha256:") {
                    self.of(&repository).find(|image| image.digest == reference)?
                } else {
                    self.by_name.get(&format!("{repository}:{reference}"))?
                };
                let manifest = image.blob(&image.digest)?;
                let headers = [
                    (header::CONTENT_TYPE, "application/vnd.oci.image.manifest.v1+json"),
                    (header::HeaderName::from_static("docker-content-digest"), image.digest.as_str()),
                ];
                Some((headers, manifest).into_response())
            }
            "blobs" => {
                let blob = self.of(&repository).find_map(|image| image.blob(reference))?;
                Some(([(header::CONTENT_TYPE, "application/octet-stream")], blob).into_response())
            }
            _ => None,
        }
    }
}

/// The name with its registry, as container runtimes complete it.
fn full(name: &str) -> String {
    match name.split_once('/') {
        Some((host, _)) if host.contains(['.', ':']) || host == "localhost" => name.to_owned(),
        Some(_) => format!("{DEFAULT_REGISTRY}/{name}"),
        None => format!("{DEFAULT_REGISTRY}/library/{name}"),
    }
}

/// Serves the images on a listener, until the runtime ends.
///
/// # Errors
/// When the listener cannot be used.
pub(crate) fn serve(listener: Listener, images: Arc<Images>, runtime: &Handle) -> Result<()> {
    listener.set_nonblocking(true)?;
    let _inside = runtime.enter();
    let listener = TcpListener::from_std(listener)?;
    let routes = Router::new().route("/v2/", get(|| async {})).fallback(pull).with_state(images);
    runtime.spawn(async move { axum::serve(listener, routes).await });
    Ok(())
}

/// containerd says in `ns` for which registry the mirror is asked.
async fn pull(State(images): State<Arc<Images>>, Query(query): Query<BTreeMap<String, String>>, uri: Uri) -> Response {
    let registry = query.get("ns").map_or(DEFAULT_REGISTRY, String::as_str).to_owned();
    let path = uri.path().strip_prefix("/v2/").unwrap_or_default().to_owned();
    let answer = tokio::task::spawn_blocking(move || images.answer(&registry, &path)).await;
    answer.ok().flatten().unwrap_or_else(|| StatusCode::NOT_FOUND.into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_completed_as_container_runtimes_do() {
        assert_eq!(full("countersign:0.1.0"), "docker.io/library/countersign:0.1.0");
        assert_eq!(full("aci/skr:2.7"), "docker.io/aci/skr:2.7");
        assert_eq!(full("mcr.microsoft.com/aci/skr:2.7"), "mcr.microsoft.com/aci/skr:2.7");
        assert_eq!(full("localhost/pause:1"), "localhost/pause:1");
    }
}
