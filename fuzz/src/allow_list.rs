//! One key of an allow-list `ConfigMap`, and a file that holds such `ConfigMap`s.

use countersign::standalone::read_allow_lists;
use countersign_decision::allow_list::{Entry, WrittenEntry, parse_entries};

use crate::cases;

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let cases = cases::all();
    let entries = cases::yaml(cases.iter().map(|case| &case.given.allow_list));
    entries.into_iter().chain(cases::samples("yaml")).collect()
}

pub(crate) fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let _ = read_allow_lists(&[("any.yaml".to_owned(), text.to_owned())]);
    let Ok(entries) = parse_entries(text) else { return };
    if let Ok(Some(written)) = serde_saphyr::from_str::<Option<Vec<WrittenEntry>>>(text) {
        let meant: Vec<Entry> = written.iter().cloned().map(|entry| Entry::try_from(entry).unwrap()).collect();
        assert_eq!(format!("{meant:?}"), format!("{entries:?}"));
        for printed in [serde_json::to_string(&written).unwrap(), serde_saphyr::to_string(&written).unwrap()] {
            assert_eq!(format!("{:?}", parse_entries(&printed).unwrap()), format!("{entries:?}"), "{printed}");
        }
    }
}
