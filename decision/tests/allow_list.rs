//! What a list says of itself.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use countersign_decision::allow_list::AllowList;
use countersign_golden::{DIGEST, Given};
use countersign_policy::Digest;
use serde_json::json;

#[test]
fn a_list_knows_how_many_entries_it_has_and_which_digests_they_name() {
    let (listed, other): (Digest, Digest) = (DIGEST.parse().unwrap(), "1".repeat(64).parse().unwrap());
    let nothing = AllowList::default();
    assert!(nothing.is_empty() && nothing.len() == 0 && !nothing.names(&listed));
    for says in [json!({"digest": DIGEST, "namespaces": ["a"]}), json!({"digest": DIGEST, "revoked": true})] {
        let list = Given { allow_list: json!([says]), ..Given::default() }.facts().unwrap().allow_list;
        assert!(!list.is_empty() && list.len() == 1);
        assert!(list.names(&listed) && !list.names(&other));
    }
}
