//! Where etcd, kube-apiserver, kubectl and the programs of a node come from.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::cache;
use crate::go_build::{self, Set};

/// The Go module that pins the versions: what it requires is what is built.
const GO_MOD: &str = include_str!("../go/go.mod");

/// A folder with `etcd`, `kube-apiserver` and `kubectl`.
#[derive(Clone, Debug)]
pub struct Binaries {
    folder: PathBuf,
}

/// A folder with `kubelet`, `kube-proxy`, `kube-controller-manager`, `kube-scheduler`, and the program that stands in for
/// what the tutorial's images hold.
#[derive(Clone, Debug)]
pub struct NodeBinaries {
    folder: PathBuf,
}

/// What tests that need an API server alone wait for: the name of each program and its Go package.
const CONTROL_PLANE: &[(&str, &str)] = &[
    ("etcd", "go.etcd.io/etcd/server/v3"),
    ("kube-apiserver", "k8s.io/kubernetes/cmd/kube-apiserver"),
    ("kubectl", "k8s.io/kubernetes/cmd/kubectl"),
];

/// What a cluster needs besides.
const NODE: &[(&str, &str)] = &[
    ("kube-controller-manager", "k8s.io/kubernetes/cmd/kube-controller-manager"),
    ("kube-scheduler", "k8s.io/kubernetes/cmd/kube-scheduler"),
    ("kubelet", "k8s.io/kubernetes/cmd/kubelet"),
    ("kube-proxy", "k8s.io/kubernetes/cmd/kube-proxy"),
    (STAND_IN, "countersign.dev/harness/stand_in"),
];

/// The program that runs in the images of the tutorial.
pub(crate) const STAND_IN: &str = "stand-in";

impl Binaries {
    /// The programs of the pinned version, from the cache, whatever `KUBEBUILDER_ASSETS` says: a kubelet may not be newer than
    /// its API server.
    ///
    /// # Errors
    /// When no Go is installed, or when the build fails.
    pub fn pinned() -> Result<Self> {
        Self::cached(&cache::folder()?)
    }

    /// The programs in `KUBEBUILDER_ASSETS` (the convention of controller-runtime's envtest) if that is set; else those in
    /// the cache, `$XDG_CACHE_HOME/countersign` or `~/.cache/countersign`, built there from Go modules if they are missing.
    ///
    /// # Errors
    /// When `KUBEBUILDER_ASSETS` names a folder without etcd or kube-apiserver, when no Go is installed, or when the build
    /// fails.
    pub fn find() -> Result<Self> {
        match env::var_os("KUBEBUILDER_ASSETS") {
            Some(folder) => Self::given(PathBuf::from(folder)),
            None => Self::cached(&cache::folder()?),
        }
    }

    /// The version of Kubernetes that the harness builds: `v1.35.4`, say.
    pub fn pinned_version() -> &'static str {
        required("k8s.io/kubernetes").unwrap_or("of no version")
    }

    /// The folder that the programs are in.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn etcd(&self) -> PathBuf {
        self.folder.join("etcd")
    }

    pub(crate) fn kube_apiserver(&self) -> PathBuf {
        self.folder.join("kube-apiserver")
    }

    pub(crate) fn kubectl(&self) -> PathBuf {
        self.folder.join("kubectl")
    }

    fn given(folder: PathBuf) -> Result<Self> {
        for program in ["etcd", "kube-apiserver"] {
            ensure!(
                folder.join(program).is_file(),
                "KUBEBUILDER_ASSETS is {}, which has no {program}: point it at a folder with etcd, kube-apiserver and \
                 kubectl, or unset it to have them built",
                folder.display()
            );
        }
        Ok(Self { folder })
    }

    fn cached(cache: &Path) -> Result<Self> {
        let kubernetes = required("k8s.io/kubernetes").context("go/go.mod requires no k8s.io/kubernetes")?;
        let etcd = required("go.etcd.io/etcd/server/v3").context("go/go.mod requires no etcd")?;
        let set = Set {
            name: format!("kubernetes-{kubernetes}-etcd-{etcd}"),
            kubernetes,
            programs: CONTROL_PLANE,
            takes: "5 minutes",
        };
        Ok(Self { folder: built(cache, &set)? })
    }
}

impl NodeBinaries {
    /// The programs in the cache, built there from Go modules if they are missing; those of [`Binaries::pinned`] fit them.
    ///
    /// # Errors
    /// When no Go is installed, or when the build fails.
    pub fn find() -> Result<Self> {
        let kubernetes = required("k8s.io/kubernetes").context("go/go.mod requires no k8s.io/kubernetes")?;
        let set = Set { name: format!("kubernetes-node-{kubernetes}"), kubernetes, programs: NODE, takes: "4 minutes more" };
        Ok(Self { folder: built(&cache::folder()?, &set)? })
    }

    /// The folder that the programs are in.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

/// The folder of a set of programs.
fn built(cache: &Path, set: &Set) -> Result<PathBuf> {
    cache::kept(cache, &set.name, |unfinished, folder| go_build::build(set, unfinished, folder))
}

/// The version that `go.mod` requires of a module.
fn required(module: &str) -> Option<&'static str> {
    GO_MOD.lines().find_map(|line| {
        let mut words = line.trim_start().trim_start_matches("require ").split_whitespace();
        words.next().filter(|word| *word == module)?;
        words.next().filter(|version| version.starts_with('v'))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn go_mod_says_the_versions() {
        assert!(Binaries::pinned_version().starts_with("v1."), "{}", Binaries::pinned_version());
        assert!(required("go.etcd.io/etcd/server/v3").unwrap().starts_with("v3."));
        assert_eq!(required("k8s.io/kuber"), None);
    }

    #[test]
    fn a_given_folder_without_the_programs_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let error = Binaries::given(folder.path().to_owned()).unwrap_err().to_string();
        assert!(error.contains("has no etcd"), "{error}");
        assert!(error.contains(&folder.path().display().to_string()), "{error}");
    }
}
