//! The configuration file: which profiles there are, which are enabled, and how the cluster is judged.

mod certificates;
mod client_certificates;
mod limits;
mod profile;

use std::sync::Arc;

use countersign_policy::Measured;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_saphyr::Spanned;

pub use certificates::Certificates;
pub use client_certificates::{ClientCertificates, ClientName, MalformedClientName};
pub use limits::Limits;
pub use profile::{AcceptedClass, AddedMount, Additions, Coverage, Demand, PolicyAnnotation, Profile, Sidecar, TrustedLaunch};

use crate::names::Name;
use crate::yaml::{self, YamlError};

/// The profiles that are part of the program, in the order in which they are shown.
const BUILT_IN: [&str; 4] =
    [include_str!("aks.yaml"), include_str!("coco-snp.yaml"), include_str!("coco-tdx.yaml"), include_str!("coco-dev.yaml")];

/// What a refusal by /validate becomes in a namespace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// The pod is refused.
    #[default]
    Enforce,
    /// The pod is admitted with a warning to its user.
    Warn,
    /// The pod is admitted, and the audit log says what was wrong.
    Audit,
}

impl Mode {
    /// The word that the configuration and the namespace label use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Enforce => "enforce",
            Self::Warn => "warn",
            Self::Audit => "audit",
        }
    }

    /// Reads a namespace's label: an unknown value counts as enforce.
    pub fn of_label(value: &str) -> Self {
        [Self::Warn, Self::Audit].into_iter().find(|mode| mode.name() == value).unwrap_or_default()
    }
}

/// The configuration file as people write it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(title = "Configuration", description = "The configuration of Countersign.")]
pub struct ConfigurationFile {
    /// Always `countersign.dev/v1alpha1`.
    #[serde(rename = "apiVersion")]
    _api_version: ApiVersion,
    /// Always `Configuration`.
    #[serde(rename = "kind")]
    _kind: Kind,
    /// Profiles beside the built-in ones.
    #[serde(default)]
    #[schemars(with = "Vec<Profile>")]
    profiles: Vec<Spanned<Profile>>,
    /// The names of the profiles that pods may use; the first is the default.
    #[serde(default)]
    #[schemars(with = "Option<Vec<Name>>")]
    enabled_profiles: Option<Spanned<Vec<Spanned<Name>>>>,
    /// Namespaces in which every pod is opted in, whatever the labels say.
    #[serde(default)]
    #[schemars(with = "Vec<Name>")]
    required_namespaces: Vec<Spanned<Name>>,
    /// The mode of namespaces without a label of their own.
    #[serde(default)]
    default_mode: Mode,
    /// Bounds on sizes and times.
    #[serde(default)]
    limits: Limits,
    /// The certificates that the installation makes for itself.
    #[serde(default)]
    #[schemars(with = "Certificates")]
    certificates: Option<Spanned<Certificates>>,
    /// Who may call the webhook's port; without it, anybody.
    #[serde(default)]
    client_certificates: Option<ClientCertificates>,
}

#[derive(Debug, Deserialize, JsonSchema)]
enum ApiVersion {
    #[serde(rename = "countersign.dev/v1alpha1")]
    V1Alpha1,
}

#[derive(Debug, Deserialize, JsonSchema)]
enum Kind {
    Configuration,
}

/// The configuration in force: every reference in it is known to be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Configuration {
    /// Every known profile: the built-in ones, then those of the file.
    pub profiles: Vec<Arc<Profile>>,
    /// The enabled profiles, in the order of the file; never empty.
    pub enabled: Vec<Arc<Profile>>,
    /// Namespaces in which every pod is opted in.
    pub required_namespaces: Vec<Name>,
    /// The mode of namespaces without a label of their own.
    pub default_mode: Mode,
    /// Bounds on sizes and times.
    pub limits: Limits,
    /// The certificates that the installation makes for itself.
    pub certificates: Certificates,
    /// Who may call the webhook's port; `None` is anybody.
    pub client_certificates: Option<ClientCertificates>,
}

