//! The format of a recording.
//!
//! Each file is Python with a header of comments, named by the digest of the context that it
//! answers. The header says for whom it was made and carries the digest of the source, so that
//! an edited or truncated file is refused by name. It also has a short digest of each part of the
//! context, by which a miss can say what is different.
//!
//! ```text
//! # jaunt:recording/1
//! # jaunt:kind=build
//! # jaunt:spec_module=shop.cart
//! # jaunt:context=sha256:…
//! # jaunt:source=sha256:…
//! # jaunt:generated_module=shop.__generated__.cart
//! # jaunt:expected_names=["total"]
//! # jaunt:spec_sources={"shop.cart:total":"…16 hexadecimal digits…"}
//! # jaunt:decorator_prompts={}
//! # jaunt:dependency_apis={"shop.price:Price":"…"}
//! # jaunt:dependency_generated_modules={"shop.price":"…"}
//!
//! def total(…): …
//! ```

use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::str::FromStr;

use jaunt_builder::{ModuleSpecContext, canonical_digest};
use jaunt_digest::{Digest, Kind, ModuleName, normalize_body, strip_bom};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The size of the largest recording, in bytes.
pub(crate) const MAX_FILE: u64 = 64 * 1024 * 1024;

/// What is wrong with a recording.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordingFault {
    /// It is a directory, a device or a pipe.
    #[error("it is not a regular file")]
    NotAFile,
    /// Nobody reads so large a file.
    #[error("it has more than {} MiB", MAX_FILE / 1024 / 1024)]
    TooLarge,
    /// It is not text.
    #[error("it is not UTF-8")]
    NotUtf8,
    /// It is no recording.
    #[error("it does not begin with `{MARKER}`")]
    NoMarker,
    /// A key of its header is missing or has no valid value.
    #[error("its header has no valid `{0}`")]
    BadField(&'static str),
    /// It was renamed, or its header was edited.
    #[error("it answers another context than its name says")]
    OtherContext,
    /// Its source does not have the digest in its header.
    #[error("its source was changed or cut after it was recorded")]
    OtherSource,
}

/// The first line.
pub(crate) const MARKER: &str = "# jaunt:recording/1";

/// A header, and the source below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Recording {
    pub(crate) header: RecordingHeader,
    /// As [`normalize_body`] leaves it.
    pub(crate) source: String,
}

impl Recording {
    pub(crate) fn new(ctx: &ModuleSpecContext, source: &str) -> Self {
        let source = normalize_body(source);
        Self { header: RecordingHeader::new(ctx, &source), source }
    }

    /// Reads all of a recording.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn parse(text: &str) -> Result<Self, RecordingFault> {
        let (_, source) = parse(text)?;
        Ok(Self { header: RecordingHeader::parse(text)?, source })
    }
}

/// Reads what decides whether a recording is the right one, and its source.
pub(crate) fn parse(text: &str) -> Result<(Identity, String), RecordingFault> {
    let (fields, body) = Fields::parse(text)?;
    let identity = fields.identity()?;
    let source = normalize_body(body);
    if Digest::of(&source) == identity.source {
        Ok((identity, source))
    } else {
        Err(RecordingFault::OtherSource)
    }
}

impl Display for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let RecordingHeader { identity: Identity { kind, spec_module, context, source }, digests } =
            &self.header;
        writeln!(f, "{MARKER}")?;
        writeln!(f, "# jaunt:kind={kind}")?;
        writeln!(f, "# jaunt:spec_module={spec_module}")?;
        writeln!(f, "# jaunt:context=sha256:{context}")?;
        writeln!(f, "# jaunt:source=sha256:{source}")?;
        writeln!(f, "# jaunt:generated_module={}", digests.generated_module)?;
        writeln!(f, "# jaunt:expected_names={}", json(&digests.expected_names))?;
        for (name, part) in digests.maps() {
            writeln!(f, "# jaunt:{name}={}", json(part))?;
        }
        write!(f, "\n{}", self.source)
    }
}

/// What a recording says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RecordingHeader {
    pub(crate) identity: Identity,
    digests: ContextDigests,
}

/// What a recording answers, and the digest of its source: what decides whether it is the right one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) kind: Kind,
    pub(crate) spec_module: ModuleName,
    pub(crate) context: Digest,
    pub(crate) source: Digest,
}

/// The lines of a header.
struct Fields<'a>(BTreeMap<&'a str, &'a str>);

impl<'a> Fields<'a> {
    /// Reads the header, and returns it with what follows.
    fn parse(text: &'a str) -> Result<(Self, &'a str), RecordingFault> {
        let mut rest = strip_bom(text);
        let mut next_line = || {
            let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
            rest = after;
            line.trim_end_matches('\r')
        };
        if next_line() != MARKER {
            return Err(RecordingFault::NoMarker);
        }
        let mut fields = BTreeMap::new();
        while let Some(field) = next_line().strip_prefix("# jaunt:") {
            if let Some((key, value)) = field.split_once('=') {
                fields.entry(key).or_insert(value);
            }
        }
        Ok((Self(fields), rest))
    }

