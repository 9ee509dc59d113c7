//! Warnings as the API server passes them on whole.
//!
//! It drops one that has a control character; once all of a request together exceed 4,096 characters it cuts each to 256, and drops
//! those that are still too many. Other webhooks warn too, so some room is left to them.
//! Source: `staging/src/k8s.io/apiserver/pkg/endpoints/filters/warning.go` of Kubernetes.

/// Characters of all warnings of one answer: within this none is cut.
const TOGETHER: usize = 3_584;
/// Characters of one warning that is cut.
const EACH: usize = 256;

/// The warnings, in their order: whole if there is room for them, else each cut, and the last says how many are left out.
pub(super) fn fit(warnings: &[String]) -> Vec<String> {
    let clean = |warning: &String| warning.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>();
    let warnings: Vec<String> = warnings.iter().map(clean).collect();
    if warnings.iter().map(|warning| warning.chars().count()).sum::<usize>() <= TOGETHER {
        return warnings;
    }
    let most = TOGETHER / EACH;
    let shown = if warnings.len() > most { most - 1 } else { warnings.len() };
    let left_out = warnings.len() - shown;
    let mut fitting: Vec<String> = warnings.iter().take(shown).map(|warning| cut(warning)).collect();
    if left_out > 0 {
        fitting.push(format!("{left_out} more: `countersign review` shows them all"));
    }
    fitting
}

fn cut(warning: &str) -> String {
    if warning.chars().count() <= EACH {
        return warning.to_owned();
    }
    warning.chars().take(EACH - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_room_is_whole_and_without_control_characters() {
        let long = "x".repeat(1_000);
        assert_eq!(fit(&["a\nb\u{7f}".to_owned(), long.clone()]), ["a b ".to_owned(), long]);
    }

    #[test]
    fn what_has_none_is_cut_between_characters_and_counted() {
        let long = "ä".repeat(1_000);
        let four = fit(&vec![long.clone(); 4]);
        assert_eq!(four.len(), 4);
        assert!(four.iter().all(|warning| warning.chars().count() == 256 && warning.ends_with('…')));
        let many = fit(&vec![long; 40]);
        assert_eq!(many.last().unwrap(), "27 more: `countersign review` shows them all");
        assert!(many.iter().map(|warning| warning.chars().count()).sum::<usize>() <= 4_096);
    }
}
