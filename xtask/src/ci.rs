//! Everything that CI runs.

use std::time::Instant;

use anyhow::Context as _;
use xshell::{Shell, cmd};

use crate::{demo, faults, layers, unused};

/// Runs every check and every test, cheap ones first.
pub(crate) fn run(sh: &Shell) -> anyhow::Result<()> {
    let started = Instant::now();
    let steps: [(&str, &dyn Fn() -> anyhow::Result<()>); 6] = [
        ("lint", &|| lint(sh)),
        ("layers", &|| layers::check(sh)),
        ("docs", &|| docs(sh)),
        ("demo", &|| demo::run(sh)),
        ("test", &|| test(sh, &[])),
        ("faults", &|| faults::run(sh, &["--short".to_owned()])),
    ];
    for (name, step) in steps {
        let step_started = Instant::now();
        println!("\n== {name}");
        step().with_context(|| format!("`cargo xtask {name}` failed"))?;
        println!("== {name}: ok, {} s", step_started.elapsed().as_secs());
    }
    println!("\nci: ok, {} s", started.elapsed().as_secs());
    Ok(())
}

/// Checks that every dependency is used, formatting, and lints.
pub(crate) fn lint(sh: &Shell) -> anyhow::Result<()> {
    unused::check(&sh.current_dir())?;
    cmd!(sh, "cargo fmt --all --check").run()?;
    cmd!(sh, "cargo clippy --workspace --all-targets --locked -- -D warnings").run()?;
    Ok(())
}

/// Builds the documentation of every public item.
pub(crate) fn docs(sh: &Shell) -> anyhow::Result<()> {
    let _env = sh.push_env("RUSTDOCFLAGS", "-D warnings");
    cmd!(sh, "cargo doc --workspace --no-deps --locked").run()?;
    Ok(())
}

/// Runs all tests. Snapshots are compared, never written.
pub(crate) fn test(sh: &Shell, args: &[String]) -> anyhow::Result<()> {
    let _update = sh.push_env("INSTA_UPDATE", "no");
    // CI tests the same cases in every run; `cargo test` alone makes up new ones.
    let _seed = sh.push_env("PROPTEST_RNG_SEED", "1871");
    // A backtrace in an error message would become part of a snapshot.
    let _backtrace = sh.push_env("RUST_BACKTRACE", "0");
    cmd!(sh, "cargo test --workspace --locked {args...}").run()?;
    Ok(())
}
