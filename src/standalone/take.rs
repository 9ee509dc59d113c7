//! Taking many `ConfigMap`s at the start, where nothing else is to be done yet: read on every processor.

use std::num::NonZero;
use std::panic::resume_unwind;
use std::thread;

use countersign_decision::allow_list::{ConfigMapText, Entries, RejectedConfigMap, Sources};
use jiff::{SignedDuration, Timestamp};

/// Takes each of them, in their order.
///
/// # Errors
/// For the first one that is rejected.
pub(super) fn take_good(sources: &mut Sources, config_maps: &[ConfigMapText]) -> Result<(), RejectedConfigMap> {
    let mut read = config_maps.iter().zip(read_all(config_maps));
    read.try_for_each(|(config_map, read)| sources.put(&config_map.name, read, Timestamp::UNIX_EPOCH, SignedDuration::ZERO))
}

/// Each of them, read, in their order.
fn read_all(config_maps: &[ConfigMapText]) -> Vec<Result<Entries, RejectedConfigMap>> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let one_after_the_other = |part: &[ConfigMapText]| part.iter().map(ConfigMapText::read).collect::<Vec<_>>();
    if threads == 1 || config_maps.len() < 2 {
        return one_after_the_other(config_maps);
    }
    thread::scope(|scope| {
        let parts = config_maps.chunks(config_maps.len().div_ceil(threads));
        let start = |part| (part, thread::Builder::new().spawn_scoped(scope, move || one_after_the_other(part)));
        // All are started before one is waited for.
        let started: Vec<_> = parts.map(start).collect();
        let done = started.into_iter().flat_map(|(part, thread)| match thread {
            Ok(thread) => thread.join().unwrap_or_else(|panic| resume_unwind(panic)),
            // There is no thread to be had.
            Err(_) => one_after_the_other(part),
        });
        done.collect()
    })
}

#[cfg(test)]
mod tests {
    use countersign_decision::allow_list::{AllowList, Applicant};

    use super::*;

    fn config_map(name: &str, list: &str) -> ConfigMapText {
        ConfigMapText {
            name: name.to_owned(),
            data: [("list.yaml".to_owned(), list.to_owned())].into(),
            ..ConfigMapText::default()
        }
    }

    fn listing(number: usize) -> String {
        format!("- {{digest: \"{number:064x}\", namespaces: [kafka]}}")
    }

    #[test]
    fn many_are_taken_as_one_after_the_other() {
        let mut texts: Vec<_> = (1..=20).map(|number| config_map(&format!("c{number}"), &listing(number))).collect();
        texts.push(config_map("c3", &listing(99)));
        let (mut together, mut each) = (Sources::default(), Sources::default());
        take_good(&mut together, &texts).unwrap();
        for text in &texts {
            each.take(text, Timestamp::UNIX_EPOCH, SignedDuration::ZERO).unwrap();
        }
        let (together, each) = (AllowList::of(&together), AllowList::of(&each));
        let applicant = Applicant { namespace: "kafka", service_account: "a", profile: "p", now: Timestamp::UNIX_EPOCH };
        for number in (1..=21).chain([99]) {
            let digest = format!("{number:064x}").parse().unwrap();
            assert_eq!(together.find(&digest, applicant), each.find(&digest, applicant), "{number}");
            assert_eq!(together.names(&digest), ![3, 21].contains(&number), "{number}");
        }
    }

    #[test]
    fn the_first_that_is_wrong_is_named() {
        let mut texts: Vec<_> = (1..=20).map(|number| config_map(&format!("c{number}"), &listing(number))).collect();
        for wrong in [19, 11, 7] {
            texts[wrong] = config_map(&format!("wrong-{wrong}"), "- digest: x\n");
        }
        let rejected = take_good(&mut Sources::default(), &texts).unwrap_err().to_string();
        assert!(rejected.starts_with("ConfigMap wrong-7, key list.yaml, line 1"), "{rejected}");
        assert_eq!(take_good(&mut Sources::default(), &[]), Ok(()));
    }
}
