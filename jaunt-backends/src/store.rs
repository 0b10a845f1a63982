//! Recorded generations: a directory of files that can be read, reviewed, and trusted.
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
use std::fs;
use std::io::{self, Read as _};
use std::str::FromStr;

use camino::{Utf8Path, Utf8PathBuf};
use jaunt_builder::{ModuleSpecContext, canonical_digest};
use jaunt_digest::{Digest, Kind, ModuleName, normalize_body, strip_bom};
use jaunt_write::{Tree, WriteError};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// No recording is larger, in bytes.
const MAX_FILE: u64 = 64 * 1024 * 1024;
/// Where the header ends at the latest, in bytes, for those who read nothing else.
const MAX_HEADER: u64 = 256 * 1024;
/// Recordings that are looked at to explain why there is none.
const MAX_FILES: usize = 10_000;

/// Why a store gives or takes nothing.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("there is no directory `{path}` with recordings")]
    NoStore { path: Utf8PathBuf },
    #[error("cannot {action} `{path}`")]
    Io { action: &'static str, path: Utf8PathBuf, source: io::Error },
    #[error("cannot record in `{path}`")]
    Write { path: Utf8PathBuf, source: WriteError },
    #[error("refusing the recording `{path}`: {fault}")]
    Refused { path: Utf8PathBuf, fault: Fault },
}

/// What is wrong with a recording.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("it is not a regular file")]
    NotAFile,
    #[error("it has more than {} MiB", MAX_FILE / 1024 / 1024)]
    TooLarge,
    #[error("it is not UTF-8")]
    NotUtf8,
    #[error("it does not begin with `{MARKER}`")]
    NoMarker,
    #[error("its header has no valid `{0}`")]
    BadField(&'static str),
    #[error("it answers another context than its name says")]
    OtherContext,
    #[error("its source was changed or cut after it was recorded")]
    OtherSource,
}

/// A directory of recordings.
#[derive(Clone, Debug)]
pub struct Store {
    /// In the words of the user, for messages.
    dir: Utf8PathBuf,
    place: Utf8PathBuf,
    /// Only where there will be something to record.
    tree: Option<Tree>,
}

impl Store {
    /// Opens a store to read from. A relative path starts at `root`.
    ///
    /// # Errors
    ///
    /// When there is no such directory.
    pub fn open(root: &Utf8Path, dir: &Utf8Path) -> Result<Self, StoreError> {
        let (dir, place) = (dir.to_owned(), root.join(dir));
        if place.is_dir() {
            Ok(Self { dir, place, tree: None })
        } else {
            Err(StoreError::NoStore { path: dir })
        }
    }

    /// Opens a store to write to, and makes its directory if it is missing, but none above. A
    /// relative path starts at `root`.
    ///
    /// # Errors
    ///
    /// When there is something else in its place, or the directory cannot be made.
    pub fn create(root: &Utf8Path, dir: &Utf8Path) -> Result<Self, StoreError> {
        let path = dir.to_owned();
        let place = match resolve(&root.join(dir)) {
            Ok(place) => place,
            Err(source) => return Err(StoreError::Io { action: "make", path, source }),
        };
        let (Some(parent), Some(name)) = (place.parent(), place.file_name()) else {
            let source = io::Error::from(io::ErrorKind::IsADirectory);
            return Err(StoreError::Io { action: "record in", path, source });
        };
        match Tree::create(parent, name.into()) {
            Ok(tree) => Ok(Self { dir: path, place, tree: Some(tree) }),
            Err(source) => Err(StoreError::Write { path, source }),
        }
    }

    /// Where it is, in the words of the user.
    pub fn dir(&self) -> &Utf8Path {
        &self.dir
    }

    /// The path of the recording for a context, whether there is one or not.
    pub fn path_of(&self, context: Digest) -> Utf8PathBuf {
        self.dir.join(file_name(context))
    }

    /// Returns the recorded source for a context; `None` if there is no recording.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or is not what was recorded.
    pub fn get(&self, ctx: &ModuleSpecContext) -> Result<Option<String>, StoreError> {
        let context = canonical_digest(ctx);
        let path = self.path_of(context);
        let Some(bytes) = read(&self.place.join(file_name(context)), &path)? else {
            return Ok(None);
        };
        let recording = match String::from_utf8(bytes) {
            Ok(text) => parse(&text),
            Err(_) => Err(Fault::NotUtf8),
        };
        match recording {
            Ok((front, source))
                if (front.context, front.kind, &front.spec_module)
                    == (context, ctx.kind, &ctx.spec_module) =>
            {
                Ok(Some(source))
            }
            Ok(_) => Err(StoreError::Refused { path, fault: Fault::OtherContext }),
            Err(fault) => Err(StoreError::Refused { path, fault }),
        }
    }

