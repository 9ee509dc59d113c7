//! The overlay for cert-manager, with cert-manager's own controllers at work: it ends with a certificate that the API server trusts.

use std::io::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_harness::{ApiServer, Options, Process, programs as built};
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject as _};
use serde_json::Value;

use crate::programs::{HOME, apply, kustomize, objects, repository, stored, stream, succeeded, until};

#[test]
fn cert_manager_makes_a_certificate_that_the_injected_authority_proves() {
    let server = ApiServer::boot(&Options::default()).unwrap();
    let (program, crds) = built::cert_manager().unwrap();
    succeeded(server.kubectl(&["apply", "--server-side", "-f", &crds.display().to_string()]).unwrap());
    succeeded(server.kubectl(&["wait", "--for=condition=Established", "crd", "--all", "--timeout=60s"]).unwrap());
    let arguments = ["--kube-config".into(), server.kubeconfig_path().into()];
    let mut controllers = server.companion("cert-manager", &program, &arguments, &[]).unwrap();

    let overlay = objects(&kustomize(&repository("manifests/overlays/cert-manager")));
    let text = stream(overlay.values());
    succeeded(apply(&server, &text, &[]));
    let secret = until("cert-manager makes Secret countersign-tls", || {
        assert!(controllers.ended().is_none(), "{}", controllers.failure("ended"));
        let output = server.kubectl(&["get", "-n", HOME, "secret", "countersign-tls", "-o", "json"]).unwrap();
        serde_json::from_slice::<Value>(&output.stdout).ok()
    });
    let authority = secret["data"]["ca.crt"].as_str().unwrap().to_owned();
    until("cainjector writes caBundle into every entry", || {
        let bundles = bundles(&server);
        (bundles.len() == 7 && bundles.iter().all(|bundle| *bundle == authority)).then_some(())
    });

    // Applied again, it has no conflict with what cainjector wrote, and takes nothing away.
    succeeded(apply(&server, &text, &[]));
    assert!(bundles(&server).iter().all(|bundle| *bundle == authority));

    let (_process, address) = serve(&server, &secret);
    handshake(address, &STANDARD.decode(authority).unwrap());
}

/// The `caBundle` of every entry.
fn bundles(server: &ApiServer) -> Vec<String> {
    let kinds = ["mutatingwebhookconfiguration", "validatingwebhookconfiguration"];
    let entries =
        kinds.into_iter().flat_map(|kind| stored(server, &[kind, "countersign"])["webhooks"].as_array().unwrap().clone());
    entries.filter_map(|entry| Some(entry["clientConfig"]["caBundle"].as_str()?.to_owned())).collect()
}

/// Starts Countersign with the files that the kubelet would mount.
fn serve(server: &ApiServer, secret: &Value) -> (Process, SocketAddr) {
    let folder = server.folder().join("tls");
    std::fs::create_dir(&folder).unwrap();
    for name in ["tls.crt", "tls.key"] {
        std::fs::write(folder.join(name), STANDARD.decode(secret["data"][name].as_str().unwrap()).unwrap()).unwrap();
    }
    let list = repository("manifests/samples/allow-list.yaml");
    let mut arguments: Vec<std::ffi::OsString> =
        ["serve", "--standalone", "--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0", "--log", "json"]
            .map(Into::into)
            .into();
    for (flag, path) in [("--allow-list", list), ("--tls-cert", folder.join("tls.crt")), ("--tls-key", folder.join("tls.key"))]
    {
        arguments.extend([flag.into(), path.into()]);
    }
    let program = Path::new(env!("CARGO_BIN_EXE_countersign"));
    let mut process = server.companion("countersign", program, &arguments, &[]).unwrap();
    let address = until("Countersign serves", || {
        assert!(process.ended().is_none(), "{}", process.failure("ended"));
        let log = process.log();
        let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let serving = lines.into_iter().find(|line| line["fields"]["message"] == "serving")?;
        serving["fields"]["reviews"].as_str()?.parse().ok()
    });
    (process, address)
}

/// A TLS handshake as the API server makes it: by the Service's name, trusting the authority alone.
fn handshake(address: SocketAddr, authority: &[u8]) {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let mut roots = rustls::RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(authority) {
        roots.add(certificate.unwrap()).unwrap();
    }
    let client = Arc::new(rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth());
    let connect = |name: &str| {
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let mut connection = rustls::ClientConnection::new(Arc::clone(&client), name).unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        rustls::Stream::new(&mut connection, &mut stream).write_all(b"x")
    };
    connect("countersign.countersign-system.svc").unwrap();
    let error = connect("countersign.elsewhere.svc").unwrap_err().to_string();
    assert!(error.contains("certificate"), "{error}");
}
