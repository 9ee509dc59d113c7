//! JSON that readers trip over: it is read as the API server reads it, or refused with the reason, in bounded memory and time.

use std::time::Duration;

use crate::client::{asked, connect, connector, is_served};
use crate::sample;
use crate::server::Server;

/// No answer here takes a processor as long: they are sentences, not reflections.
const LONGEST: Duration = Duration::from_secs(5);
/// Longer than any of these answers may be, in bytes.
const LONGEST_ANSWER: usize = 64 << 10;

/// The process never has more memory than this meanwhile, in bytes: one review of at most 4 MiB comes in at a time.
const MOST_MEMORY: usize = 200 << 20;

const ADMITTED: &str = r#""allowed":true"#;
const REFUSED: &str = "policy-covers-the-pod: the policy does not cover the pod: ";
const POLICY: &str = r#""io.katacontainers.config.agent.policy":""#;
/// More elements than any pod has.
const MANY: usize = 20_000;

/// A review of the sample's pod, which its allow-list lists, with `old` in it replaced by `new`.
fn review(old: &str, new: &str) -> String {
    let text = sample::review(&sample::pod());
    assert!(text.contains(old), "the review has {old}");
    text.replacen(old, new, 1)
}

/// The review, with fields at the beginning of the pod's spec, or of its first container.
fn with_spec(fields: &str) -> String {
    review(r#""spec":{"#, &format!(r#""spec":{{{fields},"#))
}

fn with_container(fields: &str) -> String {
    review(r#""containers":[{"#, &format!(r#""containers":[{{{fields},"#))
}

/// The same for the second container, which the policy describes by its command and variables.
fn with_consumer(fields: &str) -> String {
    let named = r#""name":"kafka-golang-consumer","image""#;
    review(named, &format!("{fields},{named}"))
}

/// More variables before those of the second container.
fn with_variables(variables: &str) -> String {
    review(r#""env":[{"name":"SkrClientKID""#, &format!(r#""env":[{variables},{{"name":"SkrClientKID""#))
}

fn with_annotation(annotation: &str) -> String {
    review(r#""annotations":{"#, &format!(r#""annotations":{{{annotation},"#))
}

/// Many elements, each with its number in the place of `#`.
fn many(times: usize, element: &str) -> String {
    (0..times).map(|number| element.replace('#', &number.to_string())).collect::<Vec<_>>().join(",")
}

/// What comes in, and what the answer must say.
fn cases() -> Vec<(&'static str, String, &'static str)> {
    let duplicates = [
        ("a field of the review twice", review(r#""kind":"#, r#""kind":"AdmissionReview","kind":"#), "duplicate field `kind`"),
        ("a field of the pod twice", with_spec(r#""runtimeClassName":"other""#), "duplicate field `runtimeClassName`"),
        ("a field of a container twice", with_container(r#""image":"other""#), "duplicate field `image`"),
        (
            "an annotation twice",
            with_annotation(r#""io.katacontainers.config.agent.policy":"YQ==""#),
            "key \"io.katacontainers.config.agent.policy\" stands twice",
        ),
    ];
    let nested = "[".repeat(1_000) + &"]".repeat(1_000);
    let depths = [
        ("nesting without end", with_spec(&format!(r#""future":{}"#, "[".repeat(200_000))), "not an admission review"),
        ("nesting that no rule reads", with_spec(&format!(r#""future":{nested}"#)), ADMITTED),
        (
            "nesting in what is read",
            with_spec(&format!(
                r#""affinity":{{"nodeAffinity":{{"preferredDuringSchedulingIgnoredDuringExecution":[{nested}]}}}}"#
            )),
            "recursion limit exceeded",
        ),
    ];
    let numbers = [
        ("beyond floats", r#"{"runAsUser":1e400}"#, "spec.containers[0]: number out of range"),
        ("beyond 64 bits", r#"{"runAsUser":18446744073709551616}"#, "spec.containers[0]: invalid type: floating point"),
        ("below 64 bits", r#"{"runAsUser":-9223372036854775809}"#, "spec.containers[0]: invalid type: floating point"),
        ("a fraction", r#"{"runAsUser":1.5}"#, "spec.containers[0]: invalid type: floating point `1.5`, expected i64"),
    ];
    let numbers = numbers.map(|(what, value, says)| (what, with_container(&format!(r#""securityContext":{value}"#)), says));
    let types = [
        ("a number where a yes or no is", with_spec(r#""hostNetwork":1"#), "invalid type: integer `1`, expected a boolean"),
        ("a number where a text is", with_spec(r#""serviceAccount":-1"#), "invalid type: integer `-1`, expected a string"),
        ("numbers that no rule reads", with_spec(r#""future":[1e400,-18446744073709551616,1.5]"#), ADMITTED),
    ];
    let arrays = [
        ("init containers", with_spec(&of_many("initContainers", r#"{"name":"c#","image":"i"}"#)), REFUSED),
        ("the same container", with_spec(&of_many("initContainers", r#"{"name":"skr","image":"i"}"#)), REFUSED),
        ("variables", with_variables(&many(MANY, r#"{"name":"V#","value":"v$(V0)"}"#)), REFUSED),
        ("arguments", with_consumer(&of_many("args", r#""--#""#)), REFUSED),
        ("mounts", with_consumer(&of_many("volumeMounts", r#"{"name":"v#","mountPath":"/#"}"#)), ADMITTED),
        ("selectors", with_spec(&format!(r#""nodeSelector":{{{}}}"#, many(MANY, r#""k#":"v""#))), ADMITTED),
        ("tolerations, which no rule reads", with_spec(&of_many("tolerations", r#"{"key":"k#"}"#)), ADMITTED),
        ("values that double each other", with_variables(&doubled()), REFUSED),
    ];
    let text = "x".repeat(3 << 20);
    let texts = [
        ("3 MiB that no rule reads", with_annotation(&format!(r#""example.org/text":"{text}""#)), ADMITTED),
        (
            "3 MiB for the runtime",
            with_annotation(&format!(r#""io.katacontainers.config.hypervisor.kernel_params":"{text}""#)),
            "annotation-not-allowed: ",
        ),
        ("3 MiB of policy", review(POLICY, &format!("{POLICY}{}", "YWFh".repeat((3 << 20) / 4))), "policy-malformed: "),
    ];
    let plain = [("the pod as it is", review("{", "{"), ADMITTED)];
    [&plain[..], &duplicates, &depths, &numbers, &types, &arrays, &texts].concat()
}

/// A list of many elements.
fn of_many(field: &str, element: &str) -> String {
    format!(r#""{field}":[{}]"#, many(MANY, element))
}

/// Variables of which each names the one before it twice: the last would be 2^60 bytes.
fn doubled() -> String {
    let others = (1..60).map(|number| format!(r#"{{"name":"V{number}","value":"$(V{0})$(V{0})"}}"#, number - 1));
    let variables: Vec<String> = std::iter::once(r#"{"name":"V0","value":"v"}"#.to_owned()).chain(others).collect();
    variables.join(",")
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_json_is_read_as_the_api_server_reads_it_or_refused_with_the_reason() {
    let server = Server::start("{}", 1_000);
    let connector = connector(&server);
    let mut wrong = Vec::new();
    for (what, review, says) in cases() {
        let mut stream = connect(&server, &connector).await.unwrap();
        let before = server.worked();
        let answer = asked(&mut stream, &review).await.replace("\\\"", "\"");
        let took = server.worked().saturating_sub(before);
        if !answer.contains(says) || answer.len() > LONGEST_ANSWER || took > LONGEST {
            wrong.push(format!(
                "{what}: {} bytes after {took:?}: {}",
                answer.len(),
                answer.chars().take(1_500).collect::<String>()
            ));
        }
        server.is_well();
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(server.peak() < MOST_MEMORY, "{} MiB", server.peak() >> 20);
    is_served(&server).await;
}
