//! Why a module has to be generated again.

use std::fmt;

use camino::Utf8PathBuf;
use jaunt_digest::Digest;
use jaunt_digest::Kind;
use jaunt_digest::ModuleName;
use jaunt_digest::SpecRef;
use serde::Serialize;
use serde::Serializer;

/// One reason why generated code cannot be trusted to match its specs.
///
/// The JSON form has the variant's name in snake case as `reason`, beside the values. `Display` is
/// the same for people. Both are made from what was decided, so neither can disagree with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Staleness {
    /// There is no generated file.
    Missing,
    /// The code is in a file that Python does not look at any more, because the module became, or
    /// ceased to be, a package.
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
        #[serde(serialize_with = "crate::backend::kind_word")]
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
        #[serde(serialize_with = "digest_text")]
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
        #[serde(serialize_with = "digest_text")]
        was: Digest,
        /// The digest of the code as it is.
        #[serde(serialize_with = "digest_text")]
        now: Digest,
    },
    /// A module that this code was generated against was generated again, or edited, since.
    DependencyRegenerated {
        /// The module depended on.
        module: ModuleName,
        /// Digest of the code this one was generated against; none where it was no dependency.
        #[serde(serialize_with = "optional_digest_text")]
        was: Option<Digest>,
        /// Digest of its code now; none where there is none.
        #[serde(serialize_with = "optional_digest_text")]
        now: Option<Digest>,
    },
    /// The specs of a module changed since this one was generated against them.
    DependencySpecsChanged {
        /// The module that is tested, or built together with this one.
        module: ModuleName,
        /// Its module digest when this code was generated.
        #[serde(serialize_with = "optional_digest_text")]
        was: Option<Digest>,
        /// Its module digest now.
        #[serde(serialize_with = "digest_text")]
        now: Digest,
    },
    /// A module that this one depends on is stale.
    Upstream {
        /// That module.
        via: ModuleName,
    },
    /// A run that had to generate it, and that generated what it depends on, did not get to it.
    Unfinished,
    /// `--force`.
    Forced,
}

impl fmt::Display for Staleness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("it has not been generated yet"),
            Self::Moved { from } => {
                write!(f, "its code is in `{from}`, where Python does not look for it any more")
            }
            Self::Unreadable { message } => write!(f, "its file cannot be read: {message}"),
            Self::NotUtf8 => f.write_str("its file is not UTF-8"),
            Self::Truncated => f.write_str("its file is empty or was cut off"),
            Self::Foreign => f.write_str("its file was not generated by jaunt"),
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
                list(&mut parts, "changed: ", changed);
                list(&mut parts, "new: ", added);
                list(&mut parts, "gone: ", removed);
                list(&mut parts, "changed below it: ", via);
                if parts.is_empty() {
                    f.write_str("its specs changed")
                } else {
                    write!(f, "its specs changed ({})", parts.join("; "))
                }
            }
            Self::BodyEdited { .. } => f.write_str("its code was edited by hand"),
            Self::DependencyRegenerated { module, was: None, .. } => {
                write!(f, "`{module}` was not there when it was generated")
            }
            Self::DependencyRegenerated { module, .. } => {
                write!(f, "`{module}` has other code than when this was generated against it")
            }
            Self::DependencySpecsChanged { module, .. } => {
                write!(f, "the specs of `{module}` changed since this was generated")
            }
            Self::Upstream { via } => write!(f, "`{via}`, which it depends on, is stale"),
            Self::Unfinished => f.write_str("an earlier run did not get to it"),
            Self::Forced => f.write_str("`--force` was given"),
        }
    }
}

impl Staleness {
    /// The reasons that tell a person something: that a dependency is stale does not, where the
    /// module is stale by itself.
    pub fn telling(reasons: &[Self]) -> impl Iterator<Item = &Self> {
        let is_upstream = |reason: &&Self| matches!(reason, Self::Upstream { .. });
        let has_own = reasons.iter().any(|reason| !is_upstream(&reason));
        reasons.iter().filter(move |reason| !has_own || !is_upstream(reason))
    }
}

fn or_none(value: Option<&str>) -> &str {
    value.unwrap_or("none")
}

fn list<T: fmt::Display>(parts: &mut Vec<String>, title: &str, items: &[T]) {
    if !items.is_empty() {
        let items: Vec<String> = items.iter().map(|item| format!("`{item}`")).collect();
        parts.push(format!("{title}{}", items.join(", ")));
    }
}

fn digest_text<S: Serializer>(digest: &Digest, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("sha256:{digest}"))
}

#[expect(clippy::ref_option, reason = "the signature that serde asks for")]
fn optional_digest_text<S: Serializer>(
    digest: &Option<Digest>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match digest {
        Some(digest) => digest_text(digest, serializer),
        None => serializer.serialize_none(),
    }
}