    /// Records a source, in place of an earlier one for the same context. What is recorded already
    /// is not touched.
    ///
    /// # Errors
    ///
    /// When the file cannot be written, or the store was opened to read.
    pub fn put(&self, ctx: &ModuleSpecContext, source: &str) -> Result<(), StoreError> {
        let recording = Recording::new(ctx, source);
        let name = file_name(recording.header.front.context);
        let text = recording.to_string();
        let written = match &self.tree {
            None => {
                let source = io::Error::from(io::ErrorKind::ReadOnlyFilesystem);
                return Err(StoreError::Io { action: "record in", path: self.dir.clone(), source });
            }
            Some(tree) => match tree.read(name.as_str().into()) {
                Ok(Some(old)) if old == text.as_bytes() => Ok(()),
                Ok(_) => tree.write(name.as_str().into(), text.as_bytes()),
                Err(err) => Err(err),
            },
        };
        written.map_err(|source| StoreError::Write { path: self.dir.join(name), source })
    }

    /// The headers of what is recorded, in the order of their contexts; what has none is left out.
    pub fn headers(&self) -> Vec<Header> {
        let Ok(entries) = fs::read_dir(&self.place) else { return Vec::new() };
        let mut paths: Vec<Utf8PathBuf> = entries
            .flatten()
            .filter_map(|entry| Utf8PathBuf::from_path_buf(entry.path()).ok())
            .filter(|path| path.extension() == Some("py"))
            .take(MAX_FILES)
            .collect();
        paths.sort();
        let header = |path: &Utf8PathBuf| {
            let bytes = read_start(path, path, MAX_HEADER).ok()??;
            Header::parse(&String::from_utf8_lossy(&bytes)).ok()
        };
        paths.iter().filter_map(header).collect()
    }
}

const MARKER: &str = "# jaunt:recording/1";

/// A header, and the source below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Recording {
    pub(crate) header: Header,
    /// As [`normalize_body`] leaves it.
    pub(crate) source: String,
}

impl Recording {
    fn new(ctx: &ModuleSpecContext, source: &str) -> Self {
        let source = normalize_body(source);
        Self { header: Header::new(ctx, &source), source }
    }

    /// Reads all of a recording.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn parse(text: &str) -> Result<Self, Fault> {
        let (_, source) = parse(text)?;
        Ok(Self { header: Header::parse(text)?, source })
    }
}

/// Reads what decides whether a recording is the right one, and its source.
fn parse(text: &str) -> Result<(Front, String), Fault> {
    let (fields, body) = Fields::parse(text)?;
    let front = fields.front()?;
    let source = normalize_body(body);
    if Digest::of(&source) == front.source { Ok((front, source)) } else { Err(Fault::OtherSource) }
}

impl Display for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Header { front: Front { kind, spec_module, context, source }, parts } = &self.header;
        writeln!(f, "{MARKER}")?;
        writeln!(f, "# jaunt:kind={kind}")?;
        writeln!(f, "# jaunt:spec_module={spec_module}")?;
        writeln!(f, "# jaunt:context=sha256:{context}")?;
        writeln!(f, "# jaunt:source=sha256:{source}")?;
        writeln!(f, "# jaunt:generated_module={}", parts.generated_module)?;
        writeln!(f, "# jaunt:expected_names={}", json(&parts.expected_names))?;
        for (name, part) in parts.maps() {
            writeln!(f, "# jaunt:{name}={}", json(part))?;
        }
        write!(f, "\n{}", self.source)
    }
}

/// What a recording says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    pub front: Front,
    parts: Parts,
}

/// The part of a header that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Front {
    pub kind: Kind,
    pub spec_module: ModuleName,
    pub context: Digest,
    pub(crate) source: Digest,
}

/// The lines of a header.
struct Fields<'a>(BTreeMap<&'a str, &'a str>);

impl<'a> Fields<'a> {
    /// Reads the header, and returns it with what follows.
    fn parse(text: &'a str) -> Result<(Self, &'a str), Fault> {
        let mut rest = strip_bom(text);
        let mut next_line = || {
            let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
            rest = after;
            line.trim_end_matches('\r')
        };
        if next_line() != MARKER {
            return Err(Fault::NoMarker);
        }
        let mut fields = BTreeMap::new();
        while let Some(field) = next_line().strip_prefix("# jaunt:") {
            if let Some((key, value)) = field.split_once('=') {
                fields.entry(key).or_insert(value);
            }
        }
        Ok((Self(fields), rest))
    }

