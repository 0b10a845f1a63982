//! Names of modules and specs.

use std::borrow::Borrow;
use std::fmt::{self, Debug, Display};
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::text::{excerpt, is_identifier};

/// The full name of a Python module: identifiers with dots between them, as in `shop.cart`.
///
/// Identifiers are those of Python's `str.isidentifier`, keywords among them. Names are compared and
/// ordered by code point, without normalization. A clone is cheap.
///
/// ```
/// let module: jaunt_digest::ModuleName = "shop.cart".parse()?;
/// assert_eq!(module.parts().collect::<Vec<_>>(), ["shop", "cart"]);
/// assert!("shop/cart".parse::<jaunt_digest::ModuleName>().is_err());
/// # Ok::<(), jaunt_digest::InvalidName>(())
/// ```
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

    /// Joins parts, which must be identifiers.
    pub(crate) fn join<'a>(parts: impl IntoIterator<Item = &'a str>) -> Self {
        let parts: Vec<&str> = parts.into_iter().collect();
        Self(parts.join(".").into())
    }
}

/// The identity of a spec: its module and its qualified name, as in `shop.cart:Cart.total`.
///
/// Each part of the qualified name is an identifier or `<locals>`. Refs are compared and ordered as
/// whole texts by code point: the order of dependencies in a graph digest. A clone is cheap.
///
/// ```
/// let spec: jaunt_digest::SpecRef = "shop.cart:Cart.total".parse()?;
/// assert_eq!(spec.module().as_str(), "shop.cart");
/// assert_eq!(spec.qualname(), "Cart.total");
/// assert_eq!(spec.definition(), "Cart");
/// # Ok::<(), jaunt_digest::InvalidName>(())
/// ```
#[derive(Clone)]
pub struct SpecRef {
    module: ModuleName,
    /// The whole ref: the module, a colon, the qualified name.
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

    /// Returns the top-level definition that the spec belongs to: the first part of the qualified name.
    ///
    /// For a method that is its class. It is also the name that the generated module must define.
    pub fn definition(&self) -> &str {
        let qualname = self.qualname();
        qualname.split_once('.').map_or(qualname, |(first, _)| first)
    }

    /// Returns the ref as text.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// A text that is not a module name or not a spec ref; the message shows an excerpt of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not {expected}", excerpt(.text))]
pub struct InvalidName {
    text: String,
    expected: &'static str,
}

/// Checks whether a text is a [`ModuleName`].
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

/// Checks whether a text is a qualified name: `Cart.total`, `f.<locals>.g`.
fn is_qualname(text: &str) -> bool {
    text.split('.').all(|it| it == "<locals>" || is_identifier(it))
}

impl SpecRef {
    /// Reads a ref. If its module is `last`, it shares that name instead of checking and copying it.
    pub(crate) fn parse_sharing(text: &str, last: Option<&ModuleName>) -> Option<Self> {
        let (module, _) = text.split_once(':').filter(|(_, qualname)| is_qualname(qualname))?;
        let module = match last {
            Some(last) if last.as_str() == module => last.clone(),
            _ => module.parse().ok()?,
        };
        Some(Self { module, text: text.into() })
    }
}

impl FromStr for SpecRef {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        Self::parse_sharing(text, None).ok_or_else(|| InvalidName {
            text: text.to_owned(),
            expected: "a spec ref of the form `module:qualname`",
        })
    }
}

/// Checks whether a text is a [`SpecRef`].
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

/// Implements the traits of a type that is a string with an invariant.
macro_rules! string_traits {
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

string_traits!(ModuleName);
string_traits!(SpecRef);

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
    fn a_module_name_has_parts() {
        assert_eq!(module("a.b.c").parts().collect::<Vec<_>>(), ["a", "b", "c"]);
        assert_eq!(module("a").parts().collect::<Vec<_>>(), ["a"]);
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
}
