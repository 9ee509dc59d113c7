//! Everything to install, as YAML for people: one file per concern, rendered from templates with a handful of literals.
//!
//! What the manifests must know of the configuration (class names, namespaces, bounds) is written into them, because the API
//! server decides by them whom to ask while nothing of Countersign is running.

mod chart;
mod generated;
mod literals;
mod placeholders;
mod template;

use std::borrow::Cow;

use countersign_decision::configuration::Configuration;
use countersign_decision::names::{MalformedName, Name};

pub use chart::helm_values;
pub use generated::{GeneratedFile, Ungenerable, generated_files};
use literals::Literals;

/// The namespace of an installation that names none.
pub const NAMESPACE: &str = crate::knowledge::HOME;
/// The image of an installation that names none: what the Dockerfile builds, under this version.
pub const IMAGE: &str = concat!("countersign:", env!("CARGO_PKG_VERSION"));
/// The port of the container that the API server reaches through the Service.
pub const HTTPS_PORT: u16 = 8443;
/// The port of the container for health and metrics.
pub const HEALTH_PORT: u16 = 8080;
/// Where the container finds the configuration file, if the installation has one.
pub const CONFIGURATION_FILE: &str = "/etc/countersign/configuration/configuration.yaml";

/// The templates of an installation's files, in the order in which the files are applied: the webhooks come last.
fn templates() -> [(&'static str, Cow<'static, str>); 17] {
    let pods = backstop("confidential-pods", include_str!("templates/policy-confidential-pods.yaml"));
    let required = backstop("pods-in-required-namespaces", include_str!("templates/policy-pods-in-required-namespaces.yaml"));
    [
        ("namespace.yaml", include_str!("templates/namespace.yaml").into()),
        ("rbac.yaml", include_str!("templates/rbac.yaml").into()),
        ("resource-quota.yaml", include_str!("templates/resource-quota.yaml").into()),
        (CONFIGURATION, include_str!("templates/configuration.yaml").into()),
        ("certificates.yaml", include_str!("templates/certificates.yaml").into()),
        ("deployment.yaml", include_str!("templates/deployment.yaml").into()),
        ("service.yaml", include_str!("templates/service.yaml").into()),
        ("network-policy.yaml", include_str!("templates/network-policy.yaml").into()),
        // Before the next: whoever applies them over an installation in which that one was for these pods too leaves none out.
        ("policy-pods-in-required-namespaces.yaml", required.into()),
        ("policy-confidential-pods.yaml", pods.into()),
        ("policy-countersigned-label.yaml", include_str!("templates/policy-countersigned-label.yaml").into()),
        ("policy-unchanging-keys.yaml", include_str!("templates/policy-unchanging-keys.yaml").into()),
        ("policy-confidential-handlers.yaml", include_str!("templates/policy-confidential-handlers.yaml").into()),
        ("policy-namespace-labels.yaml", include_str!("templates/policy-namespace-labels.yaml").into()),
        ("policy-webhook-configurations.yaml", include_str!("templates/policy-webhook-configurations.yaml").into()),
        ("mutating-webhook.yaml", include_str!("templates/mutating-webhook.yaml").into()),
        ("validating-webhook.yaml", include_str!("templates/validating-webhook.yaml").into()),
    ]
}

/// A policy of the backstop: `head` says which pods it is for; what they must have and how it is bound is the same for all.
fn backstop(policy: &str, head: &str) -> String {
    let confidential = include_str!("templates/backstop-confidential.cel").trim_end().to_owned();
    let head = template::fill(head, &[("confidential", confidential)]);
    let bindings = template::fill(include_str!("templates/backstop-bindings.yaml"), &[("policy", policy.to_owned())]);
    [&head, include_str!("templates/backstop-rules.yaml"), &bindings].concat()
}

/// The one file that an installation with the built-in configuration does without.
const CONFIGURATION: &str = "configuration.yaml";

