//! Who may call, where client certificates are asked for.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::{body::Body, http::Request};
use countersign::certs::{ClientCheck, served_chain};
use countersign_decision::configuration::{ClientCertificates, ClientName};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
};
use rstest::rstest;
use rustls::{
    ClientConfig,
    pki_types::{CertificateDer, PrivateKeyDer},
    version::TLS13,
};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::{
    caller::{Caller, dial, trusting},
    site::{Site, soon, until},
};

const HOUR: Duration = Duration::from_hours(1);

type Authority = CertifiedIssuer<'static, KeyPair>;

/// Each bears the same name, as authorities do that are made anew.
fn authority() -> Authority {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// What a test makes of a client's certificate, beside what is right.
#[derive(Clone, Copy)]
struct Bears {
    common: Option<&'static str>,
    dns: Option<&'static str>,
    until: i64,
    usage: ExtendedKeyUsage,
}

#[derive(Clone, Copy, PartialEq)]
enum ExtendedKeyUsage {
    Client,
    Server,
}

const RIGHT: Bears = Bears { common: Some("kube-apiserver"), dns: None, until: 1, usage: ExtendedKeyUsage::Client };

fn certificate(authority: &Authority, bears: Bears) -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
    let mut params = CertificateParams::new(bears.dns.map(str::to_owned).into_iter().collect::<Vec<_>>()).unwrap();
    params.distinguished_name = DistinguishedName::new();
    if let Some(name) = bears.common {
        params.distinguished_name.push(DnType::CommonName, name);
    }
    let now = SystemTime::now();
    params.not_before = (now - 3 * HOUR).into();
    params.not_after = if bears.until > 0 { now + HOUR } else { now - HOUR }.into();
    params.extended_key_usages = vec![match bears.usage {
        ExtendedKeyUsage::Client => ExtendedKeyUsagePurpose::ClientAuth,
        ExtendedKeyUsage::Server => ExtendedKeyUsagePurpose::ServerAuth,
    }];
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, authority).unwrap();
    (certificate.der().clone(), PrivateKeyDer::try_from(key.serialize_der()).unwrap())
}

/// A site whose callers come with a certificate, and the authority of these.
struct Guarded {
    site: Site,
    authority: Authority,
    file: PathBuf,
    _folder: TempDir,
}

impl Guarded {
    async fn open() -> Self {
        let folder = TempDir::new().unwrap();
        let (authority, file) = (authority(), folder.path().join("clients.crt"));
        fs::write(&file, authority.pem()).unwrap();
        let site = Site::for_clients(&check(&file)).await;
        Self { site, authority, file, _folder: folder }
    }

    fn client(&self, authority: &Authority, bears: Bears) -> Arc<ClientConfig> {
        let (certificate, key) = certificate(authority, bears);
        Arc::new(trusting(&self.site, &TLS13).with_client_auth_cert(vec![certificate], key).unwrap())
    }

    fn nobody(&self) -> Arc<ClientConfig> {
        Arc::new(trusting(&self.site, &TLS13).with_no_client_auth())
    }

    /// What comes back of a review: the answer, or why there is none.
    async fn ask(&self, client: &Arc<ClientConfig>) -> String {
        let mut stream = dial(&self.site, Arc::clone(client)).await.unwrap();
        let request = "POST /validate HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}";
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        match soon(stream.read_to_end(&mut answer)).await {
            Ok(_) => String::from_utf8(answer).unwrap(),
            Err(error) => error.to_string(),
        }
    }

    async fn lets_in(&self, client: &Arc<ClientConfig>) -> bool {
        self.ask(client).await.ends_with("\r\n\r\nvalidate")
    }

    fn nothing_was_judged(&self) -> bool {
        !self.site.metrics.text().contains("\ncountersign_requests_total")
    }
}

fn check(file: &std::path::Path) -> ClientCertificates {
    let names = ["kube-apiserver", "apiserver.example"].map(|name| ClientName::parse(name).unwrap());
    ClientCertificates { authorities: file.to_owned(), names: names.into() }
}

#[rstest]
#[case::an_expired_one(Bears { until: -1, ..RIGHT }, "CertificateExpired", "expired")]
#[case::one_for_servers(Bears { usage: ExtendedKeyUsage::Server, ..RIGHT }, "UnsupportedCertificate", "unusable")]
#[tokio::test]
async fn a_certificate_that_the_authority_gave_for_something_else_ends_the_handshake_with_the_reason(
    #[case] bears: Bears,
    #[case] alert: &str,
    #[case] cause: &str,
) {
    let guarded = Guarded::open().await;
    let answer = guarded.ask(&guarded.client(&guarded.authority, bears)).await;
    assert_eq!(answer, format!("received fatal alert: {alert}"));
    assert!(guarded.site.counts(&format!("client_certificates_refused_total{{cause=\"{cause}\"}} 1")));
    assert!(guarded.nothing_was_judged());
}

#[tokio::test]
async fn no_certificate_or_one_of_another_authority_ends_the_handshake_with_the_reason() {
    let guarded = Guarded::open().await;
    assert_eq!(guarded.ask(&guarded.nobody()).await, "received fatal alert: CertificateRequired");
    assert!(guarded.site.counts("client_certificates_refused_total{cause=\"no-certificate\"} 1"));
    let answer = guarded.ask(&guarded.client(&authority(), RIGHT)).await;
    assert_eq!(answer, "received fatal alert: UnknownCA");
    assert!(guarded.site.counts("client_certificates_refused_total{cause=\"unknown-authority\"} 1"));
    until(async || guarded.site.counts("tls_handshake_failures_total 2")).await;
    assert!(guarded.nothing_was_judged());
}

