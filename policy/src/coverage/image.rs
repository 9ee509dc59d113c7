//! Names of images as the guest's policy writes them.
//!
//! Source: the `distribution/reference` grammar (Docker Hub's short names, the tag `latest` where there is none); genpolicy adds
//! `:latest` to what has no tag.

/// Whether two names say the same image.
pub(super) fn same(a: &str, b: &str) -> bool {
    a == b || whole(a) == whole(b)
}

/// Whether two names differ only after the repository: another tag or digest.
pub(super) fn same_repository(a: &str, b: &str) -> bool {
    let repository = |image: &str| -> String { split(&whole(image)).0.to_owned() };
    repository(a) == repository(b)
}

/// The name with all that may be left out: registry, `library/` and tag.
fn whole(image: &str) -> String {
    let image = match image.split_once('/') {
        Some((first, _)) if first.contains(['.', ':']) || first == "localhost" => image.to_owned(),
        Some(_) => format!("docker.io/{image}"),
        None => format!("docker.io/library/{image}"),
    };
    let image = image.strip_prefix("index.docker.io/").map_or_else(|| image.clone(), |rest| format!("docker.io/{rest}"));
    if split(&image).1.is_empty() { format!("{image}:latest") } else { image }
}

/// The repository, and the tag or digest with its sign.
fn split(image: &str) -> (&str, &str) {
    let name = image.split_once('@').map_or(image, |(name, _)| name);
    let last = name.rfind('/').unwrap_or_default();
    let end = name.get(last..).and_then(|last| last.find(':')).map_or(name.len(), |colon| last + colon);
    image.split_at(end)
}

#[cfg(test)]
mod tests {
    use super::{same, same_repository, split};

    #[test]
    fn what_may_be_left_out_makes_no_other_image() {
        assert!(same("nginx", "docker.io/library/nginx:latest"));
        assert!(same("registry:5000/app", "registry:5000/app:latest"));
        assert!(same("team/app:1", "index.docker.io/team/app:1"));
        assert!(!same("app:1", "app:2"));
        assert!(!same("registry.example/app", "app"));
        assert!(!same("app@sha256:00", "app"));
    }

    #[test]
    fn a_moved_tag_is_told_from_another_image() {
        assert!(same_repository("registry:5000/app:1", "registry:5000/app@sha256:00"));
        assert!(!same_repository("registry.example/app:1", "registry.example/other:1"));
    }

    #[test]
    fn a_name_is_split_before_its_tag_or_digest_and_never_at_the_port_of_its_registry() {
        for (image, expected) in [
            ("app", ("app", "")),
            ("app:1", ("app", ":1")),
            ("registry:5000/app", ("registry:5000/app", "")),
            ("registry:5000/app:1", ("registry:5000/app", ":1")),
            ("registry:5000/team/app@sha256:00", ("registry:5000/team/app", "@sha256:00")),
            ("registry:5000/app:1@sha256:00", ("registry:5000/app", ":1@sha256:00")),
            ("/app:1", ("/app", ":1")),
        ] {
            assert_eq!(split(image), expected, "{image}");
        }
    }
}
