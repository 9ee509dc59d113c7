//! One strict reading: a policy that two readers could decode differently has two digests, and an entry that is spelt otherwise lists
//! nothing.

use serde_json::json;

use super::Expected::{Passes, Refused};
use super::{KEY, TENANT, config_map, countersigned, edited, hold, policy, site, tried};
use crate::allow_list::{list, nobody_checks};
use crate::pods::create;
use crate::site::until;

#[test]
fn a_policy_that_is_not_strict_base64_is_refused_by_what_is_wrong_with_it() {
    let site = site();
    let pod = countersigned(site, "kafka", "strict");
    let good = pod["metadata"]["annotations"][KEY].as_str().unwrap().to_owned();
    let with = |annotation: &str| edited(pod.clone(), |pod| pod["metadata"]["annotations"][KEY] = json!(annotation));
    assert!(good.ends_with('K') && !good.ends_with('='), "the length is a multiple of three: {good}");
    let padded = policy("package agent_policy\n# strict2\n").0;
    assert!(padded.ends_with("=="), "{padded}");
    let (beginning, end) = good.split_at(8);
    hold(
        [
            ("a line break", format!("{beginning}\n{end}"), Refused(&["policy-malformed: ", "remove the line breaks"])),
            ("a line break at the end", format!("{good}\n"), Refused(&["policy-malformed: ", "remove the line breaks"])),
            ("a carriage return", format!("{beginning}\r\n{end}"), Refused(&["policy-malformed: ", "remove the line breaks"])),
            ("a blank", format!(" {good}"), Refused(&["policy-malformed: ", "remove the white space"])),
            ("a tab", format!("{beginning}\t{end}"), Refused(&["policy-malformed: ", "remove the white space"])),
            ("a no-break space", format!("{beginning}\u{a0}{end}"), Refused(&["policy-malformed: ", "remove the white space"])),
            ("a NUL", format!("{good}\0"), Refused(&["policy-malformed: ", "character \\0"])),
            ("the URL alphabet", "cGFja2Fn-_8K".to_owned(), Refused(&["policy-malformed: ", "this is the URL alphabet"])),
            ("no padding", padded.trim_end_matches('=').to_owned(), Refused(&["policy-malformed: ", "its padding is wrong"])),
            ("too much padding", format!("{good}="), Refused(&["policy-malformed: ", "its padding is wrong"])),
            (
                "loose bits",
                padded.replace("Cg==", "Ch=="),
                Refused(&["policy-malformed: ", "the last character before the padding"]),
            ),
            ("two texts", format!("{padded}{good}"), Refused(&["policy-malformed: ", "its padding is wrong"])),
            (
                "a letter that looks like another",
                good.replacen('c', "\u{441}", 1),
                Refused(&["policy-malformed: ", "is not standard base64"]),
            ),
            (
                "a digit of full width",
                good.replacen('2', "\u{ff12}", 1),
                Refused(&["policy-malformed: ", "is not standard base64"]),
            ),
            ("no text", "/////w==".to_owned(), Refused(&["policy-malformed: ", "is not UTF-8 text"])),
            ("as it was listed", good.clone(), Passes),
        ]
        .map(|(what, annotation, expected)| (what.to_owned(), expected, tried(site, TENANT, &with(&annotation)))),
    );
}

/// Each is an entry that a hurried reader would take for the listed one: refused at edit time, and no list when nobody checks edits.
#[test]
fn an_entry_that_is_spelt_otherwise_lists_nothing_and_is_reported() {
    let site = site();
    let (annotation, digest) = policy("package agent_policy\n# misspelt\n");
    let pod = edited(super::unlisted("kafka", "misspelt"), |pod| {
        pod["metadata"]["annotations"][KEY] = json!(annotation);
        pod["spec"]["runtimeClassName"] = json!("kata-cc-isolation");
    });
    let hex = digest.strip_prefix("sha256:").unwrap();
    let spellings = [
        ("upper case", hex.to_uppercase(), "write the digest in lower-case hexadecimal"),
        ("a leading zero", format!("00{hex}"), "this one has 66"),
        ("a blank", format!(" {hex}"), "character ' ' at position 1"),
        ("the algorithm twice", format!("sha256:{digest}"), "is not one of 0-9 and a-f"),
        ("the algorithm in upper case", format!("SHA256:{hex}"), "is not a digest algorithm"),
        (
            "a letter that looks like another",
            hex.replace('a', "\u{430}").replace('e', "\u{435}").replace('c', "\u{441}"),
            "is not one of 0-9 and a-f",
        ),
        ("cut", hex[..62].to_owned(), "this one has 62"),
        ("zeros", "0".repeat(64), "can never be listed"),
    ]
    .map(|(what, written, says)| {
        let name = format!("misspelt-{}", what.replace(' ', "-"));
        let list = config_map(&name, &json!([{"digest": written, "namespaces": ["kafka"]}]));
        (what, name, list, says)
    });
    for (what, name, misspelt, says) in &spellings {
        let refusal = create(&site.server, misspelt, false).refused();
        let place = format!("allow-list-malformed: ConfigMap {name}, key team.yaml, line 1, ");
        assert!(refusal.contains(&place) && refusal.contains(says), "{what}: {refusal}");
    }
    nobody_checks(&site.server);
    for (what, name, misspelt, says) in &spellings {
        list(&site.server, &site.webhook, misspelt);
        let refusal = tried(site, TENANT, &pod).refused();
        assert!(refusal.contains("policy-not-allowed: "), "{what}: {refusal}");
        let told = until(&format!("{what} is reported"), || crate::allow_list::event(&site.server, "AllowListRejected", name));
        assert!(told.contains(says), "{what}: {told}");
        crate::allow_list::unlist(&site.server, name);
    }
}
