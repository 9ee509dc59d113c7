//! The capabilities are the policy's.
//!
//! Reads: `securityContext.privileged` and `capabilities`; `OCI.Process.Capabilities` of the policy, and the lists of its `common`.
//! Allows: the default set with what the pod adds and drops; all of them for a privileged container.
//! Source: containerd, `WithCapabilities` (bounding, effective and permitted are one set; `ALL` is taken first).

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Difference, Pair};
use crate::coverage::described::texts;
use crate::coverage::pod::Capabilities;
use crate::coverage::request::Change;

const SETS: &str = "/OCI/Process/Capabilities";

pub(super) fn compare(pair: &Pair<'_>) -> Vec<Difference> {
    let Some(policy) = pair.by.part("/OCI/Process/Capabilities/Bounding") else { return Vec::new() };
    let asked = asked(pair);
    let known: BTreeSet<Cow<'_, str>> = match texts(policy).collect::<Vec<_>>()[..] {
        [named] if named.starts_with("$(") => {
            pair.by.common_list(named.trim_start_matches("$(").trim_end_matches(')')).into_iter().map(whole).collect()
        }
        ref list => list.iter().copied().map(whole).collect(),
    };
    if asked == known {
        return Vec::new();
    }
    let shown = if is_privileged(pair) {
        "those of a privileged container".to_owned()
    } else {
        let (add, drop) = added_and_dropped(pair);
        format!("the default ones, add {}, drop {}", json!(add), json!(drop))
    };
    let mut sets = pair.by.part(SETS).cloned().unwrap_or(Value::Null);
    for set in ["Bounding", "Effective", "Permitted"] {
        if let Some(set) = sets.get_mut(set) {
            *set = json!(asked);
        }
    }
    vec![Difference::asked("capabilities", shown, Some(policy), Change::Part(SETS, sets))]
}

fn asked<'a>(pair: &Pair<'a>) -> BTreeSet<Cow<'a, str>> {
    let list = |name: &str| pair.by.common_list(name).into_iter().map(whole).collect::<BTreeSet<_>>();
    if is_privileged(pair) {
        return list("privileged_caps");
    }
    let (add, drop) = added_and_dropped(pair);
    let names_all = |names: &[String]| names.iter().any(|name| name.eq_ignore_ascii_case("all"));
    let mut set = if names_all(drop) {
        BTreeSet::new()
    } else if names_all(add) {
        list("privileged_caps")
    } else {
        list("default_caps")
    };
    let each = |names: &'a [String]| {
        names.iter().filter(|name| !name.eq_ignore_ascii_case("all")).map(|name| whole(name)).collect::<Vec<_>>()
    };
    set.extend(each(add));
    for name in each(drop) {
        set.remove(&name);
    }
    set
}

fn is_privileged(pair: &Pair<'_>) -> bool {
    pair.container.security().privileged == Some(true)
}

/// What the pod adds to the default set, and what it drops.
fn added_and_dropped<'a>(pair: &Pair<'a>) -> (&'a [String], &'a [String]) {
    let asked = pair.container.security().capabilities.as_ref();
    let names =
        |list: fn(&Capabilities) -> &Option<Vec<String>>| asked.and_then(|asked| list(asked).as_deref()).unwrap_or_default();
    (names(|asked| &asked.add), names(|asked| &asked.drop))
}

/// The name with its prefix, in upper case.
fn whole(name: &str) -> Cow<'_, str> {
    let is_whole = name.starts_with("CAP_") && !name.bytes().any(|byte| byte.is_ascii_lowercase());
    if is_whole {
        return Cow::Borrowed(name);
    }
    let name = name.to_ascii_uppercase();
    Cow::Owned(if name.starts_with("CAP_") { name } else { format!("CAP_{name}") })
}