impl Configuration {
    /// The configuration of someone who wrote none: profile `aks`, mode enforce.
    ///
    /// The error can only come from a built-in profile, and a test reads them all.
    pub fn built_in() -> Result<Self, YamlError> {
        Self::parse("{apiVersion: countersign.dev/v1alpha1, kind: Configuration}")
    }

    /// Reads a configuration file. The error names the field, the line and the column.
    pub fn parse(text: &str) -> Result<Self, YamlError> {
        let file: ConfigurationFile = yaml::read(text)?;
        let mut profiles: Vec<Arc<Profile>> = Vec::new();
        for text in BUILT_IN {
            profiles.push(Arc::new(yaml::read(text)?));
        }
        for (index, profile) in file.profiles.iter().enumerate() {
            let problem = check(&profile.value).err().or_else(|| {
                let known = profiles.iter().any(|other| other.name == profile.value.name);
                known.then(|| format!("name: a profile {} exists already: choose another name", profile.value.name))
            });
            if let Some(problem) = problem {
                return Err(at(profile, format!("profiles[{index}].{problem}")));
            }
            profiles.push(Arc::new(profile.value.clone()));
        }
        let enabled = match &file.enabled_profiles {
            None => profiles.first().cloned().into_iter().collect(),
            Some(names) if names.value.is_empty() => {
                let message = "enabledProfiles: is empty: name at least one profile, or leave the field out for aks";
                return Err(at(names, message.to_owned()));
            }
            Some(names) => enabled(&names.value, &profiles)?,
        };
        for (index, name) in file.required_namespaces.iter().enumerate() {
            if name.value == *"kube-system" {
                return Err(at(
                    name,
                    format!(
                        "requiredNamespaces[{index}]: kube-system runs the cluster's own pods, which are never confidential: remove it"
                    ),
                ));
            }
        }
        if file.limits.max_body_bytes > file.limits.max_bytes_in_flight {
            return Err(limits::no_room(text));
        }
        if let Some(certificates) = &file.certificates {
            certificates.value.check().map_err(|problem| at(certificates, problem.to_owned()))?;
        }
        Ok(Self {
            profiles,
            enabled,
            required_namespaces: file.required_namespaces.into_iter().map(|name| name.value).collect(),
            default_mode: file.default_mode,
            limits: file.limits,
            certificates: file.certificates.map(|certificates| certificates.value).unwrap_or_default(),
            client_certificates: file.client_certificates,
        })
    }

    /// The enabled profile of this name.
    pub fn enabled_profile(&self, name: &str) -> Option<&Arc<Profile>> {
        self.enabled.iter().find(|profile| profile.name == *name)
    }

    /// The names of the enabled profiles, as a sentence has them.
    pub fn enabled_names(&self) -> String {
        self.enabled.iter().map(|profile| &*profile.name).collect::<Vec<_>>().join(", ")
    }

    /// Every runtime class that belongs to a known profile, once, in the order of the profiles.
    pub fn runtime_classes(&self) -> Vec<&Name> {
        let mut classes = Vec::new();
        for class in self.profiles.iter().flat_map(|profile| &profile.accepts).map(|accepted| &accepted.runtime_class) {
            if !classes.contains(&class) {
                classes.push(class);
            }
        }
        classes
    }

    /// Every handler that belongs to a known profile, once, in the order of the profiles.
    pub fn handlers(&self) -> Vec<&Name> {
        let mut handlers = Vec::new();
        for handler in self.profiles.iter().flat_map(|profile| &profile.accepts).flat_map(|accepted| &accepted.handlers) {
            if !handlers.contains(&handler) {
                handlers.push(handler);
            }
        }
        handlers
    }

    /// The key of every annotation that a known profile measures, once, in the order of the profiles.
    pub fn policy_annotations(&self) -> Vec<&'static str> {
        let mut keys = Vec::new();
        for key in self.profiles.iter().map(|profile| profile.policy_annotation.key()) {
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        keys
    }

    /// Every runtime class that an enabled profile accepts, once, in the order of the profiles.
    pub fn enabled_classes(&self) -> Vec<&Name> {
        let mut classes = Vec::new();
        for (class, _) in self.measured_classes() {
            if !classes.contains(&class) {
                classes.push(class);
            }
        }
        classes
    }

