//! The projects of the campaigns, and the checks that must hold for them after every fault.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

use anyhow::{Context as _, bail, ensure};
use serde_json::{Value, json};

use crate::random::Random;

/// The file in which the backend counts its calls, in the root of a project.
pub(crate) const LOG: &str = "calls.log";
/// Holds the name of the module for which the backend waits.
pub(crate) const PAUSE: &str = "pause";
/// Exists while the backend waits.
pub(crate) const WAITING: &str = "waiting";
/// Is created to let the backend continue.
pub(crate) const GO: &str = "go";

/// The directory of a project's generated files.
pub(crate) const GENERATED: &str = "src/app/__generated__";

/// A directory for the projects of one campaign.
pub(crate) struct Lab {
    dir: PathBuf,
    jaunt: PathBuf,
}

impl Lab {
    pub(crate) fn new(repository: &Path, campaign: &str) -> anyhow::Result<Self> {
        let repository = repository.canonicalize()?;
        let dir = repository.join("target/faults").join(campaign);
        if dir.exists() {
            fs::remove_dir_all(&dir)?;
        }
        fs::create_dir_all(&dir)?;
        Ok(Self { dir, jaunt: repository.join("target/debug/jaunt") })
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(crate) fn remove(self) -> anyhow::Result<()> {
        Ok(fs::remove_dir_all(self.dir)?)
    }

    /// Makes a project. `edges` has the dependencies of each module, which have smaller numbers.
    pub(crate) fn project(&self, name: &str, edges: &[Vec<usize>]) -> anyhow::Result<Project> {
        let root = self.dir.join(name);
        if root.exists() {
            fs::remove_dir_all(&root)?;
        }
        fs::create_dir_all(root.join("src/app"))?;
        let project = Project { root, jaunt: self.jaunt.clone(), modules: edges.len() };
        let specs: Vec<Value> = edges
            .iter()
            .enumerate()
            .map(|(idx, dependencies)| {
                let dependencies: Vec<String> =
                    dependencies.iter().map(|it| format!("app.m{it}:f{it}")).collect();
                json!({
                    "kind": "magic", "spec_ref": format!("app.m{idx}:f{idx}"),
                    "module": format!("app.m{idx}"), "qualname": format!("f{idx}"),
                    "source_file": format!("src/app/m{idx}.py"), "dependencies": dependencies,
                })
            })
            .collect();
        fs::write(
            project.root.join("jaunt.registry.json"),
            json!({"version": 1, "specs": specs}).to_string(),
        )?;
        fs::write(project.root.join("jaunt.toml"), "version = 1\n")?;
        project
            .use_backend(&[env::current_exe()?.display().to_string(), "faults-backend".into()])?;
        for idx in 0..edges.len() {
            project.edit(idx, 0)?;
        }
        Ok(project)
    }
}

/// Makes a layered graph with random edges, wide enough that there is always something to run.
pub(crate) fn layers(modules: usize, width: usize, rng: &mut Random) -> Vec<Vec<usize>> {
    (0..modules)
        .map(|idx| {
            let Some(layer) = (idx / width).checked_sub(1) else { return Vec::new() };
            let dependencies = (0..2).map(|_| layer * width + rng.below(width as u64) as usize);
            dependencies.collect::<BTreeSet<_>>().into_iter().collect()
        })
        .collect()
}

/// A project of a campaign: `m0`, `m1`, … in the package `app`.
pub(crate) struct Project {
    root: PathBuf,
    jaunt: PathBuf,
    modules: usize,
}

/// The bytes of files, by their path from the root.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

impl Project {
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn use_backend(&self, command: &[String]) -> anyhow::Result<()> {
        let words: Vec<String> = command.iter().map(|word| format!("{word:?}")).collect();
        let engine = format!("[backend]\nname = \"command\"\ncommand = [{}]\n", words.join(", "));
        Ok(fs::write(self.root.join("jaunt-engine.toml"), engine)?)
    }

    /// Changes the text of a module's spec.
    pub(crate) fn edit(&self, idx: usize, version: u64) -> anyhow::Result<()> {
        let text = format!("def f{idx}():\n    \"\"\"Version {version}.\"\"\"\n");
        Ok(fs::write(self.root.join(format!("src/app/m{idx}.py")), text)?)
    }

    /// Returns a command that runs the program here.
    pub(crate) fn jaunt(&self, args: &[&str]) -> Command {
        self.under(&[], args)
    }

