//! The rules of ARCHITECTURE.md about crates and files, as a program.

mod cycles;
mod links;
mod names;
mod paths;
mod sizes;
mod violation;

use std::path::Path;

use anyhow::bail;
use xshell::Shell;

use crate::manifest;
use crate::source::{self, Source};
use violation::Violation;

/// Fails if a crate or a file breaks a rule, and lists every violation.
pub(crate) fn check(sh: &Shell) -> anyhow::Result<()> {
    let root = sh.current_dir();
    let mut violations = Vec::new();
    let crates = sources(&root)?;
    for (krate, sources) in &crates {
        cycles::check(sources, &mut violations);
        names::check(krate, sources, &mut violations);
        sizes::check(krate, sources, &mut violations);
    }
    violations.extend(sizes::stale(&crates).into_iter().map(|entry| Violation {
        path: "xtask/src/layers/sizes.rs".to_owned(),
        line: 1,
        what: format!("`{entry}` is not too long any more"),
        advice: "take it off the list".to_owned(),
    }));
    let names: Vec<&str> = crates.iter().map(|(krate, _)| krate.as_str()).collect();
    links::check(sh, &root, &names, &mut violations)?;
    if !violations.is_empty() {
        violations.sort();
        let lines: Vec<String> = violations.iter().map(Violation::to_string).collect();
        bail!("{} places break a rule\n\n{}", violations.len(), lines.join("\n"));
    }
    println!("layers: {} crates link and name what they may", crates.len());
    Ok(())
}

/// Reads the sources of all crates of the workspace.
fn sources(root: &Path) -> anyhow::Result<Vec<(String, Vec<Source>)>> {
    let mut crates = Vec::new();
    for krate in manifest::members(root)? {
        let sources = source::read(root, &krate)?;
        crates.push((krate, sources));
    }
    Ok(crates)
}
