//! Listed policies that are written to hurt the evaluator: they end alone, with the reason, and hold up nobody else.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_policy::Digest;
use serde_json::json;

use crate::client::{asked, connect, connector, is_served};
use crate::sample;
use crate::server::Server;

/// The server itself never has more memory than this, in bytes: what a policy takes is not its own.
const MOST_MEMORY: usize = 200 << 20;

const FITTING: &str = include_str!("../../manifests/samples/policy.rego");
const MEMORY: &str = "policy-unreadable: the policy of pod kafka/kafka-golang-consumer cannot be used: policy_data cannot be evaluated: \
    its evaluation took more than 96 MiB of memory or 32 MiB of stack";
/// One question, or all together: how fast a machine is decides.
const SLOW: &str = "ExecProcessRequest cannot be evaluated: its evaluation took longer than ";
const TIME: &str = "its evaluation took longer than 2 s altogether";

/// Each, and what is said of a pod that carries it.
fn hostile() -> [(String, &'static str); 4] {
    // Long, so that memory runs out long before time does.
    let text = format!("\"{}\"", "x".repeat(64 * 1024));
    let doubled = |name: &str, first: &str, twice: &str| {
        (0..40).fold(format!("{name}0 := {first}\n"), |rules, i| {
            format!("{rules}{name}{} := {}\n", i + 1, twice.replace('@', &format!("{name}{i}")))
        })
    };
    let lists = doubled("a", "[1, 1]", "[@, @]");
    let twice = format!("{lists}{}", doubled("b", "[1, 1]", "[@, @]"));
    let long = "b0 := [1, 2, 3, 4, 5, 6, 7, 8, 9]\nb1 := array.concat(b0, array.concat(b0, b0))\n\
                b2 := array.concat(b1, array.concat(b1, b1))\nb3 := array.concat(b2, array.concat(b2, b2))\n\
                b4 := array.concat(b3, array.concat(b3, b3))\n";
    // A question for each container, with a terminal and without.
    let containers = vec![r#"{"OCI": {"Process": {"Args": ["a"]}}}"#; 32].join(", ");
    let slow = format!(
        "{long}ExecProcessRequest if {{ some x in b4; some y in b2; some z in b0; x + y + z > 100 }}\n\
         policy_data := {{\"containers\": [{containers}]}}"
    );
    [
        (format!("{}policy_data := t40", doubled("t", &text, "concat(\"\", [@, @])")), MEMORY),
        (format!("{}policy_data := t40", doubled("t", &text, "[@, @]")), MEMORY),
        (format!("{twice}policy_data := {{}} if a40 == b40"), TIME),
        (slow, SLOW),
    ]
    .map(|(rules, says)| {
        (format!("package agent_policy\nimport future.keywords.in\nimport future.keywords.if\n{rules}\n"), says)
    })
}

fn allow_list(policies: &[&str]) -> String {
    let entries = policies
        .iter()
        .map(|policy| format!("    - {{digest: \"{}\", namespaces: [kafka]}}\n", Digest::sha256_of(policy.as_bytes())));
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: al, namespace: countersign-system, labels: {{countersign.dev/allow-list: \"true\"}}}}\n\
         data:\n  all.yaml: |\n{}",
        entries.collect::<String>()
    )
}

/// What is said of the sample's pod with this policy.
async fn said(server: &Server, policy: &str) -> String {
    let mut pod = sample::pod();
    pod["metadata"]["annotations"]["io.katacontainers.config.agent.policy"] = json!(STANDARD.encode(policy));
    let mut stream = connect(server, &connector(server)).await.unwrap();
    asked(&mut stream, &sample::review(&pod)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn listed_policies_that_take_memory_or_time_without_end_are_refused_and_hold_up_nobody() {
    let hostile = hostile();
    let listed: Vec<&str> = hostile.iter().map(|(policy, _)| &**policy).chain([FITTING]).collect();
    let server = Server::listing(&allow_list(&listed));
    assert!(said(&server, FITTING).await.contains(r#""allowed":true"#));
    for (policy, says) in &hostile {
        let answer = said(&server, policy).await;
        assert!(answer.contains(says) && answer.contains("\"code\":403"), "{answer}\nshould say: {says}");
        server.is_well();
    }
    // Whoever has a policy that is known is answered while another is evaluated.
    let (endless, _) = hostile.iter().find(|(_, says)| *says == TIME).unwrap();
    let mut refused = std::pin::pin!(said(&server, endless));
    for _ in 0..3 {
        tokio::select! {
            biased;
            known = said(&server, FITTING) => assert!(known.contains(r#""allowed":true"#), "{known}"),
            early = &mut refused => panic!("it is refused before those who did not have to wait are answered: {early}"),
        }
    }
    assert!(refused.await.contains(TIME));
    // All at a time wait for each other, and for no longer than each takes.
    let all = futures::future::join_all(hostile.iter().map(|(policy, _)| said(&server, policy)));
    let (answers, known) = tokio::join!(all, said(&server, FITTING));
    assert!(known.contains(r#""allowed":true"#), "{known}");
    for (answer, (_, says)) in answers.iter().zip(&hostile) {
        assert!(answer.contains(says), "{answer}\nshould say: {says}");
    }
    assert!(server.peak() < MOST_MEMORY, "{} MiB", server.peak() >> 20);
    is_served(&server).await;
}
