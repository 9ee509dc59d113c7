//! The RuntimeClass of each enabled profile is there, and every class names a handler that its profile lists.
//!
//! Why: without it the API server refuses every pod of the profile in words of its own; with another handler the pod would run
//! outside the trusted virtual machine; and a class that no profile knows, with a confidential handler, is asked of nobody.

use kube::ResourceExt as _;

use crate::commands::doctor::finding::{Examined, Finding};
use crate::commands::doctor::snapshot::Snapshot;

pub(super) fn examine(snapshot: &Snapshot) -> Examined {
    let classes = match &snapshot.runtime_classes {
        Ok(classes) => classes,
        Err(unseen) => return Examined::unseen(unseen),
    };
    let configuration = &snapshot.configuration;
    let mut findings = Vec::new();
    for profile in &configuration.enabled {
        let name = &profile.runtime_class;
        if !classes.iter().any(|class| class.name_any() == **name) {
            let handler = profile.accepted(name).and_then(|accepted| accepted.handlers.first());
            let handler = handler.map(|handler| &**handler).unwrap_or_default();
            findings.push(Finding::wrong(
                format!("RuntimeClass {name} of profile {} is missing", profile.name),
                format!(
                    "the platform brings it with nodes that can run it; by hand:\nkubectl create -f - <<< '{{\"apiVersion\": \
                     \"node.k8s.io/v1\", \"kind\": \"RuntimeClass\", \"metadata\": {{\"name\": \"{name}\"}}, \"handler\": \"{handler}\"}}'"
                ),
            ));
        }
    }
    for class in classes {
        let name = class.name_any();
        let profiles = || configuration.profiles.iter().filter_map(|profile| profile.accepted(&name));
        let listed = profiles().any(|accepted| accepted.handlers.iter().any(|handler| **handler == *class.handler));
        if profiles().next().is_some() && !listed {
            let handlers: Vec<_> = profiles().flat_map(|accepted| &accepted.handlers).map(|handler| &**handler).collect();
            findings.push(Finding::wrong(
                format!("RuntimeClass {name} names handler {:?}, and its profile lists {}", class.handler, handlers.join(", ")),
                format!(
                    "kubectl delete runtimeclass {name}    # a handler never changes: make the class anew with the right one"
                ),
            ));
        } else if profiles().next().is_none() && configuration.is_confidential_handler(&class.handler) {
            findings.push(Finding::wrong(
                format!("RuntimeClass {name} names the confidential handler {:?}, and no profile lists the class: its pods are not judged", class.handler),
                format!("kubectl delete runtimeclass {name}    # or list it under accepts of a profile: docs/profiles.md"),
            ));
        }
    }
    let names: Vec<_> = configuration.enabled.iter().map(|profile| &*profile.runtime_class).collect();
    Examined::new(format!("{} has its handler", names.join(", ")), findings)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::healthy::healthy;
    use super::super::tests::findings;
    use crate::commands::doctor::snapshot::Snapshot;

    fn with(name: &str, handler: &str) -> Snapshot {
        let mut snapshot = healthy();
        let class = json!({"metadata": {"name": name}, "handler": handler});
        snapshot.runtime_classes.as_mut().unwrap().push(serde_json::from_value(class).unwrap());
        snapshot
    }

    #[test]
    fn a_missing_class_is_named_with_its_profile() {
        let mut snapshot = healthy();
        snapshot.runtime_classes = Ok(Vec::new());
        let found = findings("runtime-classes", &snapshot);
        assert_eq!(found[0].problem, "RuntimeClass kata-cc-isolation of profile aks is missing");
        assert!(found[0].mend.contains("\"handler\": \"kata-cc\""), "{}", found[0].mend);
    }

    #[test]
    fn a_class_with_another_handler_is_told() {
        assert_eq!(
            findings("runtime-classes", &with("kata-cc", "runc"))[0].problem,
            "RuntimeClass kata-cc names handler \"runc\", and its profile lists kata-cc"
        );
    }

    #[test]
    fn a_confidential_handler_under_an_unknown_name_is_told_and_an_ordinary_class_is_not() {
        assert!(findings("runtime-classes", &with("mine", "kata-cc"))[0].problem.contains("no profile lists the class"));
        assert_eq!(findings("runtime-classes", &with("gvisor", "runsc")), []);
    }
}
