//! Finds dependencies that no source of their crate names.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::bail;

use crate::manifest;
use crate::source::{blank, find, tokens};

/// Exceptions: `crate: dependency`, and why it is needed although no source names it.
const UNNAMED: &[(&str, &str)] = &[];

/// Fails if a crate does not name one of its dependencies, and lists all of these.
///
/// A normal one must be named in `src`, one for development in `tests`, `examples`, `benches` or `src`.
pub(crate) fn check(root: &Path) -> anyhow::Result<()> {
    let mut unused = Vec::new();
    for krate in manifest::members(root)? {
        unused.extend(unused_of(root, &krate)?);
    }
    if !unused.is_empty() {
        bail!(
            "{} dependencies are not used\n\n{}\n    remove them from Cargo.toml, or give the reason \
             in xtask/src/unused.rs",
            unused.len(),
            unused.join("\n")
        );
    }
    Ok(())
}

fn unused_of(root: &Path, krate: &str) -> anyhow::Result<Vec<String>> {
    let dir = root.join(krate);
    let src = words(&dir.join("src"))?;
    let mut dev = src.clone();
    for folder in ["tests", "examples", "benches"] {
        dev.extend(words(&dir.join(folder))?);
    }
    // The tests of the program are a crate whose sources stand beside its `src`.
    if krate == "tests" {
        dev.extend(words(&dir.join("it"))?);
        dev.extend(words(&dir.join("support"))?);
    }
    let mut unused = Vec::new();
    for dependency in manifest::read(root, krate)? {
        let words = if dependency.is_dev { &dev } else { &src };
        let entry = format!("{krate}: {}", dependency.name);
        let is_excepted = UNNAMED.iter().any(|(it, _)| *it == entry);
        if !words.contains(&dependency.name.replace('-', "_")) && !is_excepted {
            let place = format!("{krate}/Cargo.toml:{}", dependency.line);
            unused.push(format!("{place}: nothing names `{}`", dependency.name));
        }
    }
    Ok(unused)
}

/// Returns the words in the code of all Rust files below a directory, which may be missing.
fn words(dir: &Path) -> anyhow::Result<BTreeSet<String>> {
    let mut files = Vec::new();
    if dir.is_dir() {
        find(dir, &mut files)?;
    }
    let mut words = BTreeSet::new();
    while let Some(file) = files.pop() {
        let text = fs::read_to_string(&file)?;
        // Crates may share a support file of their tests.
        for rest in text.split("\n#[path = \"").skip(1) {
            let path = rest.split('"').next().unwrap_or_default();
            files.push(file.with_file_name(path));
        }
        let code = blank(&text);
        words.extend(tokens(&code).iter().filter(|it| it.is_word()).map(|it| it.text.to_owned()));
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dependency_that_only_a_comment_or_a_test_names_is_unused() {
        let root = std::env::temp_dir().join(format!("jaunt-unused-{}", std::process::id()));
        let krate = root.join("x");
        fs::create_dir_all(krate.join("src")).unwrap();
        fs::create_dir_all(krate.join("tests")).unwrap();
        let manifest = "[dependencies]\nserde-json = \"1\"\nhex = \"1\"\n\n[dev-dependencies]\ninsta = \"1\"\nproptest = \"1\"\n";
        fs::write(krate.join("Cargo.toml"), manifest).unwrap();
        fs::write(krate.join("src/lib.rs"), "use serde_json::Value; // hex::encode").unwrap();
        fs::write(krate.join("tests/it.rs"), "insta::assert_snapshot!(hex::encode(x));").unwrap();
        let unused = unused_of(&root, "x").unwrap();
        fs::remove_dir_all(&root).unwrap();
        assert_eq!(
            unused,
            ["x/Cargo.toml:3: nothing names `hex`", "x/Cargo.toml:7: nothing names `proptest`"]
        );
    }
}
