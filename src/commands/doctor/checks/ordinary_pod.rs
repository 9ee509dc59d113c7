//! An ordinary pod passes: Countersign stops nobody else's pods.

use crate::commands::doctor::finding::{Examined, Finding, Level};
use crate::commands::doctor::snapshot::{Probe, Snapshot};

pub(super) fn examine(snapshot: &Snapshot) -> Examined {
    let finding = match &snapshot.ordinary {
        Probe::Admitted => return Examined::new("an ordinary pod passes", Vec::new()),
        Probe::Unsent(unseen) => Finding::unknown(unseen),
        Probe::Refused(words) if words.contains("countersign.dev") => {
            Finding::wrong(format!("an ordinary pod is refused: {words}"), snapshot.reapply())
        }
        Probe::Refused(words) => Finding {
            level: Level::Unknown,
            problem: format!("somebody else refuses the ordinary pod that was tried: {words}"),
            mend: format!("let pods of namespace {} pass there, or try as another user", snapshot.namespace),
        },
    };
    Examined::new("", vec![finding])
}

#[cfg(test)]
mod tests {
    use super::super::healthy::healthy;
    use super::super::tests::findings;
    use crate::commands::doctor::finding::Level;
    use crate::commands::doctor::snapshot::Probe;

    #[test]
    fn an_ordinary_pod_that_countersign_stops_is_wrong_and_one_that_others_stop_proves_nothing() {
        let mut snapshot = healthy();
        snapshot.ordinary = Probe::Refused("failed calling webhook \"x.countersign.dev\"".to_owned());
        assert_eq!(findings("ordinary-pod", &snapshot)[0].level, Level::Wrong);
        snapshot.ordinary = Probe::Refused("exceeded quota".to_owned());
        assert_eq!(findings("ordinary-pod", &snapshot)[0].level, Level::Unknown);
    }
}
