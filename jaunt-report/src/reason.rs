//! Why a module is stale.

use jaunt_builder::Staleness;
use jaunt_digest::Digest;
use serde::Serialize;

/// A [`Staleness`] as it stands in documents: its name in snake case as `reason`, and the values that belong to it.
///
/// Digests are written as `sha256:` and 64 hexadecimal digits; modules and specs by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
#[expect(missing_docs, reason = "the variants and fields are those of `Staleness`")]
#[non_exhaustive]
pub enum Reason {
    Missing,
    Moved {
        from: String,
    },
    Unreadable {
        message: String,
    },
    NotUtf8,
    Truncated,
    Foreign,
    WrongKind {
        was: Option<String>,
        now: &'static str,
    },
    WrongModule {
        was: Option<String>,
        now: String,
    },
    UnknownScheme {
        scheme: u32,
    },
    OutdatedScheme {
        scheme: u32,
    },
    SpecsChanged {
        was: Option<String>,
        now: String,
        changed: Vec<String>,
        added: Vec<String>,
        removed: Vec<String>,
        via: Vec<String>,
    },
    BodyEdited {
        was: String,
        now: String,
    },
    DependencyRegenerated {
        module: String,
        was: Option<String>,
        now: Option<String>,
    },
    DependencySpecsChanged {
        module: String,
        was: Option<String>,
        now: String,
    },
    Upstream {
        via: String,
    },
    Unfinished,
    Forced,
}

impl From<&Staleness> for Reason {
    fn from(staleness: &Staleness) -> Self {
        match staleness {
            Staleness::Missing => Self::Missing,
            Staleness::Moved { from } => Self::Moved { from: from.to_string() },
            Staleness::Unreadable { message } => Self::Unreadable { message: message.clone() },
            Staleness::NotUtf8 => Self::NotUtf8,
            Staleness::Truncated => Self::Truncated,
            Staleness::Foreign => Self::Foreign,
            Staleness::WrongKind { was, now } => {
                Self::WrongKind { was: was.clone(), now: now.as_str() }
            }
            Staleness::WrongModule { was, now } => {
                Self::WrongModule { was: was.clone(), now: now.to_string() }
            }
            Staleness::UnknownScheme { scheme } => Self::UnknownScheme { scheme: *scheme },
            Staleness::OutdatedScheme { scheme } => Self::OutdatedScheme { scheme: *scheme },
            Staleness::SpecsChanged { was, now, changed, added, removed, via } => {
                Self::SpecsChanged {
                    was: was.clone(),
                    now: hex(now),
                    changed: texts(changed),
                    added: texts(added),
                    removed: removed.clone(),
                    via: texts(via),
                }
            }
            Staleness::BodyEdited { was, now } => Self::BodyEdited { was: hex(was), now: hex(now) },
            Staleness::DependencyRegenerated { module, was, now } => Self::DependencyRegenerated {
                module: module.to_string(),
                was: was.as_ref().map(hex),
                now: now.as_ref().map(hex),
            },
            Staleness::DependencySpecsChanged { module, was, now } => {
                Self::DependencySpecsChanged {
                    module: module.to_string(),
                    was: was.as_ref().map(hex),
                    now: hex(now),
                }
            }
            Staleness::Upstream { via } => Self::Upstream { via: via.to_string() },
            Staleness::Unfinished => Self::Unfinished,
            Staleness::Forced => Self::Forced,
        }
    }
}

fn hex(digest: &Digest) -> String {
    format!("sha256:{digest}")
}

fn texts<T: ToString>(items: &[T]) -> Vec<String> {
    items.iter().map(ToString::to_string).collect()
}
