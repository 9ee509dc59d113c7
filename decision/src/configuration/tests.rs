use super::*;

const HEAD: &str = "apiVersion: countersign.dev/v1alpha1\nkind: Configuration\n";

fn error(rest: &str) -> String {
    Configuration::parse(&format!("{HEAD}{rest}")).unwrap_err().to_string()
}

#[test]
fn without_a_file_aks_is_enabled_and_enforced() {
    let configuration = Configuration::built_in().unwrap();
    assert_eq!(configuration.enabled_names(), "aks");
    assert_eq!(configuration.default_mode, Mode::Enforce);
    assert_eq!(configuration.enabled[0].sidecar.as_ref().unwrap().name(), "skr");
}

/// A policy measures the sidecar: what is released must stay as it is. If this fails, undo the change and make a new profile.
#[test]
fn a_released_built_in_profile_never_changes() {
    let profiles = Configuration::built_in().unwrap().profiles;
    let released = profiles.iter().map(|profile| {
        let digest = countersign_policy::Digest::sha256_of(serde_json::to_string(&**profile).unwrap().as_bytes());
        format!("{} {digest}", profile.name)
    });
    assert_eq!(
        released.collect::<Vec<_>>(),
        [
            "aks sha256:5c626fdfd031cc15ca61344d6430dfd1457996462b82a73900506b0943d52262",
            "coco-snp sha256:27eabfb7bad040b3e725584d4e9b53163489f371a18c9af1f421c31a13f4d427",
            "coco-tdx sha256:e4ff65d6a2c93c41bc4411bdda2ca198b7f1d97833d8f22d2f2fac2ded6b4233",
            "coco-dev sha256:a99c2511c3555083105eb2c04fb0561eb128a4d7982002f93231ca52de095ac8",
        ]
    );
}

#[test]
fn the_built_in_profiles_contradict_nothing_that_a_file_must_not() {
    for profile in Configuration::built_in().unwrap().profiles {
        assert_eq!(check(&profile), Ok(()), "{}", profile.name);
    }
}

#[test]
fn what_is_measured_in_a_class_is_known_of_enabled_profiles_alone() {
    let enabled = |names: &str| {
        let configuration = Configuration::parse(&format!("{HEAD}enabledProfiles: [{names}]\n")).unwrap();
        let measured = configuration.measured_classes();
        measured.iter().map(|(class, key)| format!("{class} {key}")).collect::<Vec<_>>()
    };
    assert_eq!(enabled("coco-snp"), ["kata-qemu-snp io.katacontainers.config.hypervisor.cc_init_data"]);
    assert_eq!(enabled("aks, coco-tdx").len(), 3);
}

#[test]
fn a_whole_file_is_read() {
    let configuration = Configuration::parse(&format!(
        "{HEAD}profiles:\n- name: plain\n  runtimeClass: kata-cc\n  accepts:\n  - {{runtimeClass: kata-cc, handlers: [kata-cc]}}\n  \
         policyAnnotation: io.katacontainers.config.agent.policy\nenabledProfiles: [plain, aks]\nrequiredNamespaces: [payments]\n\
         defaultMode: audit\nlimits: {{factsStaleAfter: 1h 30m, maxPolicyCharacters: 1000}}\n"
    ))
    .unwrap();
    assert_eq!(configuration.enabled_names(), "plain, aks");
    assert_eq!(configuration.enabled[0].trusted_launch, TrustedLaunch::default());
    assert_eq!(configuration.default_mode, Mode::Audit);
    assert_eq!(configuration.limits.facts_stale_after, jiff::SignedDuration::from_mins(90));
    assert_eq!(configuration.limits.last_good_for, jiff::SignedDuration::from_hours(1));
    assert!(configuration.required_namespaces.iter().any(|name| *name == *"payments"));
    let classes = configuration.runtime_classes();
    let known = ["kata-cc-isolation", "kata-cc", "kata-qemu-snp", "kata-qemu-tdx", "kata-qemu-coco-dev"];
    assert!(classes.iter().map(|class| &***class).eq(known), "{classes:?}: each stands once, its profile enabled or not");
}

#[test]
fn what_is_wrong_is_named_with_field_line_and_column() {
    assert_eq!(Configuration::parse("").unwrap_err().line, 1);
    assert!(Configuration::parse("kind: Configuration\n").unwrap_err().message.contains("missing field `apiVersion`"));
    assert!(
        error("profile: aks\n").starts_with("line 3, column 1: profile: unknown field `profile`"),
        "{}",
        error("profile: aks\n")
    );
    assert_eq!(
        error("enabledProfiles: [aks, akz]\n"),
        "line 3, column 24: enabledProfiles[1]: there is no profile akz: known are aks, coco-snp, coco-tdx, coco-dev"
    );
    assert_eq!(error("enabledProfiles: [aks, aks]\n"), "line 3, column 24: enabledProfiles[1]: aks stands twice");
    let empty = error("enabledProfiles: []\n");
    assert!(empty.starts_with("line 3, column 18: enabledProfiles: is empty"), "{empty}");
    assert!(error("defaultMode: warning\n").starts_with("line 3, column 14: defaultMode: "));
    assert!(
        error("requiredNamespaces: [Payments]\n")
            .starts_with("line 3, column 22: requiredNamespaces[0]: \"Payments\" is not a name")
    );
    assert!(error("requiredNamespaces: [kube-system]\n").contains("runs the cluster's own pods"));
    assert!(error("limits: {factsStaleAfter: ten}\n").contains("limits.factsStaleAfter: \"ten\" is not a duration"));
    assert!(error("limits: {maxBodyBytes: 0}\n").contains("limits.maxBodyBytes: is 0, and would refuse everything"));
    assert!(
        error("limits:\n  maxBytesInFlight: 1\n  maxBodyBytes: 2\n")
            .starts_with("line 5, column 17: limits.maxBodyBytes: is more than")
    );
    assert!(error("limits:\n  maxBytesInFlight: 1\n").starts_with("line 4, column 21: limits.maxBodyBytes: is more than"));
    assert!(error("limits: {drainFor: 0s}\n").contains("limits.drainFor: \"0s\" is not longer than nothing"));
}

