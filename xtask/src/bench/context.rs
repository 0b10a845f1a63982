//! The programs and projects that benchmarks run.

use std::fs;
use std::iter;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;
use xshell::{Shell, cmd};

use super::measure::{Figures, is_installed, median, time};
use super::project::{self, Shape};

pub(super) const N_MODULES: usize = 10_000;

/// Programs and directories that every benchmark needs.
pub(super) struct Context<'a> {
    pub(super) sh: &'a Shell,
    pub(super) root: PathBuf,
    /// Where results and the peers' projects are.
    pub(super) dir: PathBuf,
    pub(super) jaunt: Program,
    /// Another build of the program, measured in turn with `jaunt`.
    pub(super) versus: Option<Program>,
    /// Whether examples are built first, or used as they are.
    pub(super) builds: bool,
}

/// A build of the program, and the directory with the projects that it runs in.
pub(super) struct Program {
    path: PathBuf,
    home: PathBuf,
}

impl Program {
    /// Makes the directory unless it exists.
    ///
    /// # Errors
    ///
    /// If there is no such program.
    pub(super) fn new(path: &Path, home: &Path) -> anyhow::Result<Self> {
        let path =
            path.canonicalize().with_context(|| format!("cannot find `{}`", path.display()))?;
        fs::create_dir_all(home)?;
        Ok(Self { path, home: home.to_owned() })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the directory with the projects.
    pub(super) fn home(&self) -> &Path {
        &self.home
    }

    /// Returns the project that [`Context::record`] makes.
    pub(super) fn recorded(&self) -> PathBuf {
        self.home.join(format!("recorded-{N_MODULES}"))
    }

    /// Returns the recordings of that project.
    pub(super) fn store(&self) -> PathBuf {
        self.recorded().with_extension("store")
    }

    /// Makes a project whose generated files were written without a backend, all fresh.
    pub(super) fn generated(
        &self,
        sh: &Shell,
        n_modules: usize,
        shape: Shape,
    ) -> anyhow::Result<PathBuf> {
        let name = format!("{shape:?}-{n_modules}").to_lowercase();
        let dir = self.home.join(name);
        project::make(&dir, n_modules, shape)?;
        project::generate(sh, &self.path, &dir)?;
        Ok(dir)
    }

    pub(super) fn command(&self, project: &Path, args: &[&str]) -> Command {
        let mut command = Command::new(&self.path);
        command.arg("--root").arg(project).args(args);
        command
    }

    /// Builds until the next build has nothing to do and finds that in its cache.
    pub(super) fn warm_up(&self, project: &Path) -> anyhow::Result<()> {
        for _ in 0..3 {
            time(&mut self.command(project, &["build"]))?;
        }
        Ok(())
    }
}

impl Context<'_> {
    /// Measures our program, the other build of it if there is one, and a peer, one after the other in
    /// each round: so other load on the machine affects all of them.
    ///
    /// The two builds take turns in going first.
    pub(super) fn measure(
        &self,
        rounds: usize,
        mut ours: impl FnMut(&Program) -> anyhow::Result<f64>,
        mut theirs: impl FnMut() -> anyhow::Result<f64>,
    ) -> anyhow::Result<Figures> {
        let (mut left, mut right, mut other) = (Vec::new(), Vec::new(), Vec::new());
        for round in 0..rounds {
            let other_first = round % 2 == 1;
            if other_first && let Some(versus) = &self.versus {
                other.push(ours(versus)?);
            }
            left.push(ours(&self.jaunt)?);
            if !other_first && let Some(versus) = &self.versus {
                other.push(ours(versus)?);
            }
            right.push(theirs()?);
        }
        let versus = self.versus.is_some().then(|| median(other));
        Ok(Figures { ours: median(left), versus, theirs: median(right) })
    }

    pub(super) fn programs(&self) -> impl Iterator<Item = &Program> {
        iter::once(&self.jaunt).chain(&self.versus)
    }

    /// Makes a project with recorded generations for each program, all fresh, and warms it up.
    pub(super) fn record(&self) -> anyhow::Result<()> {
        for program in self.programs() {
            let project = program.recorded();
            project::make(&project, N_MODULES, Shape::Random)?;
            project::record(self.sh, &program.path, &project, &program.store())?;
            program.warm_up(&project)?;
        }
        Ok(())
    }

    pub(super) fn ninja(&self, n_modules: usize) -> anyhow::Result<Option<PathBuf>> {
        if !is_installed("ninja") {
            println!("skipped: ninja is not installed (Debian: `ninja-build`)");
            return Ok(None);
        }
        let dir = self.dir.join(format!("ninja-{n_modules}"));
        project::ninja(self.sh, &dir, n_modules)?;
        Ok(Some(dir))
    }

    pub(super) fn example(&self, package: &str, name: &str) -> anyhow::Result<PathBuf> {
        let sh = self.sh;
        if self.builds {
            cmd!(sh, "cargo build --release --quiet --locked -p {package} --example {name}")
                .run()?;
        }
        Ok(self.root.join("target/release/examples").join(name))
    }
}

pub(super) fn ninja_in(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new("ninja");
    command.arg("-C").arg(dir).args(args);
    command
}
