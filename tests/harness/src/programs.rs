//! Other people's programs that the installation is tried with: built from their Go modules once, kept in the cache.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::binaries::Binaries;
use crate::cache;
use crate::go_build;

/// A program and the Go module here that pins what it is built from.
#[derive(Debug)]
struct Program {
    name: &'static str,
    /// The folder of the Go module.
    folder: &'static str,
    /// All of the module's text: another text is another program.
    texts: &'static [&'static str],
    /// The main package, and the module that gives the program its version.
    package: &'static str,
    module: &'static str,
    /// What is written into the program, for its version: without it helm takes itself for an old one.
    stamps: fn(&str) -> String,
    /// A folder of the module that is kept beside the program.
    beside: Option<&'static str>,
}

const PACKAGING: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/go-packaging");
const PACKAGING_TEXTS: &[&str] = &[include_str!("../go-packaging/go.mod")];

const HELM: Program = Program {
    name: "helm",
    folder: PACKAGING,
    texts: PACKAGING_TEXTS,
    package: "helm.sh/helm/v3/cmd/helm",
    module: "helm.sh/helm/v3",
    stamps: |version| {
        // `helm template` asks nobody which Kubernetes it renders for.
        let capabilities = "helm.sh/helm/v3/pkg/chartutil.k8sVersion";
        let kubernetes = Binaries::pinned_version().trim_start_matches('v').split('.').nth(1).unwrap_or_default();
        format!(
            " -X helm.sh/helm/v3/internal/version.version={version} -X {capabilities}Major=1 -X {capabilities}Minor={kubernetes}"
        )
    },
    beside: None,
};

const KUSTOMIZE: Program = Program {
    name: "kustomize",
    folder: PACKAGING,
    texts: PACKAGING_TEXTS,
    package: "sigs.k8s.io/kustomize/kustomize/v5",
    module: "sigs.k8s.io/kustomize/kustomize/v5",
    stamps: |_| String::new(),
    beside: None,
};

const CERT_MANAGER: Program = Program {
    name: "cert-manager",
    folder: concat!(env!("CARGO_MANIFEST_DIR"), "/go-cert-manager"),
    texts: &[include_str!("../go-cert-manager/go.mod"), include_str!("../go-cert-manager/main.go")],
    package: ".",
    module: "github.com/cert-manager/cert-manager",
    stamps: |_| String::new(),
    beside: Some("deploy/crds"),
};

const KWOK: Program = Program {
    name: "kwok",
    folder: concat!(env!("CARGO_MANIFEST_DIR"), "/go-kwok"),
    texts: &[include_str!("../go-kwok/go.mod")],
    package: "sigs.k8s.io/kwok/cmd/kwok",
    module: "sigs.k8s.io/kwok",
    stamps: |_| String::new(),
    beside: None,
};

/// The path of helm.
///
/// # Errors
/// When no Go is installed or the build fails.
pub fn helm() -> Result<PathBuf> {
    Ok(HELM.folder()?.join(HELM.name))
}

/// The path of kustomize.
///
/// # Errors
/// As [`helm`].
pub fn kustomize() -> Result<PathBuf> {
    Ok(KUSTOMIZE.folder()?.join(KUSTOMIZE.name))
}

/// The path of kwok, which plays the kubelets of nodes that are objects alone (`--kubeconfig FILE --manage-all-nodes`).
///
/// # Errors
/// As [`helm`].
pub fn kwok() -> Result<PathBuf> {
    Ok(KWOK.folder()?.join(KWOK.name))
}

/// The path of cert-manager's controllers and cainjector in one program (`--kube-config FILE`), and the folder of its CRDs.
///
/// # Errors
/// As [`helm`].
pub fn cert_manager() -> Result<(PathBuf, PathBuf)> {
    let folder = CERT_MANAGER.folder()?;
    Ok((folder.join(CERT_MANAGER.name), folder.join("crds")))
}

impl Program {
    /// The folder in the cache that holds the program.
    fn folder(&self) -> Result<PathBuf> {
        let version = self.version()?;
        let mut text = DefaultHasher::new();
        self.texts.hash(&mut text);
        let name = format!("{}-{version}-{:08x}", self.name, text.finish() >> 32);
        cache::kept(&cache::folder()?, &name, |unfinished, folder| self.build(version, unfinished, folder))
    }

    /// The version that the module's go.mod requires.
    fn version(&self) -> Result<&'static str> {
        let lines = self.texts.iter().flat_map(|text| text.lines());
        let mut words = lines.map(|line| line.trim_start_matches("require ").split_whitespace());
        words
            .find_map(|mut words| (words.next() == Some(self.module)).then(|| words.next())?)
            .filter(|version| version.starts_with('v'))
            .with_context(|| format!("{}/go.mod requires no {}", self.folder, self.module))
    }

    fn build(&self, version: &str, unfinished: &Path, folder: &Path) -> Result<()> {
        eprintln!("building {} {version} from its Go module, once, into {} (minutes)", self.name, folder.display());
        let mut go = Command::new("go");
        go.current_dir(self.folder)
            .env("CGO_ENABLED", "0")
            .args(["build", "-v", "-mod=readonly", "-trimpath", "-ldflags", &format!("-s -w{}", (self.stamps)(version)), "-o"])
            .arg(unfinished.join(self.name))
            .arg(self.package);
        go_build::run(self.name, &mut go)?;
        if let Some(kept) = self.beside {
            let source = self.source()?.join(kept);
            let target = unfinished.join(source.file_name().unwrap_or_default());
            fs::create_dir(&target)?;
            for file in fs::read_dir(&source).with_context(|| format!("cannot read {}", source.display()))? {
                let file = file?;
                fs::copy(file.path(), target.join(file.file_name()))?;
            }
        }
        Ok(())
    }

    /// Where Go keeps the module's source.
    fn source(&self) -> Result<PathBuf> {
        let mut go = Command::new("go");
        go.current_dir(self.folder).args(["list", "-mod=readonly", "-m", "-f", "{{.Dir}}", self.module]);
        let output = go.output().context("cannot start go")?;
        ensure!(output.status.success(), "go list -m {}: {}", self.module, String::from_utf8_lossy(&output.stderr));
        Ok(PathBuf::from(String::from_utf8(output.stdout)?.trim_end()))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn go_mod_says_the_versions_of_the_programs() {
        for (program, major) in [(HELM, "v3."), (KUSTOMIZE, "v5."), (CERT_MANAGER, "v1."), (KWOK, "v0.")] {
            assert!(program.version().unwrap().starts_with(major), "{program:?}");
        }
    }
}
