//! A profile's own side of the comparison, made once for all pods.

use std::sync::OnceLock;

use serde_json::{Map, Value};

use super::defaults;
use super::json::Object;

/// The container of a profile's sidecar as the API server stores it.
///
/// It says nothing that the container does not: any two are equal, and a copy, whose container may then be changed, starts without one.
#[derive(Debug, Default)]
pub(crate) struct Stored(OnceLock<Object<'static>>);

impl Stored {
    /// As it is for `container`, which is the same each time.
    pub(super) fn container(&self, container: &Map<String, Value>) -> &Object<'static> {
        self.0.get_or_init(|| defaults::of_container(Object::of(container)).owned())
    }
}

impl Clone for Stored {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl PartialEq for Stored {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Stored {}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn it_is_made_once_and_a_copy_makes_its_own() {
        let container = |image: &str| json!({"name": "c", "image": image}).as_object().unwrap().clone();
        let image =
            |stored: &Stored, of: &str| stored.container(&container(of)).value("image").unwrap().as_str().unwrap().to_owned();
        let stored = Stored::default();
        assert_eq!(image(&stored, "a:1"), "a:1");
        assert_eq!(image(&stored, "b:1"), "a:1", "made once");
        let copy = stored.clone();
        assert_eq!(image(&copy, "b:1"), "b:1");
        assert_eq!(stored, copy);
    }
}
