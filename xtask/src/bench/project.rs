//! The projects that are measured, made below `target/bench/` and kept there.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::Context as _;
use xshell::{Shell, cmd};

use crate::random::Random;

/// Which modules depend on which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Each on two earlier ones.
    Random,
    /// Each on the one before.
    Chain,
    /// The last one on all others.
    Fan,
}

pub(super) const N_SPECS: usize = 5;
const N_LINES: usize = 8;

/// Makes the sources, the configuration and the registry of a project, unless it was made before.
pub(super) fn make(dir: &Path, n_modules: usize, shape: Shape) -> anyhow::Result<()> {
    if dir.join("made").exists() {
        return Ok(());
    }
    let package = dir.join("src/app");
    fs::create_dir_all(&package)?;
    fs::write(package.join("__init__.py"), "")?;
    fs::write(
        dir.join("jaunt.toml"),
        "version = 1\n\n[paths]\nsource_roots = [\"src\"]\ntest_roots = [\"tests\"]\n",
    )?;
    let mut specs = String::new();
    for (module, dependencies) in edges(n_modules, shape).into_iter().enumerate() {
        let mut text = "import jaunt\n".to_owned();
        for dependency in dependencies.iter().take(50) {
            writeln!(text, "from app import m{dependency}")?;
        }
        for spec in 0..N_SPECS {
            let refs: Vec<String> =
                dependencies.iter().map(|it| format!("app.m{it}:f{it}_{spec}")).collect();
            source(&mut text, module, spec, &refs)?;
            entry(&mut specs, module, spec, &refs)?;
        }
        fs::write(package.join(format!("m{module}.py")), text)?;
    }
    let document = format!(
        "{{\"version\": 1, \"producer\": {{\"name\": \"bench\", \"version\": \"1\"}},\n\"specs\": [{}]}}\n",
        specs.trim_end_matches(",\n")
    );
    fs::write(dir.join("jaunt.registry.json"), document)?;
    fs::write(dir.join("made"), "")?;
    Ok(())
}

fn source(text: &mut String, module: usize, spec: usize, refs: &[String]) -> std::fmt::Result {
    let deps: Vec<String> = refs.iter().map(|it| format!("'{it}'")).collect();
    write!(text, "\n\n@jaunt.magic(deps=[{}])\n", deps.join(", "))?;
    writeln!(
        text,
        "def f{module}_{spec}(left: list[int], right: dict[str, int], *, limit: int = {spec}) -> list[int]:"
    )?;
    text.push_str("    \"\"\"Merge two inputs.\n\n");
    for line in 0..N_LINES {
        writeln!(
            text,
            "    Step {line} of {spec} in module {module}: combine the inputs, keep order, never raise on empty input."
        )?;
    }
    text.push_str("    \"\"\"\n    ...\n");
    Ok(())
}

fn entry(text: &mut String, module: usize, spec: usize, refs: &[String]) -> std::fmt::Result {
    let deps: Vec<String> = refs.iter().map(|it| format!("\"{it}\"")).collect();
    let deps = deps.join(", ");
    let kwargs = if refs.is_empty() { "{}".to_owned() } else { format!("{{\"deps\": [{deps}]}}") };
    writeln!(
        text,
        "{{\"kind\": \"magic\", \"spec_ref\": \"app.m{module}:f{module}_{spec}\", \
         \"module\": \"app.m{module}\", \"qualname\": \"f{module}_{spec}\", \
         \"source_file\": \"src/app/m{module}.py\", \"decorator_kwargs\": {kwargs}, \
         \"dependencies\": [{deps}], \"class_name\": null}},"
    )
}

/// Returns the dependencies of each module, by number.
pub(super) fn edges(n_modules: usize, shape: Shape) -> Vec<Vec<usize>> {
    let mut random = Random::new(1);
    let mut below = |limit: usize| random.below(limit as u64) as usize;
    let edges = (0..n_modules).map(|module| match shape {
        _ if module == 0 => Vec::new(),
        Shape::Random => {
            let mut dependencies = vec![below(module), below(module)];
            dependencies.sort_unstable();
            dependencies.dedup();
            dependencies
        }
        Shape::Chain => vec![module - 1],
        Shape::Fan if module == n_modules - 1 => (0..module).collect(),
        Shape::Fan => vec![0],
    });
    edges.collect()
}

