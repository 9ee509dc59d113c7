//! The programs that all other tests of the API server need; whatever is missing is built here, before them.
#![allow(clippy::unwrap_used)]

use countersign_harness::Binaries;

#[test]
fn etcd_kube_apiserver_and_kubectl_are_there() {
    let binaries = Binaries::find().unwrap();
    for program in ["etcd", "kube-apiserver", "kubectl"] {
        let file = binaries.folder().join(program);
        assert!(file.is_file(), "{} is missing", file.display());
    }
}
