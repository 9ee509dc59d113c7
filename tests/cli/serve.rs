//! `countersign serve --standalone`, as a process: the right answer over HTTPS, and an edit of the list in force by itself.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::called::{countersign, file};

/// A server of this test, ended when dropped.
struct Server {
    process: Child,
    url: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn serve(folder: &Path, list: &str) -> Server {
    serve_with(folder, list, &[])
}

fn serve_with(folder: &Path, list: &str, flags: &[&str]) -> Server {
    let mut process = Command::new(env!("CARGO_BIN_EXE_countersign"))
        .args(["serve", "--standalone", "--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0", "--log", "json"])
        .args(["--allow-list", list, "--self-signed"])
        .arg(folder)
        .args(flags)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut log = BufReader::new(process.stderr.take().unwrap()).lines();
    let address = log
        .by_ref()
        .map_while(Result::ok)
        .filter_map(|line| serde_json::from_str::<Value>(&line).ok())
        .find_map(|line| {
            (line["fields"]["message"] == "serving").then(|| line["fields"]["reviews"].as_str().map(str::to_owned))?
        })
        .expect("the server says where it listens");
    // What it logs later is read and thrown away, so that it never waits for us.
    std::thread::spawn(move || log.for_each(drop));
    Server { process, url: format!("https://{address}") }
}

/// Sends a review as curl sends it.
fn validate(server: &Server, folder: &Path, pod: &Value) -> Value {
    let review = json!({
        "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
        "request": {"uid": "u", "operation": "CREATE", "namespace": "kafka", "kind": {"group": "", "version": "v1", "kind": "Pod"}, "object": pod}
    });
    let body = folder.join("review.json");
    std::fs::write(&body, review.to_string()).unwrap();
    let output = Command::new("curl")
        .args(["--silent", "--show-error", "--fail-with-body", "--header", "content-type: application/json"])
        .arg("--cacert")
        .arg(folder.join("ca.crt"))
        .arg("--data-binary")
        .arg(format!("@{}", body.display()))
        .arg(format!("{}/validate?timeout=5s", server.url))
        .output()
        .expect("curl is installed");
    assert!(output.status.success(), "{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice::<Value>(&output.stdout).unwrap()["response"].take()
}

#[test]
fn an_edit_of_the_allow_list_changes_the_next_answer_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string("manifests/samples/allow-list.yaml").unwrap();
    let list = folder.path().join("al.yaml");
    std::fs::write(&list, &text).unwrap();
    let server = serve(folder.path(), list.to_str().unwrap());
    let consumer = std::fs::read_to_string("manifests/samples/consumer.yaml").unwrap();
    let pod = serde_saphyr::from_multiple::<Value>(&consumer).unwrap().remove(0);
    let answer = validate(&server, folder.path(), &pod);
    assert_eq!((answer["uid"].as_str(), answer["allowed"].as_bool()), (Some("u"), Some(true)), "{answer}");

    std::fs::write(&list, text.replace("namespaces: [kafka]", "namespaces: [other]")).unwrap();
    let edited = Instant::now();
    while validate(&server, folder.path(), &pod)["allowed"] == true {
        assert!(edited.elapsed() < Duration::from_secs(20), "the edit is not seen");
        std::thread::sleep(Duration::from_millis(20));
    }
    println!("the edit was in force after {:?}", edited.elapsed());
    let refused = validate(&server, folder.path(), &pod);
    assert_eq!(refused["status"]["code"], 403);
    assert!(refused["status"]["message"].as_str().unwrap().starts_with("policy-not-allowed: "), "{refused}");
}

#[test]
fn the_flags_ask_callers_for_a_client_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let list = "manifests/samples/allow-list.yaml";
    let mut params = rcgen::CertificateParams::default();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority = rcgen::CertifiedIssuer::self_signed(params, rcgen::KeyPair::generate().unwrap()).unwrap();
    let authorities = file(folder.path(), "clients.crt", &authority.pem());
    let mut client = rcgen::CertificateParams::new(["caller.example".to_owned()]).unwrap();
    client.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = file(folder.path(), "client.crt", &client.signed_by(&key, &authority).unwrap().pem());
    let key = file(folder.path(), "client.key", &key.serialize_pem());

    let flags = ["--client-ca", &authorities, "--client-name", "other.example", "--client-name", "caller.example"];
    let server = serve_with(folder.path(), list, &flags);
    let call = |arguments: &[&str]| {
        let output = Command::new("curl")
            .args(["--silent", "--show-error", "--cacert"])
            .arg(folder.path().join("ca.crt"))
            .args(arguments)
            .arg(format!("{}/validate", server.url))
            .output()
            .expect("curl is installed");
        String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
    };
    let refused = call(&[]);
    assert!(refused.contains("certificate required"), "{refused}");
    let served = call(&["--cert", &certificate, "--key", &key]);
    assert!(served.contains("method GET is not allowed"), "{served}");
}

#[test]
fn client_certificates_are_asked_for_once_and_by_authorities_that_can_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let certificates = folder.path().join("certificates").display().to_string();
    let missing = folder.path().join("missing.crt").display().to_string();
    let serve = |flags: &[&str]| {
        let standalone = ["serve", "--standalone", "--allow-list", "manifests/samples/allow-list.yaml", "--self-signed"];
        let ports = [certificates.as_str(), "--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0"];
        countersign(&[&standalone[..], &ports, flags].concat())
    };
    let error = serve(&["--client-ca", &missing, "--client-name", "a"]).unusable();
    assert!(error.contains(&format!("cannot read {missing}: No such file or directory")), "{error}");
    let text = format!(
        "{{apiVersion: countersign.dev/v1alpha1, kind: Configuration, clientCertificates: {{authorities: '{missing}', names: [a]}}}}"
    );
    let configuration = file(folder.path(), "configuration.yaml", &text);
    let error = serve(&["--config", &configuration]).unusable();
    assert!(error.contains(&format!("cannot read {missing}: ")), "{error}");
    let error = serve(&["--config", &configuration, "--client-ca", &missing, "--client-name", "a"]).unusable();
    assert!(error.contains("client certificates are asked for twice"), "{error}");
    for flags in [&["--client-ca", &missing][..], &["--client-name", "a"], &["--client-ca", &missing, "--client-name", " "]] {
        let error = serve(flags).unusable();
        assert!(error.contains("--client-name"), "{error}");
    }
}