    fn get(&self, key: &'static str) -> Result<&'a str, Fault> {
        self.0.get(key).copied().ok_or(Fault::BadField(key))
    }

    fn parsed<T: FromStr>(&self, key: &'static str) -> Result<T, Fault> {
        self.get(key)?.parse().map_err(|_| Fault::BadField(key))
    }

    /// A part in JSON, or an empty one.
    fn part<T: Default + DeserializeOwned>(&self, key: &'static str) -> T {
        self.get(key).ok().and_then(|it| serde_json::from_str(it).ok()).unwrap_or_default()
    }

    fn front(&self) -> Result<Front, Fault> {
        Ok(Front {
            kind: self.parsed("kind")?,
            spec_module: self.parsed("spec_module")?,
            context: self.parsed("context")?,
            source: self.parsed("source")?,
        })
    }
}

impl Header {
    fn new(ctx: &ModuleSpecContext, source: &str) -> Self {
        let front = Front {
            kind: ctx.kind,
            spec_module: ctx.spec_module.clone(),
            context: canonical_digest(ctx),
            source: Digest::of(source),
        };
        Self { front, parts: Parts::of(ctx) }
    }

    /// Reads a header. A part that cannot be read is taken for empty: it is good for explanations
    /// only.
    fn parse(text: &str) -> Result<Self, Fault> {
        let (fields, _) = Fields::parse(text)?;
        let parts = Parts {
            generated_module: fields.get("generated_module").unwrap_or_default().to_owned(),
            expected_names: fields.part("expected_names"),
            spec_sources: fields.part("spec_sources"),
            decorator_prompts: fields.part("decorator_prompts"),
            dependency_apis: fields.part("dependency_apis"),
            dependency_generated_modules: fields.part("dependency_generated_modules"),
        };
        Ok(Self { front: fields.front()?, parts })
    }

    /// In what a context differs from the one that was answered, for a person.
    pub fn differences(&self, ctx: &ModuleSpecContext) -> Vec<String> {
        let (ours, theirs) = (&self.parts, Parts::of(ctx));
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

/// The parts of a context, each text by the start of its digest.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Parts {
    generated_module: String,
    expected_names: Vec<String>,
    spec_sources: BTreeMap<String, String>,
    decorator_prompts: BTreeMap<String, String>,
    dependency_apis: BTreeMap<String, String>,
    dependency_generated_modules: BTreeMap<String, String>,
}

impl Parts {
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

fn file_name(context: Digest) -> String {
    format!("{context}.py")
}

/// The path with all links resolved; its last part need not exist.
fn resolve(path: &Utf8Path) -> io::Result<Utf8PathBuf> {
    match (path.canonicalize_utf8(), path.parent(), path.file_name()) {
        (Err(err), Some(parent), Some(name)) if err.kind() == io::ErrorKind::NotFound => {
            Ok(parent.canonicalize_utf8()?.join(name))
        }
        (resolved, _, _) => resolved,
    }
}

/// The content of a recording, called `path`; `None` if there is none.
fn read(place: &Utf8Path, path: &Utf8Path) -> Result<Option<Vec<u8>>, StoreError> {
    match read_start(place, path, MAX_FILE + 1)? {
        Some(bytes) if bytes.len() as u64 > MAX_FILE => {
            Err(StoreError::Refused { path: path.to_owned(), fault: Fault::TooLarge })
        }
        content => Ok(content),
    }
}

/// The first bytes of a regular file, called `path`; `None` if there is no file.
fn read_start(
    place: &Utf8Path,
    path: &Utf8Path,
    limit: u64,
) -> Result<Option<Vec<u8>>, StoreError> {
    let failed = |source| StoreError::Io { action: "read", path: path.to_owned(), source };
    // Before it is opened: to open a FIFO would be to wait for somebody who writes.
    let meta = match fs::metadata(place) {
        Ok(meta) if meta.is_file() => meta,
        Ok(_) => {
            return Err(StoreError::Refused { path: path.to_owned(), fault: Fault::NotAFile });
        }
        Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(err) => return Err(failed(err)),
    };
    // A byte more than it has, so that reading it and coming to its end need no more room.
    let mut bytes = Vec::with_capacity(usize::try_from(meta.len().min(limit)).unwrap_or(0) + 1);
    let file = fs::File::open(place).map_err(failed)?;
    file.take(limit).read_to_end(&mut bytes).map_err(failed)?;
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests;