    /// Every runtime class that an enabled profile accepts, with the key of the annotation that is measured in it.
    pub fn measured_classes(&self) -> Vec<(&Name, &'static str)> {
        let mut measured = Vec::new();
        for profile in &self.enabled {
            for accepted in &profile.accepts {
                let pair = (&accepted.runtime_class, profile.policy_annotation.key());
                if !measured.contains(&pair) {
                    measured.push(pair);
                }
            }
        }
        measured
    }

    /// Whether a runtime class of this name belongs to a profile.
    pub fn is_confidential_class(&self, class: &str) -> bool {
        self.profiles.iter().any(|profile| profile.accepted(class).is_some())
    }

    /// Whether a handler of this name belongs to a profile.
    pub fn is_confidential_handler(&self, handler: &str) -> bool {
        let mut handlers = self.profiles.iter().flat_map(|profile| &profile.accepts).flat_map(|accepted| &accepted.handlers);
        handlers.any(|known| *known == *handler)
    }
}

/// The profiles that `names` enables, each once.
fn enabled(names: &[Spanned<Name>], profiles: &[Arc<Profile>]) -> Result<Vec<Arc<Profile>>, YamlError> {
    let mut enabled: Vec<Arc<Profile>> = Vec::new();
    for (index, name) in names.iter().enumerate() {
        let profile = profiles.iter().find(|profile| profile.name == name.value).ok_or_else(|| {
            let known = profiles.iter().map(|profile| &*profile.name).collect::<Vec<_>>().join(", ");
            at(name, format!("enabledProfiles[{index}]: there is no profile {}: known are {known}", name.value))
        })?;
        if enabled.contains(profile) {
            return Err(at(name, format!("enabledProfiles[{index}]: {} stands twice", name.value)));
        }
        enabled.push(Arc::clone(profile));
    }
    Ok(enabled)
}

/// What a profile's types cannot say; the problem begins with the field.
fn check(profile: &Profile) -> Result<(), String> {
    if profile.accepted(&profile.runtime_class).is_none() {
        return Err(format!(
            "accepts: lacks {}, the runtime class that the profile injects: add it with its handlers",
            profile.runtime_class
        ));
    }
    if let Some(accepted) = profile.accepts.iter().find(|accepted| accepted.handlers.is_empty()) {
        return Err(format!("accepts: {} lists no handler", accepted.runtime_class));
    }
    if let Some(key) = profile.permitted_annotations.iter().find(|key| !key.starts_with(crate::labels::KATA_PREFIX)) {
        return Err(format!(
            "permittedAnnotations: {key:?} does not begin with {}: every other annotation is permitted anyway",
            crate::labels::KATA_PREFIX
        ));
    }
    let own = profile.policy_annotation.key();
    let carries_a_policy = |key: &str| Measured::ALL.iter().any(|measured| measured.annotation() == key);
    if let Some(key) = profile.permitted_annotations.iter().find(|key| *key != own && carries_a_policy(key)) {
        return Err(format!("permittedAnnotations: {key:?} carries a policy, and the profile's runtime measures {own} alone"));
    }
    let Some(sidecar) = &profile.sidecar else { return Ok(()) };
    let text = |field: &str| sidecar.container.get(field).and_then(Value::as_str).is_some_and(|text| !text.is_empty());
    if !text("name") || !text("image") {
        return Err("sidecar.container: needs a name and an image".to_owned());
    }
    if sidecar.native != (sidecar.container.get("restartPolicy").and_then(Value::as_str) == Some("Always")) {
        return Err("sidecar.native: true goes with restartPolicy: Always in the container, and false without it".to_owned());
    }
    if sidecar.volumes.iter().any(|volume| volume.get("name").and_then(Value::as_str).is_none_or(str::is_empty)) {
        return Err("sidecar.volumes: every volume needs a name".to_owned());
    }
    Ok(())
}

/// An error at the place of a value.
fn at<T>(value: &Spanned<T>, message: String) -> YamlError {
    YamlError { line: value.referenced.line(), column: value.referenced.column(), message }
}

#[cfg(test)]
mod tests;
