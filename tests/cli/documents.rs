//! The documents know what the program says.

use countersign_decision::rules::RULES;

#[test]
fn every_rule_has_a_section_in_the_troubleshooting_page() {
    let document = include_str!("../../docs/troubleshooting.md");
    let ids = RULES.iter().map(|rule| rule.id).chain([
        "countersigned-unearned",
        "exec-door",
        "injected",
        "trusted-launch",
        "review-unreadable",
        "allow-list-malformed",
    ]);
    for id in ids {
        assert!(document.contains(&format!("\n### `{id}`\n")), "docs/troubleshooting.md lacks a section `{id}`");
    }
}

#[test]
fn every_link_between_the_documents_leads_somewhere() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let documents = [
        "README.md",
        "docs/client-certificates.md",
        "docs/operations.md",
        "docs/rollout.md",
        "docs/incident.md",
        "docs/releasing.md",
        "docs/threat-model.md",
        "docs/troubleshooting.md",
    ];
    for document in documents {
        let text = std::fs::read_to_string(root.join(document)).unwrap();
        for link in
            text.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0)).filter(|link| !link.contains("://"))
        {
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { root.join(document) } else { root.join(document).parent().unwrap().join(file) };
            assert!(target.exists(), "{document}: {link}");
            if !heading.is_empty() {
                let target = std::fs::read_to_string(target).unwrap();
                let mut headings = target.lines().filter(|line| line.starts_with('#')).map(anchor);
                assert!(headings.any(|anchor| anchor == heading), "{document}: {link}");
            }
        }
    }
}

/// The anchor that a heading has on the web. Source: GitHub's rendering of Markdown.
fn anchor(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    text.chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}