#[tokio::test]
async fn a_listed_name_is_served_as_common_name_and_as_dns_name() {
    let guarded = Guarded::open().await;
    for bears in [RIGHT, Bears { common: Some("any"), dns: Some("apiserver.example"), ..RIGHT }] {
        assert!(guarded.lets_in(&guarded.client(&guarded.authority, bears)).await);
    }
    assert!(!guarded.site.metrics.text().contains("\ncountersign_client_certificates_refused_total"));
}

#[tokio::test]
async fn another_name_is_told_so_on_every_path_and_nothing_is_judged() {
    let guarded = Guarded::open().await;
    let other = Bears { common: Some("kubelet"), dns: Some("node.example"), ..RIGHT };
    let client = guarded.client(&guarded.authority, other);
    let paths = countersign::http::ROUTES.map(|(path, _)| path);
    for path in paths.into_iter().chain(["/exec", "/elsewhere", "/metrics"]) {
        let mut caller = Caller::over(dial(&guarded.site, Arc::clone(&client)).await.unwrap()).await;
        let reply = caller.post(path, "{}").await;
        assert_eq!((reply.status.as_u16(), reply.header("connection")), (403, Some("close")), "{path}");
        assert_eq!(
            reply.error(),
            "this port serves callers whose client certificate bears a listed name, and yours says CN=kubelet, DNS:node.example: \
             add one of its names to clientCertificates.names (standalone: --client-name), or call with another certificate"
        );
        assert!(caller.ended().await);
    }
    let mut caller = Caller::over(dial(&guarded.site, client).await.unwrap()).await;
    let get = Request::get("/validate").header("host", "localhost").body(Body::empty()).unwrap();
    assert_eq!(caller.send(get).await.unwrap().status, 403);
    let count = paths.len() + 4;
    assert!(guarded.site.counts(&format!("client_certificates_refused_total{{cause=\"name\"}} {count}")));
    assert!(guarded.nothing_was_judged());
}

/// A client that was let in takes its session up again, where there is one to take up: what was verified then would count for ever.
#[tokio::test]
async fn another_authority_counts_from_the_next_connection_on_and_a_broken_file_changes_nothing() {
    let guarded = Guarded::open().await;
    let (file, other) = (&guarded.file, authority());
    let old = guarded.client(&guarded.authority, RIGHT);
    let new = guarded.client(&other, RIGHT);
    assert!(guarded.lets_in(&old).await && !guarded.lets_in(&new).await);

    fs::write(file, "not PEM").unwrap();
    until(async || guarded.site.counts("client_authorities_reloads_total{result=\"failed\"} 1")).await;
    assert!(guarded.lets_in(&old).await, "the last good authorities count on");

    // Both, as they stand together while the API servers get new certificates.
    fs::write(file, format!("{}{}", guarded.authority.pem(), other.pem())).unwrap();
    until(async || guarded.site.counts("client_authorities_reloads_total{result=\"ok\"} 1")).await;
    assert!(guarded.lets_in(&old).await && guarded.lets_in(&new).await);

    fs::write(file, other.pem()).unwrap();
    until(async || guarded.site.counts("client_authorities_reloads_total{result=\"ok\"} 2")).await;
    assert_eq!(guarded.ask(&old).await, "received fatal alert: UnknownCA");
    assert!(guarded.lets_in(&new).await);

    fs::remove_file(file).unwrap();
    until(async || guarded.site.counts("client_authorities_reloads_total{result=\"failed\"} 2")).await;
    assert!(guarded.lets_in(&new).await && !guarded.lets_in(&old).await);
}

#[tokio::test]
async fn a_server_does_not_begin_without_authorities_and_says_what_is_wrong() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("clients.crt");
    let error = || ClientCheck::open(&check(&file), Arc::default()).unwrap_err().to_string();
    assert_eq!(error(), format!("cannot read {}: No such file or directory (os error 2)", file.display()));
    let pem = |content: &str| format!("-----BEGIN CERTIFICATE-----\n{content}\n-----END CERTIFICATE-----\n");
    let key = KeyPair::generate().unwrap().serialize_pem();
    for text in [String::new(), key, pem("AAAA"), pem("?"), authority().pem() + &pem("AAAA")] {
        fs::write(&file, &text).unwrap();
        let says = format!("{} has no authority's certificate in PEM: ", file.display());
        assert!(error().starts_with(&says), "{text}: {}", error());
    }
}

/// So rotation, readiness and `countersign doctor`, which look at the certificate and ask nothing, go on as before.
#[tokio::test]
async fn the_certificate_is_seen_by_who_looks_at_it_without_one() {
    let guarded = Guarded::open().await;
    let chain = soon(served_chain(guarded.site.address, "localhost")).await.unwrap();
    let served = dial(&guarded.site, guarded.nobody()).await.unwrap();
    assert_eq!(chain, served.get_ref().1.peer_certificates().unwrap());
    assert!(guarded.nothing_was_judged());
}
