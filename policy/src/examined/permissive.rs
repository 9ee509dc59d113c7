//! What makes a policy permissive: its digest alone then says little about what will run.

use std::fmt;

use super::{Exec, Permissions};
use crate::digest::Digest;

/// One reason, as a sentence about the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Permissive {
    /// An initdata without `policy.rego`.
    NoPolicy,
    /// One of the files that Kata Containers ships as examples, by its digest.
    Stock(&'static str),
    /// `AllowRequestsFailingPolicy` is true.
    FailingRequests,
    /// Any container may be created.
    AnyContainer,
    /// The policy may be replaced.
    SetPolicy,
    /// Any command may be run.
    AnyCommand,
}

/// The SHA-256 digests of the permissive files that are shipped, and their names.
///
/// Source: kata-containers/kata-containers and microsoft/kata-containers, `src/kata-opa`, over their releases of 2023 to 2026.
const STOCK: [(&str, &str); 8] = [
    ("2a185df1fe7ef30c0b9f81adeaf7aab359f9ce2f50a9606bc6249de0e8f26371", "allow-all.rego"),
    ("3d35af446adb5a1bc9e9f2d2adef695722f22defd07a4d02d381e092f607cab1", "allow-all.rego"),
    ("0bb24b3ac02a72f8f7a11cbeab9831d802393860479ef283d8e480d10dee6a19", "allow-all.rego"),
    ("e56308056e687453300b6f8519b3087a45ab64f7e33df9d536db4d09daa51f07", "allow-all.rego"),
    ("aa3f064a36a36758f234426efbd91e56e40e68290b2f22eec79d7b8b6d457300", "allow-all-except-exec-process.rego"),
    ("5c886121c8fbf128cb11daa87237dd2b346ed9e7759cbb32af6fdb285be9923f", "allow-all-except-exec-process.rego"),
    ("53d5577691df2e4d5982825a4f8eb184a9686e9c3f577e949b7b2dcdff76736d", "allow-set-policy.rego"),
    ("6114f1a4f880c4dbc883527ccf7364a5fbf430adbd4ee9f99d9aa70cb378a827", "allow-set-policy.rego"),
];

impl Permissive {
    /// Every reason that holds for a policy of this text.
    pub(super) fn all(text: &str, permissions: &Permissions) -> Vec<Self> {
        let evaluated = [
            (permissions.failing_requests, Self::FailingRequests),
            (permissions.create_any_container, Self::AnyContainer),
            (permissions.set_policy, Self::SetPolicy),
            (permissions.exec == Exec::Anything, Self::AnyCommand),
        ];
        let holding = evaluated.into_iter().filter_map(|(holds, reason)| holds.then_some(reason));
        stock(Digest::sha256_of(text.as_bytes())).into_iter().chain(holding).collect()
    }
}

fn stock(digest: Digest) -> Option<Permissive> {
    let is = |hex: &str| hex.parse() == Ok(digest);
    STOCK.into_iter().find(|(hex, _)| is(hex)).map(|(_, name)| Permissive::Stock(name))
}

impl fmt::Display for Permissive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPolicy => f.write_str("its initdata has no policy.rego, so that the guest image's own policy rules"),
            Self::Stock(name) => write!(f, "it is {name} as Kata Containers ships it"),
            Self::FailingRequests => {
                f.write_str("AllowRequestsFailingPolicy is true: what it refuses is accepted all the same")
            }
            Self::AnyContainer => f.write_str("it lets the host create any container (CreateContainerRequest)"),
            Self::SetPolicy => f.write_str("it lets the host replace the policy (SetPolicyRequest)"),
            Self::AnyCommand => f.write_str("it lets the host run any command in a container (ExecProcessRequest)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_is_said_with_the_request_that_it_is_about() {
        for (reason, says) in [
            (Permissive::NoPolicy, "its initdata has no policy.rego"),
            (Permissive::Stock("allow-all.rego"), "it is allow-all.rego as Kata Containers ships it"),
            (Permissive::FailingRequests, "AllowRequestsFailingPolicy is true"),
            (Permissive::AnyContainer, "(CreateContainerRequest)"),
            (Permissive::SetPolicy, "(SetPolicyRequest)"),
            (Permissive::AnyCommand, "(ExecProcessRequest)"),
        ] {
            assert!(reason.to_string().contains(says), "{reason}");
        }
    }

    #[test]
    fn each_stock_file_is_known_by_its_digest() {
        for (hex, name) in STOCK {
            assert_eq!(stock(hex.parse().unwrap()), Some(Permissive::Stock(name)));
        }
        assert_eq!(stock(Digest::sha256_of(b"package agent_policy\n")), None);
    }
}