/// One file of an installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestFile {
    /// The file's name, without a folder.
    pub name: &'static str,
    /// One or more YAML documents, each with a final line break.
    pub text: String,
}

/// Why nothing can be rendered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unrenderable {
    /// The namespace is not the name of one.
    #[error("namespace {0}")]
    Name(#[from] MalformedName),
    /// No namespace has such a name: it has dots or is too long.
    #[error("namespace {0:?} is not the name of a namespace: write at most 63 letters, digits and \"-\"")]
    Label(String),
    /// The namespace holds the cluster's own or everybody's pods.
    #[error(
        "namespace {0} is not Countersign's alone: who may write its ConfigMaps would write the allow-list; choose another"
    )]
    Shared(String),
    /// Countersign would have to admit its own pods before it runs.
    #[error(
        "namespace {0} is in requiredNamespaces of the configuration, so Countersign's own pods could never start: remove it"
    )]
    Required(String),
    /// The configuration has a character that cannot be repeated in the manifests.
    #[error(
        "line {line} of the configuration has the character U+{:04X}, which kubectl takes for a line break or refuses: remove it, or write \
         it as an escape in double quotes",
        u32::from(*.character)
    )]
    Unprintable {
        /// The character.
        character: char,
        /// Its line, from 1.
        line: usize,
    },
    /// The image is not an image reference.
    #[error("image {0:?} is not an image reference: write it as registry/name:tag or registry/name@sha256:digest")]
    Image(String),
}

/// Renders everything to install.
///
/// `source` is the text of the configuration file that `configuration` was read from; `None` where it is the built-in one.
/// `namespace` becomes Countersign's own; `image` is the image reference of its container.
pub fn render(
    configuration: &Configuration,
    source: Option<&str>,
    namespace: &str,
    image: &str,
) -> Result<Vec<ManifestFile>, Unrenderable> {
    let namespace = own_namespace(namespace, configuration)?;
    let source = source.map(literals::normalised);
    if let Some((character, line)) = source.as_deref().and_then(literals::unprintable) {
        return Err(Unrenderable::Unprintable { character, line });
    }
    let literals = Literals::of(configuration);
    let values = placeholders::values(&literals, source.as_deref(), &namespace, image_reference(image)?);
    let files = templates().into_iter().filter(|(name, _)| source.is_some() || *name != CONFIGURATION);
    Ok(files.map(|(name, text)| ManifestFile { name, text: template::fill(&text, &values) }).collect())
}

/// Files as one stream of YAML documents.
pub fn joined(files: &[ManifestFile]) -> String {
    files.iter().map(|file| file.text.as_str()).collect::<Vec<_>>().join("---\n")
}

/// The namespace that becomes Countersign's own.
fn own_namespace(text: &str, configuration: &Configuration) -> Result<Name, Unrenderable> {
    let namespace = Name::parse(text)?;
    if text.contains('.') || text.len() > 63 {
        return Err(Unrenderable::Label(text.to_owned()));
    }
    // Source: Kubernetes, "Namespaces": the prefix kube- is reserved for the cluster's own.
    if text == "default" || text.starts_with("kube-") {
        return Err(Unrenderable::Shared(text.to_owned()));
    }
    if configuration.required_namespaces.contains(&namespace) {
        return Err(Unrenderable::Required(text.to_owned()));
    }
    Ok(namespace)
}

/// An image reference, by the characters that one may have.
///
/// Source: the distribution project's reference grammar.
fn image_reference(text: &str) -> Result<&str, Unrenderable> {
    let permitted = |c: char| c.is_ascii_alphanumeric() || "._-/:@".contains(c);
    let begins = text.starts_with(|c: char| c.is_ascii_alphanumeric());
    if begins && text.chars().all(permitted) { Ok(text) } else { Err(Unrenderable::Image(text.to_owned())) }
}

#[cfg(test)]
mod documentation;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;
