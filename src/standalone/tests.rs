use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use countersign_decision::allow_list::{Applicant, Finding};
use countersign_decision::configuration::Configuration;
use jiff::SignedDuration;
use tempfile::TempDir;

use super::*;

fn config_map(name: &str, entries: usize) -> String {
    let mut text = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n  labels: {{countersign.dev/allow-list: \"true\"}}\ndata:\n  team.yaml: |\n    # ours\n"
    );
    for number in 1..=entries {
        writeln!(text, "    - {{digest: \"sha256:{number:064x}\", namespaces: [kafka]}}").unwrap();
    }
    text
}

fn entries(lists: &Lists) -> usize {
    AllowList::of(lists.sources()).len()
}

/// Whether the entry with this number admits a pod at a time.
fn counts(lists: &Lists, number: usize, now: &str) -> bool {
    let applicant = Applicant { namespace: "kafka", service_account: "default", profile: "aks", now: at(now) };
    let digest = format!("sha256:{number:064x}").parse().unwrap();
    matches!(AllowList::of(lists.sources()).find(&digest, applicant), Finding::Listed { .. })
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

const HOUR: SignedDuration = SignedDuration::from_hours(1);

#[test]
fn config_maps_of_the_same_name_in_two_files_add_up() {
    let files = [("a.yaml".to_owned(), config_map("allow-list", 1)), ("b.yaml".to_owned(), config_map("allow-list", 2))];
    assert_eq!(AllowList::of(&read_allow_lists(&files).unwrap()).len(), 3);
}

#[test]
fn a_bad_file_at_the_start_is_an_error_that_names_the_place() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("al.yaml");
    let error = Lists::read(std::slice::from_ref(&file)).unwrap_err().to_string();
    assert_eq!(error, format!("{}: cannot be read: No such file or directory (os error 2)", file.display()));
    fs::write(&file, config_map("allow-list", 1).replace("namespaces", "namespace")).unwrap();
    let error = Lists::read(std::slice::from_ref(&file)).unwrap_err().to_string();
    let place = format!("ConfigMap {}/allow-list, key team.yaml, line 2, column ", file.display());
    assert!(error.starts_with(&place), "{error}");
    assert!(error.contains("unknown field `namespace`"), "{error}");
}

#[test]
fn a_file_that_is_no_text_is_rejected_once_and_taken_when_it_is_one_again() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("al.yaml");
    fs::write(&file, config_map("allow-list", 1)).unwrap();
    let mut lists = Lists::read(std::slice::from_ref(&file)).unwrap();
    fs::write(&file, [0xff]).unwrap();
    let now = at("2026-11-01T12:00:00Z");
    assert!(lists.look(now, HOUR));
    let message = &lists.standing().rejected[0].message;
    assert!(message.ends_with("cannot be read: invalid utf-8 sequence of 1 bytes from index 0"), "{message}");
    assert!(!lists.look(now, HOUR), "it did not change");
    fs::write(&file, config_map("allow-list", 2)).unwrap();
    assert!(lists.look(now, HOUR));
    assert_eq!((entries(&lists), lists.standing().rejected.len()), (2, 0));
}

#[test]
fn a_broken_file_keeps_its_last_good_version_for_a_bounded_time() {
    let directory = TempDir::new().unwrap();
    let files = ["a.yaml", "b.yaml"].map(|name| directory.path().join(name));
    fs::write(&files[0], config_map("allow-list", 3)).unwrap();
    fs::write(&files[1], config_map("allow-list", 2)).unwrap();
    let mut lists = Lists::read(&files).unwrap();
    assert!(!lists.look(at("2026-11-01T12:00:00Z"), HOUR), "nothing changed");
    for (now, broken) in [("2026-11-01T12:00:00Z", "kind: Pod"), ("2026-11-01T12:30:00Z", "")] {
        fs::write(&files[0], broken).unwrap();
        assert!(lists.look(at(now), HOUR));
        assert!(counts(&lists, 3, now));
        assert_eq!(lists.standing().rejected.len(), 1);
    }
    fs::remove_file(&files[0]).unwrap();
    assert!(lists.look(at("2026-11-01T12:59:59Z"), HOUR));
    assert!(lists.standing().rejected[0].message.contains("cannot be read"));
    assert!(counts(&lists, 3, "2026-11-01T12:59:59Z"));
    assert!(lists.look(at("2026-11-01T13:00:00Z"), HOUR), "an hour from the first rejection, not from the latest");
    assert!(!counts(&lists, 3, "2026-11-01T13:00:00Z"), "what the broken file alone lists");
    assert!(counts(&lists, 2, "2026-11-01T13:00:00Z"), "what the other lists too");
    assert!(!lists.look(at("2026-11-01T13:00:01Z"), HOUR), "it lapses once");
    fs::write(&files[0], config_map("allow-list", 3)).unwrap();
    assert!(lists.look(at("2026-11-01T14:00:00Z"), HOUR));
    assert_eq!((entries(&lists), lists.standing().rejected), (5, Vec::new()));
}

