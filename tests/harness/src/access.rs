//! Who may talk to the API server: users with tokens, a kubeconfig that knows them all, and clients.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Once;

use anyhow::{Context, Result};
use serde_json::{Value, json};

/// The user that may do everything.
pub(crate) const ADMIN: &str = "admin";

/// What a test wants of its API server, beyond what every one has.
#[derive(Clone, Debug, Default)]
pub struct Options {
    pub(crate) users: Vec<User>,
    pub(crate) egress: Option<PathBuf>,
    pub(crate) admission: Option<String>,
}

/// A user and the groups it is in; what it may do is for the test to say, in RBAC objects.
#[derive(Clone, Debug)]
pub(crate) struct User {
    name: String,
    groups: Vec<String>,
}

impl Options {
    /// One more user: `admin`, in `system:masters`, is always there.
    #[must_use]
    pub fn user(mut self, name: &str, groups: &[&str]) -> Self {
        self.users.push(User::new(name, groups));
        self
    }

    /// Whatever the API server calls inside the cluster, it asks for at this Unix socket, by HTTP CONNECT.
    #[must_use]
    pub fn egress(mut self, socket: &Path) -> Self {
        self.egress = Some(socket.to_owned());
        self
    }

    /// The API server's admission plugins are configured by this `AdmissionConfiguration`, YAML.
    #[must_use]
    pub fn admission(mut self, configuration: &str) -> Self {
        self.admission = Some(configuration.to_owned());
        self
    }
}

impl User {
    pub(crate) fn new(name: &str, groups: &[&str]) -> Self {
        Self { name: name.to_owned(), groups: groups.iter().map(|group| (*group).to_owned()).collect() }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The token is no secret: it opens a server on loopback that lives for one test run.
    fn token(&self) -> String {
        format!("token-of-{}", self.name)
    }
}

/// All users of a server.
pub(crate) fn users(options: &Options) -> Vec<User> {
    let mut users = vec![User::new(ADMIN, &["system:masters"])];
    users.extend(options.users.iter().cloned());
    users
}

/// The text of `--token-auth-file`: token, user, id, groups.
pub(crate) fn token_file(users: &[User]) -> String {
    users.iter().fold(String::new(), |mut text, user| {
        let _ = writeln!(text, "{},{},{},\"{}\"", user.token(), user.name, user.name, user.groups.join(","));
        text
    })
}

/// A kubeconfig with one context per user, named like the user; the first is the current one.
pub(crate) fn kubeconfig(port: u16, authority: &Path, users: &[User]) -> Value {
    let named = |make: &dyn Fn(&User) -> Value| users.iter().map(make).collect::<Value>();
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "test", "cluster": {
            "server": format!("https://127.0.0.1:{port}"),
            "certificate-authority": authority,
        }}],
        "users": named(&|user| json!({"name": user.name, "user": {"token": user.token()}})),
        "contexts": named(&|user| json!({"name": user.name, "context": {"cluster": "test", "user": user.name}})),
        "current-context": users.first().map(User::name),
    })
}

/// A new client; it belongs to the tokio runtime that it is made in.
///
/// # Errors
/// When there is no such user or the client cannot be built.
pub(crate) fn client(port: u16, authority: &[u8], users: &[User], user: &str) -> Result<kube::Client> {
    static PROVIDER: Once = Once::new();
    // kube takes the provider of the process; a test that has installed one keeps it.
    PROVIDER.call_once(|| drop(rustls::crypto::aws_lc_rs::default_provider().install_default()));
    let user = users
        .iter()
        .find(|known| known.name == user)
        .with_context(|| format!("the API server has no user {user}: name it in Options"))?;
    let mut config = kube::Config::new(format!("https://127.0.0.1:{port}").parse()?);
    config.root_cert = Some(vec![authority.to_vec()]);
    config.auth_info = serde_json::from_value(json!({"token": user.token()}))?;
    kube::Client::try_from(config).with_context(|| format!("cannot build a client for {}", user.name))
}
