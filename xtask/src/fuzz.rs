//! The readers of documents, fed with garbage.

use anyhow::Context as _;
use anyhow::bail;
use xshell::Shell;
use xshell::cmd;

/// Where properties of readers are tested: a package, and a part of the names of its tests.
///
/// Those of tests that set their own number of cases are left out.
const PROPERTIES: &[(&str, &str)] = &[
    ("tests", "documents::"),
    ("jaunt-cli", "any_"),
    ("jaunt-cli", "nothing_hostile_is_left"),
    ("jaunt-digest", "registry::"),
];

const TARGETS: &[&str] = &["registry", "header", "outline", "pytest"];

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
            let _dir = sh.push_dir("fuzz");
            for target in TARGETS {
                let limit = format!("-max_total_time={seconds}");
                cmd!(sh, "cargo +nightly fuzz run {target} -- {limit} -timeout=10").run()?;
            }
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
