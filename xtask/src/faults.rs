//! Fault injection: kills and races the program, makes its system calls fail, and checks that it keeps
//! its promises.
//!
//! Every campaign makes its projects below `target/faults/`, uses this program itself as the backend,
//! and stops at the first broken promise. The project that shows it is kept.

mod backend;
mod crash;
mod disk;
mod lab;
mod orphans;
mod race;
mod size;
mod trace;

use std::time::Instant;

use anyhow::{Context as _, bail};
use xshell::{Shell, cmd};

pub(crate) use backend::run as backend;
use lab::Lab;
use size::Size;

/// A campaign returns its figures in one line.
type Campaign = fn(&Lab, Size) -> anyhow::Result<String>;

const CAMPAIGNS: &[(&str, Campaign)] = &[
    ("kill", crash::kill),
    ("cut", crash::cut),
    ("disk", disk::writing),
    ("machine", disk::everywhere),
    ("race", race::run),
    ("orphans", orphans::run),
];

/// Runs the campaigns that are named, or all of them.
pub(crate) fn run(sh: &Shell, args: &[String]) -> anyhow::Result<()> {
    let mut size = Size::Full;
    let mut names = Vec::new();
    for arg in args {
        match arg.as_str() {
            "--short" => size = Size::Short,
            name if CAMPAIGNS.iter().any(|(it, _)| *it == name) => names.push(name),
            other => {
                let known: Vec<&str> = CAMPAIGNS.iter().map(|(name, _)| *name).collect();
                bail!("there is no campaign `{other}`; there are {}", known.join(", "));
            }
        }
    }
    cmd!(sh, "cargo build --quiet --locked --package jaunt-cli").run()?;
    for (name, campaign) in CAMPAIGNS {
        if !names.is_empty() && !names.contains(name) {
            continue;
        }
        let started = Instant::now();
        let lab = Lab::new(&sh.current_dir(), name)?;
        let figures = campaign(&lab, size).with_context(|| {
            format!("the campaign `{name}` failed; its projects are in `{}`", lab.dir().display())
        })?;
        println!("{name}: {figures}; {} s", started.elapsed().as_secs());
        lab.remove()?;
    }
    Ok(())
}
