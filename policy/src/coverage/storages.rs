//! The storages that the guest is asked to mount for a container, as the policy describes them.
//!
//! Source: Kata Containers, genpolicy `rules.rego` (`allow_storage`): block devices that carry an emptyDir; the AKS line: layers of the
//! image on devices of their own, and an overlay of them.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use serde_json::{Value, json};

use super::described::{Described, texts};
use super::request::path;

const OPTION: &str = "io.katacontainers.fs-opt";

/// One storage for each that the policy lists.
pub(super) fn described(by: Described<'_>) -> Value {
    let listed: Vec<&Value> = by.part("/storages").and_then(Value::as_array).into_iter().flatten().collect();
    let overlay = listed.iter().find(|storage| text(storage, "driver") == "overlayfs");
    let layers = overlay.map(|overlay| Layers::of(overlay)).unwrap_or_default();
    listed.into_iter().map(|storage| one(by, storage, &layers)).collect()
}

fn one(by: Described<'_>, storage: &Value, layers: &Layers<'_>) -> Value {
    let mut sampled = storage.clone();
    let mut set = |field: &str, value: Value| {
        if let Some(part) = sampled.get_mut(field) {
            *part = value;
        }
    };
    let mount_point = text(storage, "mount_point");
    if text(storage, "fstype") == "tar" {
        let number = |text: &str| text.trim_matches(|c: char| !c.is_ascii_digit()).parse::<usize>().ok();
        let place = number(mount_point).and_then(|index| layers.places.get(index));
        set("source", json!("0000:00:00.0"));
        set("mount_point", json!(format!("/run/kata-containers/sandbox/layers/{}", place.copied().unwrap_or_default())));
        let hash = texts(options(storage)).next().and_then(number).and_then(|index| layers.hashes.get(index));
        set(
            "options",
            json!([
                "ro",
                format!("{OPTION}.block_device=file"),
                format!("{OPTION}.is-layer"),
                format!("{OPTION}.root-hash={}", hash.copied().unwrap_or_default())
            ]),
        );
    } else if text(storage, "driver") == "overlayfs" {
        set("source", json!("none"));
        set("mount_point", json!(path(by, mount_point)));
        set("options", json!(layers.options()));
    } else if mount_point.contains("$(b64_device_id)") {
        // A disk of the guest: found by its address on the bus.
        const ADDRESS: &str = "0:0";
        set("driver", json!("scsi"));
        set("source", json!(ADDRESS));
        set("mount_point", json!(by.filled(mount_point, &[("b64_device_id", &URL_SAFE.encode(ADDRESS))])));
    } else {
        set("source", json!(path(by, text(storage, "source"))));
        set("mount_point", json!(path(by, mount_point)));
    }
    sampled
}

fn text<'a>(storage: &'a Value, field: &str) -> &'a str {
    storage.get(field).and_then(Value::as_str).unwrap_or_default()
}

/// The layers of an image and the hashes of their contents, as an overlay of the AKS line lists them.
#[derive(Default)]
struct Layers<'a> {
    places: Vec<&'a str>,
    hashes: Vec<&'a str>,
}

impl<'a> Layers<'a> {
    fn of(overlay: &'a Value) -> Self {
        let mut lists = texts(options(overlay)).map(|list| list.split(':').collect());
        Self { places: lists.next().unwrap_or_default(), hashes: lists.next().unwrap_or_default() }
    }

    /// The options of the overlay in a request.
    fn options(&self) -> Vec<String> {
        let layer = |(place, hash): (&&str, &&str)| {
            let described = format!("{place},tar,ro,{OPTION}.block_device=file,{OPTION}.is-layer,{OPTION}.root-hash={hash}");
            format!("{OPTION}.layer={}", STANDARD.encode(described))
        };
        let source = "/var/lib/containerd/io.containerd.snapshotter.v1.tardev/layers";
        let mut options = vec![format!("{OPTION}.layer-src-prefix={source}")];
        options.extend(self.places.iter().zip(&self.hashes).map(layer));
        options.extend([format!("{OPTION}.overlay-rw"), format!("lowerdir={}", self.places.join(":"))]);
        options
    }
}

fn options(storage: &Value) -> &Value {
    storage.get("options").unwrap_or(&Value::Null)
}
