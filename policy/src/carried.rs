//! Which policy annotation an object carries, where no profile says which one counts.

use crate::reading::Measured;

/// More than one policy annotation on one object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "annotations {first} and {second} both carry a policy, and a runtime measures one of them: remove the other",
    first = .0.annotation(),
    second = .1.annotation()
)]
pub struct SeveralPolicies(Measured, Measured);

impl Measured {
    /// The one policy annotation of an object, with its text; `text_of` gives the text under a key.
    pub fn carried<'a>(text_of: impl Fn(&'static str) -> Option<&'a str>) -> Result<Option<(Self, &'a str)>, SeveralPolicies> {
        let mut carried = Self::ALL.into_iter().filter_map(|measured| Some((measured, text_of(measured.annotation())?)));
        match (carried.next(), carried.next()) {
            (Some((first, _)), Some((second, _))) => Err(SeveralPolicies(first, second)),
            (carried, _) => Ok(carried),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn carried(keys: &[Measured]) -> Result<Option<Measured>, SeveralPolicies> {
        let text_of = |key: &str| keys.iter().any(|measured| measured.annotation() == key).then_some("x");
        Ok(Measured::carried(text_of)?.map(|(measured, _)| measured))
    }

    #[test]
    fn each_annotation_is_found_by_its_key() {
        assert_eq!(carried(&[]), Ok(None));
        for measured in Measured::ALL {
            assert_eq!(carried(&[measured]), Ok(Some(measured)));
        }
    }

    #[test]
    fn two_annotations_are_named() {
        let several = carried(&[Measured::EarlierInitdata, Measured::AgentPolicy]).unwrap_err().to_string();
        let [agent_policy, _, earlier] = Measured::ALL.map(Measured::annotation);
        assert!(several.starts_with(&format!("annotations {agent_policy} and {earlier} both carry a policy")), "{several}");
    }
}