    fn get(&self, key: &'static str) -> Result<&'a str, RecordingFault> {
        self.0.get(key).copied().ok_or(RecordingFault::BadField(key))
    }

    fn parsed<T: FromStr>(&self, key: &'static str) -> Result<T, RecordingFault> {
        self.get(key)?.parse().map_err(|_| RecordingFault::BadField(key))
    }

    /// Returns a part in JSON, or an empty one.
    fn part<T: Default + DeserializeOwned>(&self, key: &'static str) -> T {
        self.get(key).ok().and_then(|it| serde_json::from_str(it).ok()).unwrap_or_default()
    }

    fn identity(&self) -> Result<Identity, RecordingFault> {
        Ok(Identity {
            kind: self.parsed("kind")?,
            spec_module: self.parsed("spec_module")?,
            context: self.parsed("context")?,
            source: self.parsed("source")?,
        })
    }
}

impl RecordingHeader {
    pub(crate) fn new(ctx: &ModuleSpecContext, source: &str) -> Self {
        let identity = Identity {
            kind: ctx.kind,
            spec_module: ctx.spec_module.clone(),
            context: canonical_digest(ctx),
            source: Digest::of(source),
        };
        Self { identity, digests: ContextDigests::of(ctx) }
    }

    /// Reads a header. A part that cannot be read counts as empty: it serves explanations only.
    pub(crate) fn parse(text: &str) -> Result<Self, RecordingFault> {
        let (fields, _) = Fields::parse(text)?;
        let digests = ContextDigests {
            generated_module: fields.get("generated_module").unwrap_or_default().to_owned(),
            expected_names: fields.part("expected_names"),
            spec_sources: fields.part("spec_sources"),
            decorator_prompts: fields.part("decorator_prompts"),
            dependency_apis: fields.part("dependency_apis"),
            dependency_generated_modules: fields.part("dependency_generated_modules"),
        };
        Ok(Self { identity: fields.identity()?, digests })
    }

    /// Returns what is different in a context, in words.
    pub(crate) fn differences(&self, ctx: &ModuleSpecContext) -> Vec<String> {
        let (ours, theirs) = (&self.digests, ContextDigests::of(ctx));
        let mut differences = Vec::new();
        if ours.generated_module != theirs.generated_module {
            differences.push(format!("generated module, `{}`", ours.generated_module));
        }
        if ours.expected_names != theirs.expected_names {
            differences.push(format!("set of names, {}", ours.expected_names.join(", ")));
        }
        let what = ["source", "prompt", "interface", "code"];
        for ((what, (_, ours)), (_, theirs)) in what.iter().zip(ours.maps()).zip(theirs.maps()) {
            let mut names: Vec<&String> = ours.keys().chain(theirs.keys()).collect();
            names.sort();
            names.dedup();
            names.retain(|name| ours.get(*name) != theirs.get(*name));
            differences.extend(names.iter().map(|name| format!("{what} of `{name}`")));
        }
        differences
    }
}

/// The digests of a context, each text by the start of its digest.
#[derive(Clone, Debug, PartialEq, Eq)]
struct ContextDigests {
    generated_module: String,
    expected_names: Vec<String>,
    spec_sources: BTreeMap<String, String>,
    decorator_prompts: BTreeMap<String, String>,
    dependency_apis: BTreeMap<String, String>,
    dependency_generated_modules: BTreeMap<String, String>,
}

impl ContextDigests {
    fn of(ctx: &ModuleSpecContext) -> Self {
        Self {
            generated_module: ctx.generated_module.to_string(),
            expected_names: ctx.expected_names.clone(),
            spec_sources: shorten(&ctx.spec_sources),
            decorator_prompts: shorten(&ctx.decorator_prompts),
            dependency_apis: shorten(&ctx.dependency_apis),
            dependency_generated_modules: shorten(&ctx.dependency_generated_modules),
        }
    }

    fn maps(&self) -> [(&'static str, &BTreeMap<String, String>); 4] {
        [
            ("spec_sources", &self.spec_sources),
            ("decorator_prompts", &self.decorator_prompts),
            ("dependency_apis", &self.dependency_apis),
            ("dependency_generated_modules", &self.dependency_generated_modules),
        ]
    }
}

fn shorten<K: Display, T: AsRef<str>>(texts: &BTreeMap<K, T>) -> BTreeMap<String, String> {
    let short = |text: &T| format!("{:.16}", Digest::of(text.as_ref()).to_string());
    texts.iter().map(|(name, text)| (name.to_string(), short(text))).collect()
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("maps and lists of text have a JSON form")
}