#[test]
fn a_config_map_that_is_taken_out_of_its_file_is_gone() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("al.yaml");
    fs::write(&file, format!("{}---\n{}", config_map("a", 1), config_map("b", 2))).unwrap();
    let mut lists = Lists::read(std::slice::from_ref(&file)).unwrap();
    assert_eq!((entries(&lists), lists.standing().config_maps), (3, 2));
    fs::write(&file, config_map("b", 2)).unwrap();
    assert!(lists.look(at("2026-11-01T12:00:00Z"), HOUR));
    assert_eq!((entries(&lists), lists.standing().config_maps), (2, 1));
}

struct Site {
    directory: TempDir,
    knowledge: Arc<Knowledge>,
    _following: Following,
}

fn site(file: &str, prepare: impl FnOnce(&Path)) -> Site {
    let directory = TempDir::new().unwrap();
    prepare(directory.path());
    let knowledge = Arc::new(Knowledge::of_files(Arc::new(Configuration::built_in().unwrap())));
    let following = follow(&[directory.path().join(file)], Arc::clone(&knowledge)).unwrap();
    Site { directory, knowledge, _following: following }
}

impl Site {
    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    async fn eventually(&self, what: &str, condition: impl Fn(&Knowledge) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while !condition(&self.knowledge) {
            assert!(Instant::now() < deadline, "in vain: {what}: {:?}", self.knowledge.report());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

#[tokio::test]
async fn an_edit_is_in_force_within_a_second() {
    let site = site("al.yaml", |directory| fs::write(directory.join("al.yaml"), config_map("a", 1)).unwrap());
    assert_eq!(site.knowledge.report().entries, 1);
    let began = Instant::now();
    fs::write(site.path("al.yaml"), config_map("a", 2)).unwrap();
    site.eventually("written over", |knowledge| knowledge.report().entries == 2).await;
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    fs::write(site.path("new"), config_map("a", 3)).unwrap();
    fs::rename(site.path("new"), site.path("al.yaml")).unwrap();
    site.eventually("renamed over", |knowledge| knowledge.report().entries == 3).await;
}

#[tokio::test]
async fn a_bad_edit_keeps_the_last_good_version_and_is_reported() {
    let site = site("al.yaml", |directory| fs::write(directory.join("al.yaml"), config_map("a", 2)).unwrap());
    fs::write(site.path("al.yaml"), config_map("a", 2).replace("namespaces", "namespace")).unwrap();
    site.eventually("the report", |knowledge| knowledge.report().rejected.len() == 1).await;
    let report = site.knowledge.report();
    assert_eq!(report.entries, 2);
    assert!(report.rejected[0].message.contains("key team.yaml, line 2, column "), "{:?}", report.rejected);
}

#[cfg(unix)]
#[tokio::test]
async fn the_kubelets_swap_of_its_link_is_an_edit() {
    use std::os::unix::fs::symlink;
    let version = |directory: &Path, name: &str, entries: usize| {
        fs::create_dir(directory.join(name)).unwrap();
        fs::write(directory.join(name).join("al.yaml"), config_map("a", entries)).unwrap();
        symlink(name, directory.join("..data_tmp")).unwrap();
        fs::rename(directory.join("..data_tmp"), directory.join("..data")).unwrap();
    };
    let site = site("al.yaml", |directory| {
        version(directory, "..1", 1);
        symlink("..data/al.yaml", directory.join("al.yaml")).unwrap();
    });
    assert_eq!(site.knowledge.report().entries, 1);
    let began = Instant::now();
    version(site.directory.path(), "..2", 2);
    site.eventually("the new version", |knowledge| knowledge.report().entries == 2).await;
    assert!(began.elapsed() < Duration::from_secs(1), "{:?} is the fallback's time", began.elapsed());
}

#[cfg(unix)]
#[tokio::test]
async fn an_edit_behind_a_link_to_another_directory_is_seen_without_an_event() {
    let other = TempDir::new().unwrap();
    let target = other.path().join("al.yaml");
    fs::write(&target, config_map("a", 1)).unwrap();
    let site = site("al.yaml", |directory| std::os::unix::fs::symlink(&target, directory.join("al.yaml")).unwrap());
    fs::write(&target, config_map("a", 2)).unwrap();
    site.eventually("the new version", |knowledge| knowledge.report().entries == 2).await;
}