    /// Returns a command that runs the program as the argument of another one.
    pub(crate) fn under(&self, wrapper: &[String], args: &[&str]) -> Command {
        let jaunt = self.jaunt.display().to_string();
        let mut words = wrapper.iter().map(String::as_str).chain([jaunt.as_str()]);
        let program = words.next().expect("there is the program itself");
        let mut command = Command::new(program);
        command.args(words).args(args).current_dir(&self.root).stdin(Stdio::null()).env_clear();
        if let Some(path) = env::var_os("PATH") {
            command.env("PATH", path);
        }
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Builds without a fault, and returns the number of calls.
    pub(crate) fn build(&self, args: &[&str]) -> anyhow::Result<usize> {
        let before = self.calls()?;
        let output = self.jaunt(&[&["build", "--no-wait"], args].concat()).output()?;
        ensure!(
            output.status.success(),
            "an undisturbed build failed ({}): {}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(self.calls()? - before)
    }

    /// Returns how often the backend was called so far.
    pub(crate) fn calls(&self) -> anyhow::Result<usize> {
        let path = self.root.join(LOG);
        if !path.exists() {
            return Ok(0);
        }
        Ok(fs::read_to_string(path)?.lines().count())
    }

    /// Returns the modules that `jaunt status` calls stale.
    pub(crate) fn stale(&self) -> anyhow::Result<BTreeSet<String>> {
        let output = self.jaunt(&["status", "--json"]).output()?;
        ensure!(
            output.status.success(),
            "`jaunt status` failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let document: Value = serde_json::from_slice(&output.stdout)?;
        let stale = document["stale"].as_array().context("`jaunt status` lists stale modules")?;
        Ok(stale.iter().filter_map(Value::as_str).map(str::to_owned).collect())
    }

    /// Reads the generated files of all modules.
    pub(crate) fn generated(&self) -> anyhow::Result<Files> {
        let mut files = Files::new();
        for idx in 0..self.modules {
            let path = file(idx);
            match fs::read(self.root.join(&path)) {
                Ok(bytes) => drop(files.insert(path, bytes)),
                Err(err) if err.kind() == std::io::ErrorKind::NotFound => {}
                Err(err) => bail!("cannot read `{path}`: {err}"),
            }
        }
        Ok(files)
    }

    /// Builds without a fault, and returns the generated files before and after.
    pub(crate) fn old_and_new(&self) -> anyhow::Result<(Files, Files)> {
        let old = self.generated()?;
        self.build(&[])?;
        Ok((old, self.generated()?))
    }

    /// Finds temporary files, anywhere in the project.
    pub(crate) fn leftovers(&self) -> anyhow::Result<Vec<String>> {
        let mut found = Vec::new();
        let mut pending = vec![self.root.clone()];
        while let Some(dir) = pending.pop() {
            for entry in fs::read_dir(&dir)? {
                let entry = entry?;
                if entry.file_type()?.is_dir() {
                    pending.push(entry.path());
                } else if entry.file_name().to_string_lossy().starts_with(".jaunt-") {
                    found.push(entry.path().strip_prefix(&self.root)?.display().to_string());
                }
            }
        }
        Ok(found)
    }

    /// Checks that every file is the old one or the new one, and that exactly those that are not new are
    /// stale.
    ///
    /// The new files are those of an undisturbed build. Each file is a function of its dependencies' files,
    /// so this also checks that no dependent of a regenerated module is called fresh.
    pub(crate) fn check_whole(&self, old: &Files, new: &Files) -> anyhow::Result<()> {
        let now = self.generated()?;
        for (path, bytes) in &now {
            let is_whole = new.get(path) == Some(bytes) || old.get(path) == Some(bytes);
            ensure!(is_whole, "`{path}` is neither the old file nor the new one");
        }
        for path in old.keys() {
            ensure!(now.contains_key(path), "`{path}` is gone");
        }
        let undone = (0..self.modules).filter(|idx| now.get(&file(*idx)) != new.get(&file(*idx)));
        let undone: BTreeSet<String> = undone.map(|idx| format!("app.m{idx}")).collect();
        let stale = self.stale()?;
        ensure!(
            stale == undone,
            "`jaunt status` says that {stale:?} are stale, but what is not done yet is {undone:?}"
        );
        Ok(())
    }

    /// Checks that everything is as after an undisturbed build.
    pub(crate) fn check_done(&self, new: &Files) -> anyhow::Result<()> {
        self.check_whole(new, new)?;
        let leftovers = self.leftovers()?;
        ensure!(leftovers.is_empty(), "the next run left {leftovers:?}");
        Ok(())
    }
}

/// Returns the path of a module's generated file.
pub(crate) fn file(idx: usize) -> String {
    format!("{GENERATED}/m{idx}.py")
}
