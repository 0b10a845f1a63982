//! What a spec asks for.

use std::fmt::{self, Display};
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::text::excerpt;

/// What a spec asks for: code, or tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Code for a module of the product.
    Build,
    /// Tests.
    Test,
}

impl Kind {
    /// Every kind, in order.
    pub const ALL: [Self; 2] = [Self::Build, Self::Test];

    /// Returns the word in the header of a generated file: `build` or `test`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Build => "build",
            Self::Test => "test",
        }
    }

    /// Returns the word in a registry document: `magic` or `test`.
    pub fn registry_str(self) -> &'static str {
        match self {
            Self::Build => "magic",
            Self::Test => "test",
        }
    }

    /// Finds the kind that a registry document calls by a word.
    pub(crate) fn from_registry_str(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.registry_str() == word)
    }
}

impl Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Reads the word in the header of a generated file.
impl FromStr for Kind {
    type Err = InvalidKind;

    fn from_str(word: &str) -> Result<Self, InvalidKind> {
        let kind = Self::ALL.into_iter().find(|it| it.as_str() == word);
        kind.ok_or_else(|| InvalidKind { text: word.to_owned() })
    }
}

/// Writes the word in the header of a generated file.
impl Serialize for Kind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// A text that is not the word for a [`Kind`]; the message shows an excerpt of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not a kind (`build` or `test`)", excerpt(.text))]
pub struct InvalidKind {
    text: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_a_word_for_headers_and_one_for_registries() {
        assert_eq!((Kind::Build.as_str(), Kind::Build.registry_str()), ("build", "magic"));
        assert_eq!((Kind::Test.as_str(), Kind::Test.registry_str()), ("test", "test"));
        assert_eq!(format!("{:>6}", Kind::Build), " build");
        assert_eq!(serde_json::to_string(&Kind::Build).unwrap(), r#""build""#);
    }

    #[test]
    fn each_word_names_one_kind() {
        for kind in Kind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(kind));
            assert_eq!(Kind::from_registry_str(kind.registry_str()), Some(kind));
        }
        assert_eq!(Kind::from_registry_str("build"), None);
        let err = "magic".parse::<Kind>().unwrap_err();
        assert_eq!(err.to_string(), "`magic` is not a kind (`build` or `test`)");
    }
}
