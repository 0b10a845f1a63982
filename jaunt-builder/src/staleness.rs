//! Why a module has to be generated again.

use std::fmt;

use camino::Utf8PathBuf;
use jaunt_digest::{Digest, Kind, ModuleName, SpecRef};

/// One reason why generated code cannot be trusted to match its specs.
///
/// `Display` is for people. It is made from what was decided, so it cannot disagree with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Staleness {
    /// There is no generated file.
    Missing,
    /// The code is in a file that Python no longer looks at, because the module became, or ceased to
    /// be, a package.
    Moved {
        /// Where the code is now, relative to the project root.
        from: Utf8PathBuf,
    },
    /// The file cannot be read: a link, a directory, no permission.
    Unreadable {
        /// What the operating system, or the check for links, said.
        message: String,
    },
    /// The file is not UTF-8.
    NotUtf8,
    /// The file is empty or was cut off inside the header.
    Truncated,
    /// The file has no header of jaunt: a person wrote it.
    Foreign,
    /// The header is for the other kind of code.
    WrongKind {
        /// What the header says.
        was: Option<String>,
        /// What the registry says.
        now: Kind,
    },
    /// The header is for another module.
    WrongModule {
        /// What the header says.
        was: Option<String>,
        /// The module that belongs here.
        now: ModuleName,
    },
    /// The header's digest is of a scheme for which the registry gives no value.
    UnknownScheme {
        /// The header's `digest_scheme`.
        scheme: u32,
    },
    /// The header's digest is of a scheme for which the registry gives a value that is older than
    /// the sources: it gives one of scheme 1 too, and that is not the one of the sources.
    OutdatedScheme {
        /// The header's `digest_scheme`.
        scheme: u32,
    },
    /// The module digest differs.
    SpecsChanged {
        /// The header's `module_digest`, as it stands there.
        was: Option<String>,
        /// The digest of the specs as they are.
        now: Digest,
        /// Specs whose own text or arguments changed.
        changed: Vec<SpecRef>,
        /// Specs that were not there.
        added: Vec<SpecRef>,
        /// Specs that are gone, as the header names them.
        removed: Vec<String>,
        /// Modules depended on through which the change came.
        via: Vec<ModuleName>,
    },
    /// Somebody edited the generated code.
    BodyEdited {
        /// The digest that the header has of the code.
        was: Digest,
        /// The digest of the code as it is.
        now: Digest,
    },
    /// A module that this code was generated against was generated again, or edited, since.
    DependencyRegenerated {
        /// The module depended on.
        module: ModuleName,
        /// Digest of the code this one was generated against; `None` if it was no dependency.
        was: Option<Digest>,
        /// Digest of its code now; `None` if there is none.
        now: Option<Digest>,
    },
    /// The specs of a module changed since this one was generated against them.
    DependencySpecsChanged {
        /// The module that is tested, or built together with this one.
        module: ModuleName,
        /// Its module digest when this code was generated.
        was: Option<Digest>,
        /// Its module digest now.
        now: Digest,
    },
    /// A module that this one depends on is stale.
    Upstream {
        /// That module.
        via: ModuleName,
    },
    /// A run that was interrupted had to generate it, and has generated what it depends on.
    Unfinished,
    /// `--force`.
    Forced,
}

impl fmt::Display for Staleness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("never generated"),
            Self::Moved { from } => {
                write!(f, "its code is in `{from}`, where Python does not look for it any more")
            }
            Self::Unreadable { message } => write!(f, "its file cannot be read: {message}"),
            Self::NotUtf8 => f.write_str("its file is not UTF-8"),
            Self::Truncated => f.write_str("its file is empty or was cut off"),
            Self::Foreign => f.write_str("its file was not written by jaunt"),
            Self::WrongKind { was, now } => {
                write!(
                    f,
                    "its file is of kind `{}`, not `{}`",
                    or_none(was.as_deref()),
                    now.as_str()
                )
            }
            Self::WrongModule { was, now } => {
                write!(f, "its file belongs to `{}`, not to `{now}`", or_none(was.as_deref()))
            }
            Self::UnknownScheme { scheme } => write!(
                f,
                "its file has a digest of scheme {scheme}, which the registry does not give"
            ),
            Self::OutdatedScheme { scheme } => write!(
                f,
                "its file has a digest of scheme {scheme}, and the registry's is older than the sources"
            ),
            Self::SpecsChanged { changed, added, removed, via, .. } => {
                let mut parts = Vec::new();
                list(&mut parts, "spec changed: ", "specs changed: ", changed);
                list(&mut parts, "new spec: ", "new specs: ", added);
                list(&mut parts, "spec removed: ", "specs removed: ", removed);
                let upstream = "a spec it depends on changed: ";
                list(&mut parts, upstream, upstream, via);
                match parts.is_empty() {
                    true => f.write_str("specs changed"),
                    false => f.write_str(&parts.join("; ")),
                }
            }
            Self::BodyEdited { .. } => f.write_str("its code was edited by hand"),
            Self::DependencyRegenerated { module, was: None, .. } => {
                write!(f, "it was generated without the code of `{module}`")
            }
            Self::DependencyRegenerated { module, .. } => {
                write!(f, "the code of `{module}` changed since")
            }
            Self::DependencySpecsChanged { module, .. } => {
                write!(f, "the specs of `{module}` changed since")
            }
            Self::Upstream { via } => write!(f, "depends on `{via}`, which is stale"),
            Self::Unfinished => f.write_str("left unfinished by an interrupted run"),
            Self::Forced => f.write_str("`--force` was given"),
        }
    }
}

impl Staleness {
    /// Returns the reasons worth showing to a person: a stale dependency is not, if the module is stale
    /// by itself.
    pub fn telling(reasons: &[Self]) -> impl Iterator<Item = &Self> {
        let is_upstream = |reason: &&Self| matches!(reason, Self::Upstream { .. });
        let has_own = reasons.iter().any(|reason| !is_upstream(&reason));
        reasons.iter().filter(move |reason| !has_own || !is_upstream(reason))
    }
}

fn or_none(value: Option<&str>) -> &str {
    value.unwrap_or("none")
}

fn list<T: fmt::Display>(parts: &mut Vec<String>, of_one: &str, of_many: &str, items: &[T]) {
    if !items.is_empty() {
        let title = if items.len() == 1 { of_one } else { of_many };
        let items: Vec<String> = items.iter().map(|item| format!("`{item}`")).collect();
        parts.push(format!("{title}{}", items.join(", ")));
    }
}
