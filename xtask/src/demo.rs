//! Builds, tests and changes the example that ships.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use xshell::{Shell, cmd};

use crate::copy::copy;
use crate::venv;

/// The line of a spec that the demo changes.
const BEFORE: &str = "Goods worth 50.00 EUR or more";
const AFTER: &str = "Goods worth 75.00 EUR or more";

/// Folders that runs in the example have made, and that are not part of it.
const MADE: &[&str] = &["__generated__", "__pycache__", ".jaunt", ".venv", ".pytest_cache"];

/// Builds the example, tests it, changes a spec, and builds it again.
pub(crate) fn run(sh: &Shell) -> anyhow::Result<()> {
    let root = sh.current_dir();
    let base = venv::interpreter(11).context("there is no Python 3.11 or newer on the PATH")?;
    cmd!(sh, "cargo build --quiet --locked --package jaunt-cli").run()?;
    let jaunt = root.join("target/debug/jaunt");
    let python = environment(&root, &base, "pytest", venv::PYTEST)?;

    let shop = root.join("target/demo/shop");
    if shop.exists() {
        fs::remove_dir_all(&shop)?;
    }
    copy(&root.join("examples/shop"), &shop, MADE)?;
    let _dir = sh.push_dir(&shop);
    println!("\nThe example is copied to target/demo/shop; nothing is generated yet.");

    print_command("jaunt test");
    cmd!(sh, "{jaunt} test --python {python} --progress plain").quiet().run()?;
    println!("\nWhat was generated:");
    for file in generated(&shop)? {
        println!("  {file}");
    }

    println!("\nA spec changes: free shipping begins at 75 euros instead of 50.");
    let spec = shop.join("src/shop/shipping.py");
    let text = fs::read_to_string(&spec)?;
    ensure!(text.contains(BEFORE), "`{}` does not say {BEFORE:?}", spec.display());
    fs::write(&spec, text.replace(BEFORE, AFTER))?;

    print_command("jaunt status");
    cmd!(sh, "{jaunt} status").quiet().run()?;
    print_command("jaunt test");
    cmd!(sh, "{jaunt} test --python {python} --progress plain").quiet().run()?;
    print_command("jaunt check");
    cmd!(sh, "{jaunt} check").quiet().run()?;

    call_through_package(sh, &root)
}

/// Calls the generated code through the decorators of the real package, if there is a Python for it.
fn call_through_package(sh: &Shell, root: &Path) -> anyhow::Result<()> {
    let Some(base) = venv::interpreter(12) else {
        println!(
            "\nSkipped: importing the specs through the `jaunt` package needs Python 3.12 or newer, \
             and there is none on the PATH or in ~/.pyenv/versions."
        );
        return Ok(());
    };
    let python = environment(root, &base, "jaunt", venv::JAUNT)?;
    println!("\nWith the `jaunt` package installed, the decorated stubs run the generated code:");
    let code =
        "import money; print('  money.format_amount(123450) ->', money.format_amount(123450))";
    let _path = sh.push_env("PYTHONPATH", sh.current_dir().join("src"));
    cmd!(sh, "{python} -c {code}").quiet().run().context("the decorated functions do not work")?;
    Ok(())
}

fn environment(root: &Path, base: &Path, name: &str, packages: &[&str]) -> anyhow::Result<PathBuf> {
    println!("A virtual environment with {} …", packages.join(" and "));
    venv::environment(&root.join("target"), base, name, packages).map_err(anyhow::Error::msg)
}

fn print_command(command: &str) {
    println!("\n$ {command}");
}

/// Lists the generated files, sorted.
fn generated(root: &Path) -> anyhow::Result<Vec<String>> {
    let mut found = Vec::new();
    let mut pending = vec![root.to_owned()];
    while let Some(dir) = pending.pop() {
        for entry in fs::read_dir(&dir)? {
            let path = entry?.path();
            let shown = path.strip_prefix(root)?.display().to_string();
            if path.is_dir() {
                pending.push(path);
            } else if shown.contains("__generated__") && shown.ends_with(".py") {
                found.push(shown);
            }
        }
    }
    found.sort();
    Ok(found)
}
