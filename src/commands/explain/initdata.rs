//! What an initdata says beside its policy: above all whom the guest asks for keys.
//!
//! Source: Confidential Containers guest-components, configuration of the attestation agent (`aa.toml`) and of the confidential data
//! hub (`cdh.toml`).

use countersign_policy::{Digest, Initdata};
use toml::{Table, Value};

use super::Statement;
use super::account::line;

/// The keys of both documents that Countersign knows; a key stands for all below it.
const KNOWN: [&str; 16] = [
    "aa.toml token_configs.kbs.url",
    "aa.toml token_configs.kbs.cert",
    "aa.toml token_configs.coco_as.url",
    "aa.toml token_configs.coco_kbs.url",
    "aa.toml token_configs.coco_kbs.cert",
    "aa.toml eventlog_config",
    "aa.toml aa_instance",
    "aa.toml attestation_socket",
    "cdh.toml socket",
    "cdh.toml kbc.name",
    "cdh.toml kbc.url",
    "cdh.toml kbc.kbs_cert",
    "cdh.toml credentials",
    "cdh.toml image",
    "cdh.toml aliyun",
    "cdh.toml http_proxy",
];

/// What is told of an initdata.
#[derive(Default)]
pub(super) struct Told {
    pub(super) statements: Vec<Statement>,
    pub(super) warnings: Vec<String>,
}

/// Tells what the documents say; what they hold that is not known is a warning.
pub(super) fn tell(initdata: &Initdata) -> Told {
    let mut told = Told::default();
    for key in [Initdata::ATTESTATION_AGENT, Initdata::DATA_HUB] {
        let Some(text) = initdata.document(key) else { continue };
        match toml::from_str::<Table>(text) {
            Ok(table) => walk(key, "", &table, &mut told),
            Err(error) => told.warnings.push(format!("{key} is not TOML: {}", line(error.message()))),
        }
    }
    for (key, text) in initdata.others() {
        let digest = Digest::sha256_of(text.as_bytes());
        told.statements.push(Statement::new(line(key), format!("{} bytes, {digest}", text.len())));
        told.warnings.push(format!("the initdata holds a document {} that Countersign does not know", line(key)));
    }
    told
}

/// Every value below `table`, under its path.
fn walk(document: &str, path: &str, table: &Table, told: &mut Told) {
    for (key, value) in table {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        if let Value::Table(table) = value {
            walk(document, &path, table, told);
            continue;
        }
        let about = format!("{document} {}", line(&path));
        let known =
            KNOWN.iter().any(|known| about.strip_prefix(known).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')));
        if !known {
            told.warnings.push(format!("{document} has a key {} that Countersign does not know", line(&path)));
        }
        told.statements.push(Statement::new(about, says(value)));
    }
}

/// A value; of a certificate its digest, since nobody compares those by eye.
fn says(value: &Value) -> String {
    match value {
        Value::String(text) if text.contains("-----BEGIN CERTIFICATE-----") => {
            let count = text.matches("-----BEGIN CERTIFICATE-----").count();
            let plural = if count == 1 { "" } else { "s" };
            format!("{count} certificate{plural}, {}", Digest::sha256_of(text.as_bytes()))
        }
        Value::String(text) => line(text),
        other => line(&serde_json::to_string(other).unwrap_or_default()),
    }
}
