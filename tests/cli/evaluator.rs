//! Listed policies are evaluated in a process of their own, which answers as this one would, and ends where it would take too much.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use countersign::evaluator::{Separate, bounds};
use countersign_policy::engine::{Evaluator, InProcess, LONGEST_EVALUATION, OpenPolicy, Unanswered, Unreadable};
use countersign_policy::examined::{Examined, Unexaminable};
use countersign_policy::{Document, Limits, Measured};
use serde_json::{Value, json};

const HEAD: &str = "package agent_policy\nimport future.keywords.in\nimport future.keywords.if\n";
const FITTING: &str = include_str!("../../manifests/samples/policy.rego");

fn separate() -> Separate {
    Separate::by(env!("CARGO_BIN_EXE_countersign"))
}

fn opened(rules: &str) -> Box<dyn OpenPolicy> {
    separate().open(&format!("{HEAD}{rules}\n")).unwrap_or_else(|unreadable| panic!("{unreadable}"))
}

/// What the rule `Asked` among these gives.
fn asked(rules: &str) -> Result<Option<Value>, Unanswered> {
    opened(rules).ask("Asked", &Value::Null).map(|answer| answer.value)
}

/// Rules of which each is made of the one before it, in the place of `@`: `name0` to `name40`. None is evaluated that nobody asks for.
fn grown(name: &str, first: &str, of: &str) -> String {
    (0..40).fold(format!("{name}0 := {first}\n"), |mut rules, i| {
        let before = format!("{name}{i}");
        writeln!(rules, "{name}{} := {}", i + 1, of.replace('@', &before)).unwrap();
        rules
    })
}

/// The policies at hand: the project's own, and those of real generators where they stand beside it.
fn policies() -> Vec<Arc<Document>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = |folder: &str, end: &str| {
        let folder = std::fs::read_dir(root.join(folder)).into_iter().flatten();
        let files = folder.map(|file| file.unwrap().path()).filter(|path| path.extension().is_some_and(|found| found == end));
        files.map(|path| std::fs::read_to_string(path).unwrap()).collect::<Vec<_>>()
    };
    let own = files("golden/policies", "rego").into_iter().map(|text| Document::AgentPolicy(text.into())).map(Arc::new);
    let real = files("../shared/fixtures", "yaml").into_iter().filter_map(|manifest| {
        let annotation = Measured::ALL.into_iter().find_map(|measured| {
            let key = format!("{}:", measured.annotation());
            let line =
                manifest.lines().find_map(|line| line.trim().strip_prefix(&key).map(|text| text.trim().trim_matches('"')))?;
            measured.read(line, Limits::OFFLINE).ok()
        });
        Some(annotation?.document)
    });
    own.chain(real).collect()
}

#[test]
fn a_process_of_its_own_finds_what_this_one_finds() {
    let here: Arc<dyn Evaluator> = Arc::new(InProcess);
    let there: Arc<dyn Evaluator> = Arc::new(separate());
    let policies = policies();
    assert!(policies.len() >= 6, "{} policies", policies.len());
    for policy in policies {
        match (Examined::of(&policy, &here), Examined::of(&policy, &there)) {
            (Ok(here), Ok(there)) => {
                assert_eq!(here.permissions, there.permissions);
                assert_eq!(here.permissive, there.permissive);
                assert_eq!(format!("{:?}", here.data), format!("{:?}", there.data));
            }
            (here, there) => assert_eq!(here.unwrap_err(), there.unwrap_err()),
        }
    }
}

#[test]
fn a_question_is_asked_with_its_input_and_the_state_that_was_left() {
    let mut policy = opened("Asked := {\"input\": input.a, \"state\": data.pstate}");
    let mut ask = |state: &Value| {
        policy.set_state(state).unwrap();
        policy.ask("Asked", &json!({"a": "line\nbreak"})).unwrap()
    };
    assert_eq!(ask(&json!({})).value, Some(json!({"input": "line\nbreak", "state": {}})));
    assert_eq!(ask(&json!({"c": 1})).value, Some(json!({"input": "line\nbreak", "state": {"c": 1}})));
    assert_eq!(opened("Other := 1").ask("Asked", &Value::Null).unwrap().value, None);
    let printed = opened("Asked if { print(\"looking\"); input == 1 }").ask("Asked", &json!(1)).unwrap();
    assert_eq!((printed.allowed(), printed.prints), (true, vec!["line 4: looking".to_owned()]));
}

