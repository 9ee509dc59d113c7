//! The images of a cluster: Countersign's, by the runtime stage of the Dockerfile, and one that stands in for the tutorial's.
//!
//! Why buildah: it needs no daemon, and with `--isolation chroot` and the driver `vfs` it works wherever root does.
//! Source: `buildah-build(1)`, `--build-context`; `containers-transports(5)`, `oci:`.

use std::env;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

use crate::binaries::{NodeBinaries, STAND_IN};
use crate::node::containerd;
use crate::registry::{Image, Images};
use crate::run::Run;

/// What the shipped Deployment calls Countersign's image.
pub const PRODUCT: &str = "countersign:0.1.0";

/// A static binary of this target runs in an image that holds nothing else.
const TARGET: &str = "x86_64-unknown-linux-gnu";

/// The names that the stand-in bears, the first of which is the program itself: the commands of the tutorial's containers, the
/// one that holds a pod, and one for work that ends.
const COMMANDS: &[&str] = &["pause", "bin/skr", "consume", "produce", "job"];

/// The images that the stand-in stands in for, by their real names.
const STANDS_IN_FOR: &[&str] = &[
    containerd::PAUSE,
    "mcr.microsoft.com/aci/skr:2.7",
    "mcr.microsoft.com/acc/samples/kafka/consumer:1.0",
    "mcr.microsoft.com/acc/samples/kafka/producer:1.0",
    STAND_IN_IMAGE,
];

/// The stand-in under a name of its own, for pods that are nobody's: `/pause` runs until it is ended, `/job` ends at once.
pub const STAND_IN_IMAGE: &str = "countersign.test/stand-in:1";

/// Compiles the binary that the image holds, with the release profile and without any library to load at run time; returns its
/// path. cargo does nothing if it is there already.
///
/// # Errors
/// When cargo fails; what it says is seen on standard error.
pub fn static_binary() -> Result<PathBuf> {
    let root = root()?;
    // The target is named so that the flag holds for the binary alone, as in the Dockerfile.
    let status = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["build", "--release", "--locked", "--bin", "countersign", "--target", TARGET])
        .env("RUSTFLAGS", "-C target-feature=+crt-static")
        .current_dir(&root)
        .status()
        .context("cannot run cargo")?;
    ensure!(status.success(), "cargo build of the static binary ended with {status}");
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |given| root.join(given));
    Ok(target.join(TARGET).join("release/countersign"))
}

/// Builds all images into the run folder.
///
/// # Errors
/// When buildah fails: what it said is in the error.
pub(crate) fn build_all(run: &Run, programs: &NodeBinaries, product: &Path) -> Result<Images> {
    let folder = run.folder().join("images");
    let mut images = Images::default();

    let context = folder.join("binary");
    fs::create_dir_all(&context)?;
    fs::copy(product, context.join("countersign")).with_context(|| format!("cannot copy {}", product.display()))?;
    images.add(PRODUCT, build(&folder, "countersign", &root()?.join("Dockerfile"), &context)?);

    let context = folder.join("stand-in");
    write_stand_in(&context, &programs.program(STAND_IN))?;
    let image = build(&folder, "stand-in-image", &context.join("Dockerfile"), &context)?;
    for name in STANDS_IN_FOR {
        images.add(name, image.clone());
    }
    // What buildah keeps besides is of no use any more.
    fs::remove_dir_all(folder.join("storage"))?;
    Ok(images)
}

/// A Dockerfile, and the root of an image that holds one program under several names.
fn write_stand_in(context: &Path, program: &Path) -> Result<()> {
    let root = context.join("root");
    fs::create_dir_all(root.join("bin"))?;
    let mut names = COMMANDS.iter();
    let first = names.next().context("the stand-in has no name")?;
    fs::copy(program, root.join(first)).with_context(|| format!("cannot copy {}", program.display()))?;
    for name in names {
        symlink(Path::new("/").join(first), root.join(name))?;
    }
    fs::write(context.join("Dockerfile"), format!("FROM scratch\nCOPY root/ /\nENTRYPOINT [\"/{first}\"]\n"))?;
    Ok(())
}

/// Builds one image and writes it as a folder in the OCI layout.
fn build(folder: &Path, name: &str, dockerfile: &Path, context: &Path) -> Result<Image> {
    let layout = folder.join(format!("{name}.oci"));
    let mut bud = buildah(folder);
    // The stage named `binary` is what the Dockerfile takes the binary from.
    bud.args(["bud", "--isolation", "chroot", "--tag", name]);
    bud.arg("--build-context").arg(format!("binary={}", context.display()));
    bud.arg("--file").arg(dockerfile).arg(context);
    say_if_failed(bud)?;
    let mut push = buildah(folder);
    push.args(["push", name]).arg(format!("oci:{}", layout.display()));
    say_if_failed(push)?;
    Image::in_folder(&layout)
}

fn buildah(folder: &Path) -> Command {
    let mut buildah = Command::new("buildah");
    buildah.arg("--root").arg(folder.join("storage/root"));
    buildah.arg("--runroot").arg(folder.join("storage/run"));
    buildah.args(["--storage-driver", "vfs"]).stdin(Stdio::null());
    buildah
}

fn say_if_failed(mut command: Command) -> Result<()> {
    let output = command.output().context("cannot run buildah")?;
    ensure!(
        output.status.success(),
        "buildah ended with {}; it said:\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

/// The root of the repository.
fn root() -> Result<PathBuf> {
    let harness = Path::new(env!("CARGO_MANIFEST_DIR"));
    harness.ancestors().nth(2).map(Path::to_owned).context("the harness is not in tests/")
}
