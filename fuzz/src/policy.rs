//! The text of a policy: examined by the guest's own engine, and compared with a pod, within their bounds whatever it says.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use countersign_decision::asked_pod;
use countersign_decision::pod::Pod;
use countersign_golden::NAMESPACE;
use countersign_policy::Document;
use countersign_policy::coverage::AskedPod;
use countersign_policy::engine::{Evaluator, InProcess};
use countersign_policy::examined::Examined;

use crate::cases;

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../golden/policies");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    // Those that loop take all of the time that they get, and nothing is learnt from their neighbours.
    let of_cases = files.filter(|path| !path.ends_with("loop.rego")).map(|path| std::fs::read(path).unwrap());
    of_cases.chain(cases::samples("rego")).collect()
}

pub(crate) fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let evaluator: Arc<dyn Evaluator> = Arc::new(InProcess);
    let Ok(examined) = Examined::of(&Arc::new(Document::AgentPolicy(text.into())), &evaluator) else { return };
    assert!(examined.permissions.is_some(), "a policy says what its guest accepts");
    assert_eq!(examined.data.is_some(), examined.coverage.is_some(), "what it describes is what pods are compared with");
    let Some(coverage) = examined.coverage else { return };
    for pod in &*PODS {
        let at_once = coverage.findings_at_once(pod);
        let found = coverage.findings(pod);
        assert!(at_once.is_none_or(|at_once| at_once == found), "what is found at once is what is found");
        assert_eq!(coverage.findings_at_once(pod), Some(found), "what was found is known");
    }
}

/// The pods of the comparison's golden cases.
static PODS: LazyLock<Vec<AskedPod>> = LazyLock::new(|| {
    let cases = countersign_golden::rule_cases().unwrap();
    let cases = cases.iter().filter(|case| case.row == "policy-covers-the-pod");
    let asked = |json: String| asked_pod(&Pod::from_json(&json).unwrap(), NAMESPACE).unwrap();
    cases.map(|case| asked(case.pod.to_string())).take(3).collect()
});
