//! The dependencies in the `Cargo.toml` of our crates.

use std::fs;
use std::path::Path;

use anyhow::Context as _;

/// A dependency of a crate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) is_dev: bool,
    /// Counted from one.
    pub(crate) line: usize,
}

/// Returns the members of the workspace, in the order of its `Cargo.toml`.
pub(crate) fn members(root: &Path) -> anyhow::Result<Vec<String>> {
    let text = fs::read_to_string(root.join("Cargo.toml"))?;
    let (_, members) = text.split_once("\nmembers = [").context("the workspace has no members")?;
    let (members, _) = members.split_once(']').context("the list of members does not end")?;
    Ok(members.split('"').skip(1).step_by(2).map(str::to_owned).collect())
}

/// Reads the dependencies of a crate.
pub(crate) fn read(root: &Path, krate: &str) -> anyhow::Result<Vec<Dependency>> {
    let path = root.join(krate).join("Cargo.toml");
    let text =
        fs::read_to_string(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
    Ok(dependencies(&text))
}

/// Parses dependencies. Build dependencies count as normal ones.
fn dependencies(text: &str) -> Vec<Dependency> {
    let mut dependencies = Vec::new();
    let mut section = "";
    for (idx, line) in text.lines().enumerate() {
        if let Some(header) = line.strip_prefix('[') {
            section = header.trim_end().trim_end_matches(']');
            // `[dependencies.name]`
            if let Some((table, name)) = section.rsplit_once('.')
                && table.ends_with("dependencies")
            {
                let is_dev = table.ends_with("dev-dependencies");
                dependencies.push(Dependency { name: name.to_owned(), is_dev, line: idx + 1 });
            }
        } else if section.ends_with("dependencies") && !line.starts_with([' ', '\t', '#']) {
            let name = line.split(['.', '=', ' ']).next().unwrap_or_default();
            if !name.is_empty() {
                let is_dev = section.ends_with("dev-dependencies");
                dependencies.push(Dependency { name: name.to_owned(), is_dev, line: idx + 1 });
            }
        }
    }
    dependencies
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_forms_of_dependencies_are_read() {
        let text = "[package]\nname = \"x\"\n\n[dependencies]\n# why\nserde.workspace = true\ntokio = { workspace = true }\n\n[target.'cfg(unix)'.dependencies]\nrustix = \"1\"\n\n[dev-dependencies.insta]\nversion = \"1\"\n\n[dev-dependencies]\ntempfile.workspace = true\n\n[lints]\nworkspace = true\n";
        let found: Vec<String> = dependencies(text)
            .iter()
            .map(|it| format!("{} {}{}", it.line, it.name, if it.is_dev { " dev" } else { "" }))
            .collect();
        assert_eq!(found, ["6 serde", "7 tokio", "10 rustix", "12 insta dev", "16 tempfile dev"]);
    }
}
