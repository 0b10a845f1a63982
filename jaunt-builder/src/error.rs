//! Why a registry and the sources it names do not make a project.

use std::fmt;

use camino::Utf8PathBuf;
use jaunt_dag::Cycle;
use jaunt_digest::{LayoutError, ModuleName, SpecRef};

/// Why a registry and the sources it names do not make a project.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages explain the fields")]
#[non_exhaustive]
pub enum ProjectError {
    /// Source files that are missing, that do not parse, or that lack a spec's definition.
    #[error("{} of the registry's specs cannot be read", .0.len())]
    Sources(Vec<SourceProblem>),

    /// Specs that depend on each other.
    #[error("specs depend on each other: {0}")]
    Cycle(Cycle<SpecRef>),

    /// A module without a destination for its code.
    #[error("cannot tell where to generate module `{module}`")]
    Layout { module: ModuleName, source: LayoutError },

    /// Two modules whose code would be the same file.
    #[error("modules `{first}` and `{second}` would both be generated into `{path}`")]
    Collision { path: Utf8PathBuf, first: ModuleName, second: ModuleName },

    /// Two modules whose code would be the same file on file systems that ignore case or Unicode form,
    /// as most of macOS and Windows do.
    #[error(
        "modules `{first}` and `{second}` would be generated into `{first_path}` and \
         `{second_path}`, which are one file on other systems; rename one of them"
    )]
    Lookalike {
        first: ModuleName,
        second: ModuleName,
        first_path: Utf8PathBuf,
        second_path: Utf8PathBuf,
    },

    /// A module with specs of both kinds.
    #[error("module `{module}` has magic specs and test specs; put them into two modules")]
    MixedKinds { module: ModuleName },

    /// Product code that depends on a test.
    #[error("spec `{spec}` depends on `{dependency}`, which is a test spec")]
    DependsOnTest { spec: SpecRef, dependency: SpecRef },
}

/// What is wrong with one source file.
#[derive(Debug)]
pub struct SourceProblem {
    /// The file, relative to the project root.
    pub file: Utf8PathBuf,
    /// The first spec that needs it.
    pub spec: SpecRef,
    /// What is wrong, for a person.
    pub message: String,
}

impl fmt::Display for SourceProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` (spec `{}`): {}", self.file, self.spec, self.message)
    }
}
