//! What reading a project costs whoever reads it: every source file read, parsed and hashed, and
//! every other file named read and hashed, on two threads.
//!
//! ```text
//! cargo run --release -p jaunt-builder --example cold_floor -- SOURCES_DIR [FILE_OR_DIR…]
//! ```
#![expect(clippy::print_stdout, reason = "prints what it did")]

use std::fs;
use std::path::PathBuf;
use std::thread;

use jaunt_digest::Digest;

fn main() {
    let mut files = Vec::new();
    for (idx, arg) in std::env::args().skip(1).enumerate() {
        list(PathBuf::from(arg), idx == 0, &mut files);
    }
    let half = files.len().div_ceil(2);
    let total: usize = thread::scope(|scope| {
        let workers: Vec<_> = files
            .chunks(half)
            .map(|part| scope.spawn(move || part.iter().map(work).sum()))
            .collect();
        workers.into_iter().map(|it| it.join().unwrap_or(0)).sum::<usize>()
    });
    println!("{} files, {total} bytes", files.len());
}

fn list(path: PathBuf, parse: bool, files: &mut Vec<(PathBuf, bool)>) {
    if path.is_file() {
        files.push((path, parse));
        return;
    }
    for entry in fs::read_dir(path).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_file()) {
            files.push((entry.path(), parse));
        }
    }
}

fn work((path, parse): &(PathBuf, bool)) -> usize {
    let bytes = fs::read(path).expect("the file can be read");
    std::hint::black_box(Digest::of(&bytes));
    if *parse {
        let text = std::str::from_utf8(&bytes).expect("sources are UTF-8");
        std::hint::black_box(ruff_python_parser::parse_module(text).is_ok());
    }
    bytes.len()
}
