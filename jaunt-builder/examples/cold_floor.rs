//! What reading a project costs whoever reads it: every source file read, hashed and parsed, every
//! other file named read and hashed, and a registry document parsed too, with the parsers of the
//! program, on two threads.
//!
//! Of the document, whatever is used is taken into plain structs that borrow from its text, by
//! `serde_json`, and nothing is checked. The threads take one file after another; the document is the
//! first, and there is a thread for it alone while it lasts.
//!
//! ```text
//! cargo run --release -p jaunt-builder --example cold_floor -- SOURCES_DIR [FILE_OR_DIR…]
//! ```
#![expect(clippy::print_stdout, reason = "prints what it did")]

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{fs, thread};

use jaunt_digest::Digest;
use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Clone, Copy)]
enum Parser {
    None,
    Python,
    Json,
}

#[derive(Deserialize)]
struct Document<'a> {
    #[serde(borrow)]
    specs: Vec<Spec<'a>>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "it is parsed, not used")]
struct Spec<'a> {
    kind: Cow<'a, str>,
    spec_ref: Cow<'a, str>,
    module: Cow<'a, str>,
    qualname: Cow<'a, str>,
    source_file: Cow<'a, str>,
    #[serde(borrow)]
    decorator_kwargs: &'a RawValue,
    #[serde(borrow)]
    dependencies: Vec<&'a str>,
    class_name: Option<&'a str>,
}

fn main() {
    let mut files = Vec::new();
    for (idx, arg) in std::env::args().skip(1).enumerate() {
        list(PathBuf::from(arg), idx == 0, &mut files);
    }
    // What takes long comes first.
    files.sort_by_key(|(_, parser)| !matches!(parser, Parser::Json));
    let next = AtomicUsize::new(0);
    let share = || {
        let mut total = 0;
        while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
            total += work(file);
        }
        total
    };
    let total: usize = thread::scope(|scope| {
        let other = scope.spawn(share);
        share() + other.join().unwrap_or(0)
    });
    println!("{} files, {total} bytes", files.len());
}

fn list(path: PathBuf, is_source: bool, files: &mut Vec<(PathBuf, Parser)>) {
    if path.is_file() {
        files.push((path, Parser::Json));
        return;
    }
    let parser = if is_source { Parser::Python } else { Parser::None };
    for entry in fs::read_dir(path).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_file()) {
            files.push((entry.path(), parser));
        }
    }
}

fn work((path, parser): &(PathBuf, Parser)) -> usize {
    let bytes = fs::read(path).expect("the file can be read");
    std::hint::black_box(Digest::of(&bytes));
    match parser {
        Parser::None => {}
        Parser::Python => {
            let text = std::str::from_utf8(&bytes).expect("sources are UTF-8");
            std::hint::black_box(ruff_python_parser::parse_module(text).is_ok());
        }
        Parser::Json => {
            let document: Document<'_> = serde_json::from_slice(&bytes).expect("it is a registry");
            std::hint::black_box(document.specs.len());
        }
    }
    bytes.len()
}
