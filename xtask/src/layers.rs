//! The rule of ARCHITECTURE.md about who may link what, as a program.

use anyhow::ensure;
use xshell::{Shell, cmd};

/// Crates that must stay free of runtimes and I/O, however deep their dependencies go.
const PURE: &[&str] = &["jaunt-dag", "jaunt-digest", "jaunt-text"];

/// What makes a crate impure.
const IMPURE: &[&str] =
    &["anyhow", "cap-std", "clap", "indicatif", "reqwest", "rustix", "tempfile", "tokio"];

/// Each crate with the crates of ours that it may depend on.
const EDGES: &[(&str, &[&str])] = &[
    ("jaunt-dag", &[]),
    ("jaunt-digest", &["jaunt-text"]),
    ("jaunt-pytest", &["jaunt-process", "jaunt-text"]),
    ("jaunt-text", &[]),
    ("jaunt-process", &[]),
    ("jaunt-write", &["jaunt-text"]),
    ("jaunt-sched", &["jaunt-dag"]),
    ("jaunt-builder", &["jaunt-dag", "jaunt-digest", "jaunt-sched", "jaunt-text", "jaunt-write"]),
    ("jaunt-fresh", &["jaunt-builder", "jaunt-digest", "jaunt-write"]),
    ("jaunt-tester", &["jaunt-builder", "jaunt-digest", "jaunt-pytest"]),
    (
        "jaunt-backends",
        &["jaunt-builder", "jaunt-digest", "jaunt-process", "jaunt-text", "jaunt-write"],
    ),
    (
        "jaunt-cli",
        &[
            "jaunt-backends",
            "jaunt-builder",
            "jaunt-dag",
            "jaunt-digest",
            "jaunt-fresh",
            "jaunt-process",
            "jaunt-pytest",
            "jaunt-sched",
            "jaunt-tester",
            "jaunt-text",
            "jaunt-write",
        ],
    ),
];

/// Only this crate may link the Python parser that decides, and only its tests the other one.
const PARSER: (&str, &str) = ("jaunt-digest", "ruff_python_parser");

/// Fails if a crate links what its layer forbids.
pub(crate) fn check(sh: &Shell) -> anyhow::Result<()> {
    for krate in PURE {
        let linked = linked(sh, krate, None)?;
        let leaks: Vec<&str> =
            linked.iter().map(String::as_str).filter(|it| IMPURE.contains(it)).collect();
        ensure!(
            leaks.is_empty(),
            "{krate} must stay pure, but it links {leaks}\n\
             run `cargo tree -p {krate} -e normal -i {first}` to see who asked for it",
            leaks = leaks.join(", "),
            first = leaks[0],
        );
    }
    for (krate, allowed) in EDGES {
        for direct in linked(sh, krate, Some(1))? {
            let is_ours = direct.starts_with("jaunt-") && direct != *krate;
            ensure!(
                !is_ours || allowed.contains(&direct.as_str()),
                "{krate} must not depend on {direct}\n\
                 the edges that may exist are in ARCHITECTURE.md and in xtask/src/layers.rs",
            );
            let (owner, parser) = PARSER;
            ensure!(
                direct != parser || *krate == owner,
                "{krate} links {parser}; ask {owner} instead",
            );
        }
    }
    println!("layers: {} crates link what they may", EDGES.len());
    Ok(())
}

fn linked(sh: &Shell, krate: &str, depth: Option<u32>) -> anyhow::Result<Vec<String>> {
    let depth = depth.map_or(Vec::new(), |depth| vec![format!("--depth={depth}")]);
    let tree = cmd!(sh, "cargo tree --package {krate} --edges normal --prefix none {depth...}")
        .quiet()
        .read()?;
    Ok(tree.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect())
}
