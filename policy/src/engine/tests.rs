use std::fmt::Write as _;

use serde_json::json;

use super::*;

const HEAD: &str = "package agent_policy\nimport future.keywords.in\nimport future.keywords.if\n";

fn policy(rules: &str) -> Result<Box<dyn OpenPolicy>, Unreadable> {
    InProcess.open(&format!("{HEAD}{rules}\n"))
}

fn asked(rules: &str) -> Result<Answer, Unanswered> {
    policy(rules).unwrap().ask("Asked", &json!({"a": 1}))
}

#[test]
fn a_rule_answers_for_its_input_and_its_prints_are_gathered() {
    let answer = asked("Asked if { print(\"looking at\", input.a); input.a == 1 }").unwrap();
    assert!(answer.allowed());
    assert_eq!(answer.prints, ["line 4: looking at 1"]);
}

#[test]
fn the_guests_reading_of_an_answer_holds() {
    assert!(asked("Asked := {\"allowed\": true, \"ops\": []}").unwrap().allowed());
    assert!(!asked("Asked := {\"allowed\": false}").unwrap().allowed());
    assert!(!asked("Asked := \"yes\"").unwrap().allowed());
    assert_eq!(asked("Other := true").unwrap().value, None);
    assert_eq!(asked("Asked if input.a == 2").unwrap().value, None);
}

#[test]
fn the_state_between_requests_is_there_and_empty() {
    assert_eq!(asked("Asked := count(data.pstate)").unwrap().value, Some(json!(0)));
}

#[test]
fn a_text_that_is_no_policy_is_refused_with_its_line() {
    let reason = |text: &str| InProcess.open(text).err().unwrap().to_string();
    assert!(
        reason("package agent_policy\n\na := [1").starts_with("line 3, column 8 is not Rego: "),
        "{}",
        reason("package agent_policy\n\na := [1")
    );
    let unbound = policy("a := b if c == 1").err().unwrap().to_string();
    assert!(unbound.starts_with("line 4, column "), "{unbound}");
    assert_eq!(reason("package policy\n"), "its package is policy, but the guest asks the rules of package agent_policy");
    assert!(reason("").contains("not Rego"), "{}", reason(""));
    let longest = format!("package agent_policy\n{}", "#".repeat(512 * 1024 - 21));
    assert!(InProcess.open(&longest).is_ok(), "{} bytes are read", longest.len());
    assert_eq!(reason(&format!("{longest}#")), "it has 524289 bytes, more than the 524288 that are read");
}

/// Lists of which each has the one before it three times: `b0` to `b4`, which is long enough to loop over for ever.
fn lists() -> String {
    let mut rules = "b0 := [1, 2, 3, 4, 5, 6, 7, 8, 9]\n".to_owned();
    for i in 0..4 {
        writeln!(rules, "b{} := array.concat(b{i}, array.concat(b{i}, b{i}))", i + 1).unwrap();
    }
    rules
}

#[test]
fn a_loop_ends_within_its_time() {
    let rules = lists();
    let looped = format!("{rules}Asked if {{ some x in b4; some y in b4; some z in b4; x + y + z > 100 }}");
    assert_eq!(asked(&looped), Err(Unanswered::TookTooLong(LONGEST_EVALUATION)));
    let comprehension = format!("{rules}Asked := [x | some x in b4; some y in b4; some z in b4]");
    assert_eq!(asked(&comprehension), Err(Unanswered::TookTooLong(LONGEST_EVALUATION)));
}

#[test]
fn a_loop_in_a_function_ends_for_the_same_reason() {
    let rules = lists();
    let looped =
        format!("{rules}f(n) := m if {{ some x in b4; some y in b4; some z in b4; x + y + z > n; m := n }}\nAsked := f(100)");
    assert_eq!(asked(&looped), Err(Unanswered::TookTooLong(LONGEST_EVALUATION)));
}

#[test]
fn a_long_chain_of_rules_and_a_large_pattern_end_the_evaluation_and_not_the_process() {
    let links = (0..20_000).fold(String::new(), |rules, i| rules + &format!("a{i} := [a{}]\n", i + 1));
    assert_eq!(asked(&format!("{links}a20000 := 1\nAsked if a0")), Err(Unanswered::TookTooLong(LONGEST_EVALUATION)));
    let pattern = asked("Asked := regex.match(`((((a{1,100}){1,100}){1,100}){1,100}){1,100}`, \"a\")").unwrap_err();
    assert!(pattern.to_string().contains("compiled regex exceeded size limit"), "{pattern}");
}

#[test]
fn what_the_engine_cannot_bound_never_reaches_it() {
    for (function, call) in [
        ("numbers.range", "numbers.range(1, 100000000000)"),
        ("bits.lsh", "bits.lsh(1, 100000000000)"),
        ("sprintf", "sprintf(\"%99999999999d\", [1])"),
    ] {
        assert_eq!(
            policy(&format!("Asked := {call}")).err(),
            Some(Unreadable::Boundless { function: function.to_owned(), line: 4 })
        );
    }
    assert!(policy("# numbers.range\nAsked := \"bits.lsh(\"").is_ok(), "comments and strings are no calls");
    for (open, close) in [("[", "]"), ("{", "}"), ("{1:", "}")] {
        let nested = format!("Asked := {}1{}", open.repeat(30), close.repeat(30));
        assert_eq!(policy(&nested).err(), Some(Unreadable::Nested { line: 4 }));
    }
    let many = format!("Asked := [{}]", "[[[[[[[1]]]]]]],".repeat(20_000));
    assert_eq!(policy(&many).err(), Some(Unreadable::Nested { line: 4 }));
}
