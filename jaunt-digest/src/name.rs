//! Names of modules and specs.

use std::borrow::Borrow;
use std::fmt::{self, Debug, Display};
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::text::{is_identifier, shown};

/// The full name of a Python module: identifiers with dots between them, as in `shop.cart`.
///
/// What an identifier is follows Python's `str.isidentifier`, so keywords pass. Names are
/// compared and ordered by code point, without any normalization. A clone is cheap.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModuleName(Arc<str>);

impl ModuleName {
    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the identifiers, outermost first. There is at least one.
    pub fn parts(&self) -> impl DoubleEndedIterator<Item = &str> + Clone {
        self.0.split('.')
    }

    /// Returns the package that holds the module, or `None` for a top-level name.
    pub fn parent(&self) -> Option<Self> {
        self.0.rsplit_once('.').map(|(parent, _)| Self(parent.into()))
    }

    /// Tells whether the module lives inside the package `other`, at any depth.
    ///
    /// A module is not below itself.
    pub fn is_below(&self, other: &Self) -> bool {
        self.0.strip_prefix(&*other.0).is_some_and(|rest| rest.starts_with('.'))
    }

    /// Makes a name of parts that are known to be identifiers.
    pub(crate) fn join<'a>(parts: impl IntoIterator<Item = &'a str>) -> Self {
        let parts: Vec<&str> = parts.into_iter().collect();
        Self(parts.join(".").into())
    }
}

/// The identity of a spec: its module and its qualified name, as in `shop.cart:Cart.total`.
///
/// Every part of the qualified name is an identifier or `<locals>`. Refs are compared and
/// ordered as whole texts by code point, which is the order of dependencies in a graph digest.
/// A clone is cheap.
#[derive(Clone)]
pub struct SpecRef {
    module: ModuleName,
    text: Arc<str>,
}

impl SpecRef {
    /// Returns the module that holds the spec.
    pub fn module(&self) -> &ModuleName {
        &self.module
    }

    /// Returns the qualified name, as in `Cart.total`.
    pub fn qualname(&self) -> &str {
        &self.text[self.module.as_str().len() + 1..]
    }

    /// Returns the top-level name that stands for the spec: the first part of the qualified name.
    ///
    /// A method stands for the whole class around it, so this is also the name that the
    /// generated module must define.
    pub fn definition(&self) -> &str {
        let qualname = self.qualname();
        qualname.split_once('.').map_or(qualname, |(first, _)| first)
    }

    /// Returns the ref as text.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// What a spec asks for: code, or tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Code for a module of the product.
    Build,
    /// Tests.
    Test,
}

impl Kind {
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
}

impl Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A text that is not a module name or not a spec ref.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not {expected}", shown(.text))]
pub struct InvalidName {
    text: String,
    expected: &'static str,
}

impl InvalidName {
    /// Returns the text that was refused.
    pub fn text(&self) -> &str {
        &self.text
    }
}

fn is_module(text: &str) -> bool {
    text.split('.').all(is_identifier)
}

impl FromStr for ModuleName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        if is_module(text) {
            Ok(Self(text.into()))
        } else {
            let expected = "a module name (identifiers with dots between them)";
            Err(InvalidName { text: text.to_owned(), expected })
        }
    }
}

fn is_qualname(text: &str) -> bool {
    text.split('.').all(|it| it == "<locals>" || is_identifier(it))
}

impl SpecRef {
    /// Reads a ref, with the module of another one if it is the same.
    pub(crate) fn parse_beside(text: &str, near: Option<&ModuleName>) -> Option<Self> {
        let (module, _) = text.split_once(':').filter(|(_, qualname)| is_qualname(qualname))?;
        let module = match near {
            Some(near) if near.as_str() == module => near.clone(),
            _ => module.parse().ok()?,
        };
        Some(Self { module, text: text.into() })
    }
}

impl FromStr for SpecRef {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        Self::parse_beside(text, None).ok_or_else(|| InvalidName {
            text: text.to_owned(),
            expected: "a spec ref of the form `module:qualname`",
        })
    }
}

