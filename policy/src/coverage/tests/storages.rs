//! The storages of a request.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::coverage::{Described, storages};

/// The storages of a request, where a policy describes these.
fn requested(described: &Value) -> Value {
    let data = json!({"containers": [{"storages": described}], "common": {"cpath": "/run/kata"}});
    storages::described(Described::all(&data).next().unwrap())
}

#[test]
fn a_storage_has_a_sample_of_its_source_and_of_the_place_where_it_is_mounted() {
    let storage =
        |source: &str, place: &str| json!({"driver": "local", "source": source, "mount_point": place, "options": ["rw"]});
    assert_eq!(requested(&json!([storage("local", "^$(cpath)/[a-z]{3}$")])), json!([storage("local", "/run/kata/aaa")]));
    assert_eq!(
        requested(&json!([{"driver": "local"}])),
        json!([{"driver": "local"}]),
        "what the policy leaves out is not added"
    );
    assert_eq!(requested(&json!(null)), json!([]));
}

#[test]
fn a_disk_of_the_guest_is_mounted_under_its_address() {
    let described = json!([{"driver": "$(drivers)", "source": "$(sources)", "mount_point": "$(cpath)/$(b64_device_id)"}]);
    assert_eq!(requested(&described), json!([{"driver": "scsi", "source": "0:0", "mount_point": "/run/kata/MDow"}]));
}

#[test]
fn the_layers_of_an_image_are_those_that_its_overlay_lists() {
    let layer = |number: u32| {
        json!({
            "driver": "blk", "fstype": "tar", "source": "", "mount_point": format!("$(layer{number})"),
            "options": [format!("$(hash{number})")],
        })
    };
    let overlay = json!({
        "driver": "overlayfs", "fstype": "fuse3.kata-overlay", "source": "", "mount_point": "$(cpath)/rootfs",
        "options": ["upper:lower", "aa:bb"],
    });
    let option = |text: &str| format!("io.katacontainers.fs-opt.{text}");
    let mounted = |place: &str, hash: &str| {
        json!({
            "driver": "blk", "fstype": "tar", "source": "0000:00:00.0",
            "mount_point": format!("/run/kata-containers/sandbox/layers/{place}"),
            "options": ["ro", option("block_device=file"), option("is-layer"), option(&format!("root-hash={hash}"))],
        })
    };
    let listed = |place: &str, hash: &str| {
        let [file, layer, hash] = [option("block_device=file"), option("is-layer"), option(&format!("root-hash={hash}"))];
        option(&format!("layer={}", STANDARD.encode(format!("{place},tar,ro,{file},{layer},{hash}"))))
    };
    let expected = json!([
        mounted("upper", "aa"),
        mounted("lower", "bb"),
        mounted("", ""),
        {
            "driver": "overlayfs", "fstype": "fuse3.kata-overlay", "source": "none", "mount_point": "/run/kata/rootfs",
            "options": [
                option("layer-src-prefix=/var/lib/containerd/io.containerd.snapshotter.v1.tardev/layers"),
                listed("upper", "aa"), listed("lower", "bb"), option("overlay-rw"), "lowerdir=upper:lower",
            ],
        },
    ]);
    assert_eq!(requested(&json!([layer(0), layer(1), layer(2), overlay])), expected);
}
