//! SHA-256 digests of specs and modules: scheme 1.

use std::fmt::{self, Debug, Display};
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

use crate::text::excerpt;

/// A SHA-256 digest, shown as 64 lower-case hexadecimal digits.
///
/// Digests are ordered by their bytes, which is also the order of their texts.
///
/// ```
/// use jaunt_digest::Digest;
///
/// let price = Digest::graph(&Digest::local("def price(): ...", "{}"), []);
/// let total = Digest::graph(&Digest::local("def total(): ...", "{}"), [&price]);
/// let module = Digest::module([&price, &total]);
/// assert_eq!(format!("sha256:{module}").parse(), Ok(module));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// Returns the digest of some bytes.
    pub fn of(bytes: impl AsRef<[u8]>) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Returns the digest of one spec alone: its source segment and its keyword text.
    ///
    /// The segment is that of [`Definition::segment`](crate::Definition::segment), the keyword text
    /// that of [`Kwargs::text`](crate::Kwargs::text).
    pub fn local(segment: &str, kwargs_text: &str) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(segment);
        hasher.update("\n");
        hasher.update(kwargs_text);
        Self(hasher.finalize().into())
    }

    /// Returns the digest of one spec and of everything it depends on.
    ///
    /// `dependencies` are the graph digests of the direct dependencies, in the order of their *refs*:
    /// the digest depends on the order.
    pub fn graph<'a>(local: &Self, dependencies: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(local.hex());
        let mut is_alone = true;
        for dependency in dependencies {
            hasher.update("\n");
            hasher.update(dependency.hex());
            is_alone = false;
        }
        if is_alone {
            hasher.update("\n");
        }
        Self(hasher.finalize().into())
    }

    /// Returns the digest of a module, from the graph digests of its specs.
    ///
    /// Their order does not matter. A module without specs has the digest of the empty text.
    pub fn module<'a>(graphs: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut graphs: Vec<&Self> = graphs.into_iter().collect();
        graphs.sort_unstable();
        let mut hasher = Sha256::new();
        for (idx, graph) in graphs.into_iter().enumerate() {
            if idx > 0 {
                hasher.update("\n");
            }
            hasher.update(graph.hex());
        }
        Self(hasher.finalize().into())
    }

    /// Returns the 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Returns the 64 digits in ASCII.
    fn hex(&self) -> [u8; 64] {
        let mut digits = [0; 64];
        hex::encode_to_slice(self.0, &mut digits).expect("32 bytes have 64 digits");
        digits
    }
}

impl Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.hex();
        f.pad(str::from_utf8(&digits).expect("hexadecimal digits are ASCII"))
    }
}

impl Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Display::fmt(self, f)
    }
}

/// Reads 64 hexadecimal digits of either case, with or without `sha256:` in front.
impl FromStr for Digest {
    type Err = InvalidDigest;

    fn from_str(text: &str) -> Result<Self, InvalidDigest> {
        let digits = text.strip_prefix("sha256:").unwrap_or(text);
        decode(digits).map(Self).ok_or_else(|| InvalidDigest { text: text.to_owned() })
    }
}

/// Decodes 64 hexadecimal digits.
///
/// By hand, because every header has several digests, and `hex::decode_to_slice` takes seven times as
/// long.
fn decode(digits: &str) -> Option<[u8; 32]> {
    /// The value of each byte as a digit, or more than 15 if it is not a digit.
    const VALUES: [u8; 256] = {
        let mut values = [u8::MAX; 256];
        let mut digit = 0;
        while digit < 16 {
            values[b"0123456789abcdef"[digit] as usize] = digit as u8;
            values[b"0123456789ABCDEF"[digit] as usize] = digit as u8;
            digit += 1;
        }
        values
    };
    let digits: &[u8; 64] = digits.as_bytes().try_into().ok()?;
    let mut bytes = [0; 32];
    let mut highest = 0;
    for (byte, [high, low]) in bytes.iter_mut().zip(digits.as_chunks().0) {
        let (high, low) = (VALUES[usize::from(*high)], VALUES[usize::from(*low)]);
        highest |= high | low;
        *byte = high << 4 | low & 15;
    }
    (highest < 16).then_some(bytes)
}

/// A text that is not a SHA-256 digest; the message shows an excerpt of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not a SHA-256 digest of 64 hexadecimal digits", excerpt(.text))]
pub struct InvalidDigest {
    text: String,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_module_without_specs_has_the_digest_of_the_empty_text() {
        assert_eq!(Digest::module([]), Digest::of(""));
        assert_eq!(
            Digest::of("").to_string(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }

    #[test]
    fn a_graph_digest_without_dependencies_hashes_a_line_end() {
        let local = Digest::of("x");
        assert_eq!(Digest::graph(&local, []), Digest::of(format!("{local}\n")));
        let dependency = Digest::of("y");
        let text = format!("{local}\n{dependency}");
        assert_eq!(Digest::graph(&local, [&dependency]), Digest::of(text));
    }

    #[test]
    fn only_64_hexadecimal_digits_are_a_digest() {
        let good = Digest::of("x").to_string();
        let digest: Digest = good.parse().unwrap();
        assert_eq!(format!("sha256:{good}").parse(), Ok(digest));
        for bad in ["", "sha256:", &good[1..], &format!("{good}0"), &format!("SHA256:{good}")] {
            let err = bad.parse::<Digest>().unwrap_err().to_string();
            assert_eq!(err, format!("`{bad}` is not a SHA-256 digest of 64 hexadecimal digits"));
        }
        assert!("é".repeat(32).parse::<Digest>().is_err());
    }

    proptest! {
        #[test]
        fn a_digest_survives_its_text(bytes: [u8; 32], prefix in prop::sample::select(vec!["", "sha256:"])) {
            let digest = Digest(bytes);
            prop_assert_eq!(format!("{prefix}{digest}").parse(), Ok(digest));
        }

        #[test]
        fn digests_sort_like_their_texts(a: [u8; 32], b: [u8; 32]) {
            let (a, b) = (Digest(a), Digest(b));
            prop_assert_eq!(a.cmp(&b), a.to_string().cmp(&b.to_string()));
        }

        #[test]
        fn the_order_of_specs_does_not_matter_to_their_module(bytes: Vec<[u8; 32]>) {
            let graphs: Vec<Digest> = bytes.into_iter().map(Digest).collect();
            prop_assert_eq!(Digest::module(&graphs), Digest::module(graphs.iter().rev()));
        }
    }
}
