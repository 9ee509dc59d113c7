//! The tables whose rows are guarded, and how a row gets a switch.

use anyhow::{Context as _, Result, ensure};

/// The variable that names the row to take out.
pub(super) const VARIABLE: &str = "COUNTERSIGN_GUARD";

/// A table: an array in a source file.
pub(super) struct Table {
    /// The file, from the root of the repository.
    pub(super) file: &'static str,
    /// The word before its rows in the report.
    name: &'static str,
    /// Where it begins; its length follows, then the rows.
    begins: &'static str,
    /// What stands before the path that a row names.
    before: &'static str,
    /// What stands after it.
    after: &'static str,
    /// The row with a switch: from its path and the condition under which it is out.
    switched: fn(&str, &str) -> String,
}

/// Both tables. A row that is out stays in its table and does nothing: what is missed is its work, not its name.
pub(super) const TABLES: [Table; 2] = [
    Table {
        file: "decision/src/changes/mod.rs",
        name: "change",
        begins: "pub const CHANGES: [Change; ",
        before: "make: ",
        after: "",
        switched: |path, out| format!("make: |asked, edits| if {out} {{ Ok(()) }} else {{ {path}(asked, edits) }}"),
    },
    Table {
        file: "decision/src/rules/mod.rs",
        name: "rule",
        begins: "pub const RULES: [Rule; ",
        before: "row::<",
        after: ">()",
        switched: |path, out| {
            let judge =
                format!("|subject, known| if {out} {{ (Ok(()), Vec::new()) }} else {{ judge::<{path}>(subject, known) }}");
            format!("Rule {{ judge: {judge}, ..row::<{path}>() }}")
        },
    },
];

impl Table {
    /// The file's text in which each row has a switch, and the names of the rows.
    ///
    /// # Errors
    /// When the table is not written as expected, or its rows are not as many as it says.
    pub(super) fn with_switches(&self, text: &str) -> Result<(String, Vec<String>)> {
        let not_there = || format!("there is no table `{}…`", self.begins);
        let (head, table) = text.split_once(self.begins).with_context(not_there)?;
        let (table, tail) = table.split_once("\n];").with_context(not_there)?;
        let (length, mut rest) = table.split_once(']').with_context(not_there)?;
        let mut switched = format!("{head}{}{length}]", self.begins);
        let mut rows = Vec::new();
        while let Some((between, row)) = rest.split_once(self.before) {
            let end = row.find(|c: char| !c.is_alphanumeric() && c != '_' && c != ':').unwrap_or(row.len());
            let (path, after) = row.split_at(end);
            let after = after.strip_prefix(self.after).with_context(|| format!("no `{}` after {path}", self.after))?;
            // The whole path: several rows may come from one file.
            let name = format!("{} {path}", self.name);
            switched.push_str(between);
            switched.push_str(&(self.switched)(path, &format!("is_out({name:?})")));
            rows.push(name);
            rest = after;
        }
        ensure!(
            length.trim() == rows.len().to_string(),
            "the table says that it has {length} rows, and {} are found",
            rows.len()
        );
        Ok((format!("{switched}{rest}\n];{tail}\n{}", switch()), rows))
    }
}

/// What the copy asks.
fn switch() -> String {
    format!(
        "fn is_out(row: &str) -> bool {{\n    \
             static OUT: std::sync::LazyLock<Option<String>> = std::sync::LazyLock::new(|| std::env::var({VARIABLE:?}).ok());\n    \
             OUT.as_deref() == Some(row)\n\
         }}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(name: &str) -> &'static Table {
        TABLES.iter().find(|table| table.name == name).unwrap_or(&TABLES[0])
    }

    #[test]
    fn every_row_of_a_table_gets_a_switch_and_keeps_its_place() -> Result<()> {
        let text = "const A: u8 = 1;\npub const RULES: [Rule; 2] = [\n    row::<a::B>(),\n    row::<c::D>(),\n];\nfn f() {}\n";
        let (switched, rows) = table("rule").with_switches(text)?;
        assert_eq!(rows, ["rule a::B", "rule c::D"]);
        assert!(switched.starts_with(
            "const A: u8 = 1;\npub const RULES: [Rule; 2] = [\n    Rule { judge: |subject, known| if is_out(\"rule a::B\")"
        ));
        assert!(switched.contains("..row::<a::B>() },\n    Rule {"));
        assert!(switched.contains("\n];\nfn f() {}\n\nfn is_out("));
        Ok(())
    }

    #[test]
    fn a_row_in_lines_of_its_own_counts() -> Result<()> {
        let text = "pub const CHANGES: [Change; 2] = [\n    Change { id: a::ID, make: a::make },\n    Change {\n        make: b::make,\n    },\n];\n";
        assert_eq!(table("change").with_switches(text)?.1, ["change a::make", "change b::make"]);
        Ok(())
    }

    #[test]
    fn a_row_that_is_written_in_another_way_is_an_error() {
        let text = "pub const RULES: [Rule; 2] = [\n    row::<a::B>(),\n    ANOTHER,\n];\n";
        let error = table("rule").with_switches(text).map(|_| ()).map_err(|error| error.to_string());
        assert_eq!(error, Err("the table says that it has 2 rows, and 1 are found".to_owned()));
    }
}
