//! Feeds broken documents to every reader.

use anyhow::{Context as _, bail, ensure};
use xshell::{Shell, cmd};

/// Where properties of readers are tested: a package, and a part of the names of its tests.
///
/// Tests that set their own number of cases are not listed.
const PROPERTIES: &[(&str, &str)] = &[
    ("tests", "documents::"),
    ("jaunt-backends", "any_"),
    ("jaunt-digest", "registry::"),
    ("jaunt-engine", "any_"),
    ("jaunt-text", "is_left"),
];

/// The targets of `fuzz/`, each with a directory of good documents to start from.
const TARGETS: &[(&str, &str)] = &[
    ("registry", "examples/shop"),
    ("header", "jaunt-digest/tests/data/vectors"),
    ("outline", "examples/shop/src"),
    ("pytest", "jaunt-pytest/tests/data"),
    ("settings", "examples/shop"),
    ("fence", "examples/shop/recordings"),
    ("recording", "examples/shop/recordings"),
    ("template", "jaunt-backends/src/prompts"),
    ("terminal", "jaunt-text/src"),
];

/// Runs the fuzz targets for some seconds each, or the properties with many more cases than in CI.
pub(crate) fn run(sh: &Shell, args: &[String]) -> anyhow::Result<()> {
    let mut cases: u32 = 20_000;
    let mut seconds: Option<u32> = None;
    let mut words = args.iter();
    while let Some(word) = words.next() {
        let value = words.next().with_context(|| format!("`{word}` needs a number"))?;
        match word.as_str() {
            "--cases" => cases = value.parse()?,
            "--seconds" => seconds = Some(value.parse()?),
            other => bail!("`cargo xtask fuzz [--cases N] [--seconds N]` has no `{other}`"),
        }
    }
    match seconds {
        Some(seconds) => run_targets(sh, seconds),
        None => run_properties(sh, cases),
    }
}

fn run_targets(sh: &Shell, seconds: u32) -> anyhow::Result<()> {
    let fuzzer = cmd!(sh, "cargo +nightly fuzz --version").quiet().ignore_stderr().read();
    ensure!(
        fuzzer.is_ok(),
        "the fuzz targets need a nightly compiler (`rustup toolchain install nightly`) and \
         `cargo install cargo-fuzz`; without `--seconds` this compiler tests the same properties"
    );
    let root = sh.current_dir();
    let _target = sh.push_env("CARGO_TARGET_DIR", root.join("target/fuzz"));
    for (target, seeds) in TARGETS {
        // Interesting documents are kept, and the next run starts from them too.
        let corpus = root.join("target/fuzz/corpus").join(target);
        sh.create_dir(&corpus)?;
        let limits = [
            &format!("-max_total_time={seconds}"),
            "-timeout=10",
            "-rss_limit_mb=1024",
            "-max_len=65536",
            "-print_final_stats=1",
            "-print_funcs=0",
            "-verbosity=0",
        ];
        println!("\n== {target}");
        cmd!(sh, "cargo +nightly fuzz run {target} {corpus} {seeds} -- {limits...}").run()?;
    }
    println!("fuzz: {} targets for {seconds} s each, no fault", TARGETS.len());
    Ok(())
}

fn run_properties(sh: &Shell, cases: u32) -> anyhow::Result<()> {
    let _cases = sh.push_env("PROPTEST_CASES", cases.to_string());
    let _update = sh.push_env("INSTA_UPDATE", "no");
    for (package, filter) in PROPERTIES {
        let test = ["test", "--quiet", "--locked", "--package", package, filter];
        let list = cmd!(sh, "cargo {test...} -- --list").quiet().read()?;
        ensure!(
            list.lines().any(|line| line.ends_with(": test")),
            "no test of {package} has `{filter}` in its name; PROPERTIES in xtask/src/fuzz.rs is out of date"
        );
        cmd!(sh, "cargo {test...}").run()?;
    }
    println!("fuzz: {cases} cases of each property of every reader");
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    #[test]
    fn every_target_is_listed_and_has_documents_to_start_from() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let files = fs::read_dir(root.join("fuzz/fuzz_targets")).unwrap();
        let mut targets: Vec<String> = files
            .map(|file| file.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
            .collect();
        targets.sort();
        let mut listed: Vec<&str> = TARGETS.iter().map(|(target, _)| *target).collect();
        listed.sort_unstable();
        assert_eq!(targets, listed);
        for (target, seeds) in TARGETS {
            assert!(root.join(seeds).is_dir(), "{target}: there is no `{seeds}`");
        }
    }
}