/// Whether `SpecRef` would take a text as it is.
pub(crate) fn is_ref(text: &str) -> bool {
    text.split_once(':')
        .is_some_and(|(module, qualname)| is_module(module) && is_qualname(qualname))
}

impl PartialEq for SpecRef {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for SpecRef {}

impl PartialOrd for SpecRef {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for SpecRef {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.text.cmp(&other.text)
    }
}

impl Hash for SpecRef {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

macro_rules! like_str {
    ($name:ty) => {
        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                self.as_str()
            }
        }

        impl Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                Debug::fmt(self.as_str(), f)
            }
        }

        impl TryFrom<&str> for $name {
            type Error = InvalidName;

            fn try_from(text: &str) -> Result<Self, InvalidName> {
                text.parse()
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

like_str!(ModuleName);
like_str!(SpecRef);

#[cfg(test)]
mod tests {
    use super::*;

    fn module(text: &str) -> ModuleName {
        text.parse().unwrap()
    }

    #[test]
    fn a_module_name_is_identifiers_with_dots_between_them() {
        for good in ["a", "shop.cart", "a.b.c.d", "_x.__init__", "class.def", "été.名前"] {
            assert_eq!(module(good).as_str(), good);
        }
        for bad in ["", ".", "a.", ".a", "a..b", "a b", "a-b", "9a", "a:b", " a", "a/b"] {
            let err = bad.parse::<ModuleName>().unwrap_err();
            assert_eq!(
                err.to_string(),
                format!("`{bad}` is not a module name (identifiers with dots between them)")
            );
        }
    }

    #[test]
    fn a_module_knows_its_packages() {
        let name = module("a.b.c");
        assert_eq!(name.parts().collect::<Vec<_>>(), ["a", "b", "c"]);
        assert_eq!(name.parent(), Some(module("a.b")));
        assert_eq!(module("a").parent(), None);

        assert!(name.is_below(&module("a")));
        assert!(name.is_below(&module("a.b")));
        assert!(!name.is_below(&name));
        assert!(!module("a.bc").is_below(&module("a.b")));
        assert!(!module("a").is_below(&name));
    }

    #[test]
    fn a_ref_names_a_module_and_a_definition() {
        let spec: SpecRef = "shop.cart:Cart.total.<locals>.add".parse().unwrap();
        assert_eq!(spec.module(), &module("shop.cart"));
        assert_eq!(spec.qualname(), "Cart.total.<locals>.add");
        assert_eq!(spec.definition(), "Cart");
        assert_eq!("a:f".parse::<SpecRef>().unwrap().definition(), "f");

        for bad in ["", "a", "a.b", ":f", "a:", "a:f:g", "a:.f", "a:f.", "a:f g", " a:f", "a:9"] {
            let err = bad.parse::<SpecRef>().unwrap_err();
            assert_eq!(
                err.to_string(),
                format!("`{bad}` is not a spec ref of the form `module:qualname`")
            );
        }
    }

    #[test]
    fn refs_sort_as_whole_texts() {
        let mut refs: Vec<SpecRef> = ["a_b:c", "a:b", "A:z", "a.b:c", "a.b.c:d"]
            .into_iter()
            .map(|it| it.parse().unwrap())
            .collect();
        refs.sort();
        let texts: Vec<_> = refs.iter().map(SpecRef::as_str).collect();
        assert_eq!(texts, ["A:z", "a.b.c:d", "a.b:c", "a:b", "a_b:c"]);
    }

    #[test]
    fn names_are_strings_in_json() {
        let spec: SpecRef = serde_json::from_str(r#""a.b:f""#).unwrap();
        assert_eq!(serde_json::to_string(&spec).unwrap(), r#""a.b:f""#);
        let err = serde_json::from_str::<ModuleName>(r#""a.""#).unwrap_err().to_string();
        assert!(err.starts_with("`a.` is not a module name"), "{err}");
    }

    #[test]
    fn each_kind_has_a_word_for_headers_and_one_for_registries() {
        assert_eq!((Kind::Build.as_str(), Kind::Build.registry_str()), ("build", "magic"));
        assert_eq!((Kind::Test.as_str(), Kind::Test.registry_str()), ("test", "test"));
        assert_eq!(format!("{:>6}", Kind::Build), " build");
    }
}
