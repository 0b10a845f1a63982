//! What writing files safely costs whoever writes them: each one to a temporary file that is synced
//! and renamed, and its folder synced, on as many threads as there are jobs.
//!
//! ```text
//! cargo run --release -p jaunt-builder --example write_floor -- FROM_DIR TO_DIR THREADS
//! ```
//!
//! Prints the milliseconds of the writing alone.
#![expect(clippy::disallowed_methods, reason = "a bare loop is what is measured")]
#![expect(clippy::print_stdout, reason = "prints what it measures")]

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::thread;
use std::time::Instant;

fn main() -> std::io::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [from, to, threads] = &args[..] else { panic!("FROM_DIR TO_DIR THREADS") };
    let threads: usize = threads.parse().expect("a number of threads");
    let mut files = Vec::new();
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            files.push((entry.file_name(), fs::read(entry.path())?));
        }
    }
    files.sort();
    fs::create_dir_all(to)?;
    let to = Path::new(to);
    let started = Instant::now();
    thread::scope(|scope| {
        for part in files.chunks(files.len().div_ceil(threads)) {
            scope.spawn(move || {
                for (name, bytes) in part {
                    let temporary = to.join(name).with_extension("tmp");
                    let mut file = File::create(&temporary).expect("a new file");
                    file.write_all(bytes).expect("room on the disk");
                    file.sync_data().expect("a disk");
                    fs::rename(&temporary, to.join(name)).expect("the same folder");
                    File::open(to).and_then(|dir| dir.sync_all()).expect("a folder");
                }
            });
        }
    });
    println!("{}", started.elapsed().as_secs_f64() * 1e3);
    Ok(())
}