#[test]
fn memory_that_grows_without_end_ends_the_process_that_evaluates() {
    let memory = Err(Unanswered::Ended("its evaluation took more than 96 MiB of memory or 32 MiB of stack".to_owned()));
    // Long, so that memory runs out long before time does.
    let long = format!("\"{}\"", "x".repeat(64 * 1024));
    let text = grown("text", &long, "concat(\"\", [@, @])");
    assert_eq!(asked(&format!("{text}Asked := count(text40)")), memory);
    // The engine shares what is the same; whoever prints it does not.
    let shared = grown("list", &long, "[@, @]");
    assert_eq!(asked(&format!("{shared}Asked := list40")), memory);
}

#[test]
fn a_deep_chain_of_rules_ends_the_evaluation_and_nothing_else() {
    let links = (0..10_000).fold(String::new(), |rules, i| format!("{rules}a{i} := [a{}]\n", i + 1));
    let ended = asked(&format!("{links}a10000 := 1\nAsked := a0")).unwrap_err();
    assert!(matches!(ended, Unanswered::Ended(_) | Unanswered::TookTooLong(_)), "{ended:?}");
}

#[test]
fn what_the_engines_clock_does_not_see_ends_in_time_all_the_same() {
    let began = Instant::now();
    let late = Err(Unanswered::Ended("its evaluation took longer than 2 s altogether".to_owned()));
    let shared = grown("a", "[1, 1]", "[@, @]") + &grown("b", "[1, 1]", "[@, @]");
    assert_eq!(asked(&format!("{shared}Asked if a40 == b40")), late, "one comparison");
    assert!(began.elapsed() > bounds::LONGEST, "{:?}", began.elapsed());
}

#[test]
fn the_time_of_all_questions_is_counted_together() {
    let lists = grown("b", "[1, 2, 3, 4, 5, 6, 7, 8, 9]", "array.concat(@, array.concat(@, @))");
    let policy = opened(&format!("{lists}Asked if {{ some x in b4; some y in b4; some z in b4; x + y + z > 100 }}"));
    let answers: Vec<_> = std::iter::repeat_with(|| policy.ask("Asked", &Value::Null).unwrap_err()).take(100).collect();
    assert_eq!(answers[0], Unanswered::TookTooLong(LONGEST_EVALUATION));
    let late = answers.iter().position(|answer| matches!(answer, Unanswered::Ended(why) if why.contains("2 s altogether")));
    assert!(late.is_some_and(|late| late <= 5), "{answers:?}");
    assert!(answers[late.unwrap()..].iter().all(|answer| matches!(answer, Unanswered::Ended(_))), "{answers:?}");
}

#[test]
fn an_answer_that_is_computed_to_any_length_is_not_taken() {
    let lists = grown("b", "[\"0123456789abcdef\", 1]", "array.concat(@, array.concat(@, @))");
    let policy = opened(&format!("{lists}Asked := b10\nOther := 1"));
    let reason = policy.ask("Asked", &Value::Null).unwrap_err();
    let expected = "its answer is not taken: it is longer than the 1048576 bytes that are read";
    assert_eq!(reason, Unanswered::Ended(expected.to_owned()));
    assert!(
        matches!(policy.ask("Other", &Value::Null), Err(Unanswered::Ended(_))),
        "nothing of the long answer is taken later"
    );
}

#[test]
fn a_policy_that_was_ended_is_no_finding_that_lasts_and_the_next_one_is_examined() {
    let there: Arc<dyn Evaluator> = Arc::new(separate());
    let examined = |text: &str| Examined::of(&Arc::new(Document::AgentPolicy(text.into())), &there);
    let shared = grown("a", &format!("\"{}\"", "x".repeat(64 * 1024)), "[@, @]");
    let Err(Unexaminable::Unanswered { rule, reason }) = examined(&format!("{HEAD}{shared}policy_data := a40")) else {
        panic!("it is examined")
    };
    assert_eq!(rule, "policy_data");
    assert!(reason.to_string().contains("96 MiB of memory"), "{reason}");
    assert!(examined(FITTING).unwrap().coverage.is_some());
}

#[test]
fn a_program_that_cannot_be_started_or_does_not_answer_is_said() {
    let reason = |program: &str| Separate::by(program).open(FITTING).err().unwrap();
    let Unreadable::Ended(missing) = reason("/nowhere/countersign") else { panic!("it is there") };
    assert_eq!(missing, "there is no process to evaluate it in: No such file or directory (os error 2)");
    assert_eq!(reason("false"), Unreadable::Ended("its evaluation ended before it answered (exit status: 1)".to_owned()));
    let took = Instant::now();
    drop(opened("Asked := 1"));
    assert!(took.elapsed() < Duration::from_secs(10), "who asks no more does not wait for its end");
}
