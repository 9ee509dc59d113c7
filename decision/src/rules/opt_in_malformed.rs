//! Labels and annotations under countersign.dev/ are spelt as they are meant.
//!
//! Why: a spelling mistake must never make an unprotected pod.
//! Reads: the pod's labels and annotations under the prefix; the opt-in label of its namespace.
//! Allows: the labels `confidential`, `trusted-launch` and `countersigned` with the value "true"; the annotations `profile` and
//! `injected`; on a namespace `confidential: required`.

use super::{Judge, Judgement, Judges};
use crate::facts::Known;
use crate::labels::{CONFIDENTIAL, POD_ANNOTATIONS, POD_LABELS, PREFIX};
use crate::subject::Subject;
use crate::text::Pairs;
use crate::verdict::Refusal;

pub(super) struct OptInMalformed;

#[derive(PartialEq)]
pub(super) struct Reads<'a> {
    labels: Vec<(&'a str, &'a str)>,
    annotations: Vec<(&'a str, &'a str)>,
    namespace: &'a str,
    namespace_label: Option<&'a str>,
}

impl Judge for OptInMalformed {
    const ID: &'static str = "opt-in-malformed";
    const JUDGES: Judges = Judges::Every;
    type Reads<'a> = Reads<'a>;

    fn reads<'a>(subject: &'a Subject<'a>) -> Option<Reads<'a>> {
        Some(reads(subject))
    }

    fn judge(reads: &Reads<'_>, _: &Known<'_>) -> Judgement {
        judge(reads)
    }
}

/// The same judgement for /mutate, which completes nothing whose opt-in is in doubt.
pub(crate) fn judge_subject<'a>(subject: &'a Subject<'a>) -> Judgement {
    judge(&reads(subject))
}

fn reads<'a>(subject: &'a Subject<'a>) -> Reads<'a> {
    let ours = |pairs: &'a Option<Pairs<'a>>| pairs.iter().flat_map(|pairs| pairs.starting_with(PREFIX)).collect();
    let metadata = &subject.pod.metadata;
    Reads {
        labels: ours(&metadata.labels),
        annotations: ours(&metadata.annotations),
        namespace: subject.namespace,
        namespace_label: subject.namespace_facts.malformed_opt_in.as_deref(),
    }
}

fn judge(reads: &Reads<'_>) -> Judgement {
    let refused = |because: String, next: String| Err(Refusal::new(OptInMalformed::ID, because, next));
    for (key, value) in &reads.labels {
        if POD_LABELS.contains(key) {
            if *value != "true" {
                return refused(
                    format!("label {key} is {value:?}, and its only value is \"true\""),
                    format!("Write {key}: \"true\", or remove the label"),
                );
            }
        } else if POD_ANNOTATIONS.contains(key) {
            return refused(
                format!("{key} stands as a label, and is an annotation"),
                format!("Move {key} to metadata.annotations"),
            );
        } else {
            return refused(
                format!("label {key} is none of Countersign's"),
                format!("{}, or remove the label", known(&POD_LABELS)),
            );
        }
    }
    for (key, _) in &reads.annotations {
        if POD_LABELS.contains(key) {
            return refused(
                format!("{key} stands as an annotation, and is a label"),
                format!("Write {key}: \"true\" under metadata.labels, or remove the annotation"),
            );
        } else if !POD_ANNOTATIONS.contains(key) {
            return refused(
                format!("annotation {key} is none of Countersign's"),
                format!("{}, or remove the annotation", known(&POD_ANNOTATIONS)),
            );
        }
    }
    match reads.namespace_label {
        None => Ok(()),
        Some(value) => refused(
            format!("label {CONFIDENTIAL} of namespace {} is {value:?}, and its only value is \"required\"", reads.namespace),
            format!("Ask the cluster administrator to write {CONFIDENTIAL}: required on the namespace, or to remove the label"),
        ),
    }
}

fn known(keys: &[&str]) -> String {
    format!("Write one of {}", keys.join(", "))
}