/// Writes generated files as the Python package writes them, without asking a backend. The digests are
/// those that `jaunt status` prints.
pub(super) fn generate(sh: &Shell, jaunt: &Path, dir: &Path) -> anyhow::Result<()> {
    if dir.join("generated").exists() {
        return Ok(());
    }
    let status = cmd!(sh, "{jaunt} --root {dir} status --json").quiet().read()?;
    let (_, digests) = status.split_once("\"digests\": {").context("there are no digests")?;
    let package = dir.join("src/app/__generated__");
    fs::create_dir_all(&package)?;
    fs::write(package.join("__init__.py"), "")?;
    for line in digests.lines().skip(1).take_while(|line| line.trim() != "},") {
        let mut texts = line.split('"');
        let (Some(module), Some(digest)) = (texts.nth(1), texts.nth(1)) else { continue };
        let name = module.rsplit('.').next().context("a module has a name")?;
        let number = &name[1..];
        let mut text = format!(
            "# This file was generated by jaunt. DO NOT EDIT.\n# jaunt:tool_version=1\n# jaunt:kind=build\n\
             # jaunt:source_module={module}\n# jaunt:module_digest={digest}\n# jaunt:spec_refs=[]\n"
        );
        for spec in 0..N_SPECS {
            text.push_str(&code(&format!("f{number}_{spec}")));
        }
        fs::write(package.join(format!("{name}.py")), text)?;
    }
    fs::write(dir.join("generated"), "")?;
    Ok(())
}

/// Generates with a backend that answers at once, and records its answers in `store`.
pub(super) fn record(sh: &Shell, jaunt: &Path, dir: &Path, store: &Path) -> anyhow::Result<()> {
    if dir.join("recorded").exists() {
        return Ok(());
    }
    let xtask = std::env::current_exe()?;
    let backend = format!("{} bench-backend", xtask.display());
    cmd!(sh, "{jaunt} --root {dir} build --progress none --jobs 4 --backend-command {backend} --record {store}")
        .quiet()
        .ignore_stdout()
        .run()?;
    fs::write(dir.join("recorded"), "")?;
    Ok(())
}

/// Answers a request to the backend: defines the names that it asks for.
pub(super) fn answer(request: &str) -> String {
    let names = request.split_once("\"expected_names\"").map_or("", |(_, rest)| rest);
    let names = names.split_once('[').map_or("", |(_, rest)| rest);
    let names = names.split_once(']').map_or("", |(names, _)| names);
    names.split('"').skip(1).step_by(2).map(code).collect()
}

fn code(name: &str) -> String {
    format!(
        "\n\ndef {name}(left, right, *, limit=0):\n    merged = [*left, *right.values()]\n    return merged[:limit] if limit else merged\n"
    )
}

/// Makes the same graph for ninja: each output depends on its source and on the outputs of its
/// dependencies.
pub(super) fn ninja(sh: &Shell, dir: &Path, n_modules: usize) -> anyhow::Result<()> {
    if dir.join("built").exists() {
        return Ok(());
    }
    let package = dir.join("src/app/__generated__");
    fs::create_dir_all(&package)?;
    let mut text = "rule generate\n  command = touch $out\n".to_owned();
    for (module, dependencies) in edges(n_modules, Shape::Random).into_iter().enumerate() {
        fs::write(dir.join(format!("src/app/m{module}.py")), "")?;
        write!(text, "build src/app/__generated__/m{module}.py: generate src/app/m{module}.py")?;
        let inputs: Vec<String> =
            dependencies.iter().map(|it| format!("src/app/__generated__/m{it}.py")).collect();
        if !inputs.is_empty() {
            write!(text, " | {}", inputs.join(" "))?;
        }
        text.push('\n');
    }
    fs::write(dir.join("build.ninja"), text)?;
    cmd!(sh, "ninja -C {dir}").quiet().ignore_stdout().run()?;
    fs::write(dir.join("built"), "")?;
    Ok(())
}
