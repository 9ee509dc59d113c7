//! Every file of the repository that comes out of the code, so that one test says when one of them is stale.

use anyhow::Result;

use clap::CommandFactory as _;
use clap_mangen::Man;

use crate::args::{Arguments, SchemaOf};
use crate::{commands, manifests};

/// Each generated file: its path from the root of the repository, and its text.
pub fn files() -> Result<Vec<(String, String)>> {
    let mut files: Vec<_> = manifests::generated_files()?.into_iter().map(|file| (file.path, file.text)).collect();
    for (of, path) in
        [(SchemaOf::Configuration, "docs/schema/configuration.json"), (SchemaOf::AllowList, "docs/schema/allow-list.json")]
    {
        files.push((path.to_owned(), commands::schema_text(of)?));
    }
    files.extend(man_pages()?);
    Ok(files)
}

/// A man page for the program and for each of its commands.
fn man_pages() -> Result<Vec<(String, String)>> {
    let mut program = Arguments::command();
    program.build();
    let commands = program.get_subcommands().filter(|command| command.get_name() != "help" && !command.is_hide_set()).cloned();
    let pages = std::iter::once(program.clone()).chain(commands);
    pages
        .map(|command| {
            let name = command.get_bin_name().unwrap_or_else(|| command.get_name()).replace(' ', "-");
            let mut page = Vec::new();
            Man::new(command).title(name.clone()).render(&mut page)?;
            Ok((format!("docs/man/{name}.1"), String::from_utf8(page)?))
        })
        .collect()
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

    #[test]
    fn the_image_is_built_from_the_whole_workspace() {
        let workspace = std::fs::read_to_string("Cargo.toml").unwrap();
        let members = workspace.lines().find_map(|line| line.strip_prefix("members = ")).unwrap();
        let ignored = std::fs::read_to_string(".dockerignore").unwrap();
        for member in members.split('"').filter(|part| part.starts_with(char::is_alphabetic)) {
            let folder = member.split('/').next().unwrap();
            assert!(ignored.lines().any(|line| line == format!("!{folder}")), "{folder} is not let in by .dockerignore");
        }
    }
}
