//! The readers of documents, fed with garbage.

use anyhow::{Context as _, bail};
use xshell::{Shell, cmd};

/// Where properties of readers are tested: a package, and a part of the names of its tests.
///
/// Those of tests that set their own number of cases are left out.
const PROPERTIES: &[(&str, &str)] = &[
    ("tests", "documents::"),
    ("jaunt-cli", "any_"),
    ("jaunt-cli", "nothing_hostile_is_left"),
    ("jaunt-digest", "registry::"),
];

/// The targets of `fuzz/`, and where there are good documents to begin with.
const TARGETS: &[(&str, &str)] = &[
    ("registry", "examples/shop"),
    ("header", "jaunt-digest/tests/data/vectors"),
    ("outline", "examples/shop/src"),
    ("pytest", "jaunt-pytest/tests/data"),
    ("settings", "examples/shop"),
    ("fence", "examples/shop/recordings"),
    ("recording", "examples/shop/recordings"),
    ("template", "jaunt-cli/src/prompts"),
    ("terminal", "jaunt-cli/src"),
];

/// Runs the fuzz targets where that is possible, else the same properties with many more cases.
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
    let has_fuzzer = cmd!(sh, "cargo +nightly fuzz --version").quiet().ignore_stderr().read();
    match (seconds, has_fuzzer.is_ok()) {
        (Some(seconds), true) => {
            let root = sh.current_dir();
            let _target = sh.push_env("CARGO_TARGET_DIR", root.join("target/fuzz"));
            for (target, seeds) in TARGETS {
                // What is found is kept, and begun with the next time.
                let corpus = root.join("target/fuzz/corpus").join(target);
                sh.create_dir(&corpus)?;
                let limits = [format!("-max_total_time={seconds}")];
                let limits = limits.iter().map(String::as_str).chain([
                    "-timeout=10",
                    "-rss_limit_mb=1024",
                    "-max_len=65536",
                    "-print_final_stats=1",
                    "-print_funcs=0",
                    "-verbosity=0",
                ]);
                println!("\n== {target}");
                cmd!(sh, "cargo +nightly fuzz run {target} {corpus} {seeds} -- {limits...}")
                    .run()?;
            }
            println!("fuzz: {} targets for {seconds} s each, no fault", TARGETS.len());
        }
        (Some(_), false) => bail!(
            "the fuzz targets need a nightly compiler (`rustup toolchain install nightly`) and \
             `cargo install cargo-fuzz`; without `--seconds` the same properties run on this one"
        ),
        (None, _) => {
            let _cases = sh.push_env("PROPTEST_CASES", cases.to_string());
            let _update = sh.push_env("INSTA_UPDATE", "no");
            for (package, filter) in PROPERTIES {
                cmd!(sh, "cargo test --quiet --locked --package {package} {filter}").run()?;
            }
            println!("fuzz: {cases} cases of each property of every reader");
        }
    }
    Ok(())
}
