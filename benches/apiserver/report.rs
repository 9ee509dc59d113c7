//! The figures, for people and as JSON.

use std::fmt::Write as _;

use serde::Serialize;

use crate::histogram::Histogram;
use crate::pods::{Kind, Times};

#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// How many pods were created.
    pub(crate) pods: usize,
    pub(crate) nodes: usize,
    pub(crate) clients: usize,
    /// The webhook's memory at the end.
    pub(crate) resident_mb: f64,
    pub(crate) created: Vec<Created>,
}

/// What is in the way of the pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Scene {
    Without,
    /// All of Countersign, with a webhook that answers a constant in the place of its own.
    Constant,
    With,
    /// Countersign, with more namespaces there, and then with more entries too.
    MoreNamespaces,
    MoreEntries,
}

/// Pods of one kind, by one client and by several.
#[derive(Debug, Serialize)]
pub(crate) struct Created {
    pub(crate) scene: Scene,
    pub(crate) kind: Kind,
    pub(crate) alone: Times,
    pub(crate) together: Times,
    /// What the API server measured while one client alone created.
    pub(crate) webhooks: Histogram,
}

const SCENES: [(Scene, &str); 5] = [
    (Scene::Without, "without"),
    (Scene::Constant, "a constant answer"),
    (Scene::With, "with Countersign"),
    (Scene::MoreNamespaces, "and more namespaces"),
    (Scene::MoreEntries, "and more entries"),
];
const KINDS: [(Kind, &str); 3] = [
    (Kind::Ordinary, "an ordinary pod"),
    (Kind::Complete, "a confidential pod that is complete"),
    (Kind::Incomplete, "one that is completed"),
];

impl Report {
    /// Tables in Markdown: each figure is the median of the rounds, with the lowest and the highest.
    pub(crate) fn printed(&self) -> String {
        let mut text = format!(
            "{} pods over {} nodes; the webhook has {:.1} MB at the end\n\n\
             | pod | in its way | one client, median ms | more than without | p99 ms | {} clients, a second | calls of webhooks: number for a pod, mean ms |\n\
             |---|---|---|---|---|---|---|\n",
            self.pods, self.nodes, self.resident_mb, self.clients
        );
        for (kind, pod) in KINDS {
            // Without Countersign, nothing completes a pod: the one that is complete stands for it.
            let without = self.of(Scene::Without, if kind == Kind::Ordinary { kind } else { Kind::Complete });
            for (scene, way) in SCENES {
                let of = self.of(scene, kind);
                if of.is_empty() {
                    continue;
                }
                let figure = |figure: fn(&Created) -> f64, digits| spread(of.iter().map(|created| figure(created)), digits);
                // Those of one round stand beside each other; what comes after the rounds is compared with none.
                let added = without.iter().zip(&of).map(|(without, with)| with.alone.median_ms - without.alone.median_ms);
                let added = if matches!(scene, Scene::Constant | Scene::With) { spread(added, 2) } else { "-".to_owned() };
                let _ = writeln!(
                    text,
                    "| {pod} | {way} | {} | {added} | {} | {} | {} |",
                    figure(|created| created.alone.median_ms, 2),
                    figure(|created| created.alone.p99_ms, 1),
                    figure(|created| created.together.per_second, 0),
                    calls(&of)
                );
            }
        }
        text
    }

    fn of(&self, scene: Scene, kind: Kind) -> Vec<&Created> {
        self.created.iter().filter(|created| created.scene == scene && created.kind == kind).collect()
    }
}

/// The median of some figures, with the lowest and the highest where there are several.
fn spread(figures: impl Iterator<Item = f64>, digits: usize) -> String {
    let mut figures: Vec<f64> = figures.collect();
    figures.sort_by(f64::total_cmp);
    let median = figures[figures.len() / 2];
    match &*figures {
        [lowest, .., highest] => format!("{median:.digits$} ({lowest:.digits$} to {highest:.digits$})"),
        _ => format!("{median:.digits$}"),
    }
}

/// Of each webhook that was called, how often for a pod and how long a call took.
fn calls(created: &[&Created]) -> String {
    let mut names: Vec<&String> = created.iter().flat_map(|created| created.webhooks.0.keys()).collect();
    names.sort_unstable();
    names.dedup();
    let of = |name: &String| {
        let calls = || created.iter().filter_map(|created| created.webhooks.0.get(name));
        let count: f64 = calls().map(|calls| calls.count).sum();
        // Some hundreds: exact as a float.
        #[allow(clippy::cast_precision_loss)]
        let pods = (created.len() * crate::COUNT) as f64;
        format!("{name} {:.2}, {}", count / pods, spread(calls().map(|calls| calls.seconds / calls.count * 1e3), 2))
    };
    names.into_iter().map(of).collect::<Vec<_>>().join("; ")
}