#[test]
fn a_profile_that_contradicts_itself_is_refused() {
    let profile = |fields: &str| {
        error(&format!(
            "profiles:\n- {{name: x, runtimeClass: a, policyAnnotation: io.katacontainers.config.agent.policy, {fields}}}\n"
        ))
    };
    let accepts = "accepts: [{runtimeClass: a, handlers: [a]}]";
    assert!(profile("accepts: []").contains("profiles[0].accepts: lacks a"));
    assert!(profile("accepts: [{runtimeClass: a, handlers: []}]").contains("a lists no handler"));
    assert!(profile(&format!("{accepts}, sidecar: {{container: {{name: s}}}}")).contains("needs a name and an image"));
    assert!(
        profile(&format!("{accepts}, sidecar: {{native: true, container: {{name: s, image: i}}}}"))
            .contains("restartPolicy: Always")
    );
    assert!(profile(&format!("{accepts}, permittedAnnotations: [a.b/c]")).contains("permitted anyway"));
    for key in ["io.katacontainers.config.hypervisor.cc_init_data", "io.katacontainers.config.runtime.cc_init_data"] {
        let error = profile(&format!("{accepts}, permittedAnnotations: [{key}]"));
        assert!(error.contains(&format!("permittedAnnotations: \"{key}\" carries a policy")), "{error}");
    }
    let twin = format!(
        "profiles:\n- {{name: aks, runtimeClass: a, policyAnnotation: io.katacontainers.config.agent.policy, {accepts}}}\n"
    );
    assert!(error(&twin).contains("a profile aks exists already"));
}

#[test]
fn a_profile_that_is_written_is_read_as_the_same_one() {
    for coverage in ["refuse", "strict", "warn"] {
        let text = format!(
            "{HEAD}profiles: [{{name: lab, runtimeClass: kata-lab, policyAnnotation: io.katacontainers.config.agent.policy, coverage: {coverage}, accepts: [{{runtimeClass: kata-lab, handlers: [k]}}]}}]\nenabledProfiles: [lab]\n"
        );
        let profile = Configuration::parse(&text).unwrap().enabled[0].clone();
        let written = serde_json::to_string(&*profile).unwrap();
        assert_eq!(serde_json::from_str::<Profile>(&written).unwrap(), *profile, "{written}");
        assert_eq!(written.contains("coverage"), coverage != "refuse", "what goes without saying is not said: {written}");
    }
}

#[test]
fn times_of_certificates_are_read_strictly_and_must_fit_each_other() {
    let short = format!("{HEAD}certificates: {{publishFor: 2s, authorityLife: 1h, leafLife: 10m}}\n");
    let read = Configuration::parse(&short).unwrap().certificates;
    assert_eq!(read.publish_for, jiff::SignedDuration::from_secs(2));
    assert_eq!(Configuration::parse(HEAD).unwrap().certificates, Certificates::default());
    let unknown = error("certificates: {waitFor: 2s}\n");
    assert!(unknown.starts_with("line 3, column 16: certificates.waitFor: unknown field"), "{unknown}");
    let nothing = error("certificates:\n  publishFor: 0s\n");
    assert!(nothing.starts_with("line 4, column 15: certificates.publishFor: \"0s\" is not longer than nothing"), "{nothing}");
    let third = format!("{HEAD}certificates: {{publishFor: 1h, authorityLife: 3h, leafLife: 1h}}\n");
    assert!(Configuration::parse(&third).is_ok(), "a third is no more than a third");
    let late = error("certificates: {publishFor: 1h, authorityLife: 2h, leafLife: 1m}\n");
    assert!(late.starts_with("line 3, column 15: certificates.publishFor: is more than a third"), "{late}");
    let long = error("certificates: {leafLife: 9000h}\n");
    assert!(long.contains("certificates.leafLife: is more than a third"), "{long}");
}

#[test]
fn client_certificates_are_asked_for_only_where_authorities_and_names_are_given() {
    assert_eq!(Configuration::built_in().unwrap().client_certificates, None);
    let text = format!("{HEAD}clientCertificates: {{authorities: /a/ca.crt, names: [kube-apiserver, 'a name']}}\n");
    let check = Configuration::parse(&text).unwrap().client_certificates.unwrap();
    assert_eq!(check.authorities, std::path::Path::new("/a/ca.crt"));
    assert!(check.names[0] == *"kube-apiserver" && check.names[0] != *"kube" && check.names[1] == *"a name");
    assert_eq!(check.names[1].to_string(), "a name");
    for (section, says) in [
        ("{names: [a]}", "missing field `authorities`"),
        ("{authorities: /a}", "missing field `names`"),
        ("{authorities: /a, names: []}", "is empty, and would let nobody in: write a name"),
        ("{authorities: '', names: [a]}", "is empty: write the path of a file"),
        ("{authorities: /a, names: [' a']}", "\" a\" is no name of a client"),
        ("{authorities: /a, names: [\"a\\nb\"]}", "is no name of a client"),
        ("{authorities: /a, names: [a], optional: true}", "unknown field `optional`"),
    ] {
        let error = error(&format!("clientCertificates: {section}\n"));
        assert!(error.contains(says) && error.starts_with("line 3, "), "{section}: {error}");
    }
}
