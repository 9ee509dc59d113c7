//! Every file of the repository that comes out of the code, so that one test says when one of them is stale.

use anyhow::Result;

use crate::args::SchemaOf;
use crate::{commands, manifests};

/// Each generated file: its path from the root of the repository, and its text.
pub fn files() -> Result<Vec<(String, String)>> {
    let mut files: Vec<_> = manifests::base_files()?.into_iter().map(|file| (file.path, file.text)).collect();
    for (of, path) in
        [(SchemaOf::Configuration, "docs/schema/configuration.json"), (SchemaOf::AllowList, "docs/schema/allow-list.json")]
    {
        files.push((path.to_owned(), commands::schema_text(of)?));
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generated_files_are_what_the_code_gives() {
        for (path, text) in files().unwrap() {
            let kept = std::fs::read_to_string(&path).unwrap_or_default();
            assert!(kept == text, "{path} is stale: run `cargo xtask generate`");
        }
    }
}
