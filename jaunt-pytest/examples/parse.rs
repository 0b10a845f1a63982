//! Reads recorded output of pytest and prints the result as JSON.
//!
//! ```text
//! cargo run -p jaunt-pytest --example parse -- OUTPUT.txt [--junit FILE] [--exit-code N]
//! ```
#![expect(clippy::print_stdout, reason = "it prints the result")]

use std::fs::File;
use std::io::BufReader;

use jaunt_pytest::{Doubt, TextOptions, merge, parse_junit, parse_text};

#[path = "support/flat.rs"]
mod flat;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let mut output = None;
    let mut junit = None;
    let mut options = TextOptions::default();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--junit" => junit = Some(args.next().ok_or("`--junit` needs a value")?),
            "--exit-code" => {
                options.exit_code =
                    Some(args.next().ok_or("`--exit-code` needs a value")?.parse()?);
            }
            _ => output = Some(arg),
        }
    }
    let output = output.ok_or("a file with the output of pytest is needed")?;
    let mut result = parse_text(BufReader::new(File::open(output)?), &options)?;
    if let Some(junit) = junit {
        match parse_junit(BufReader::new(File::open(&junit)?)) {
            Ok(report) => result = merge(result, report),
            // pytest may have died while it wrote.
            Err(err) => {
                result.doubts.push(Doubt::UnreadableJunit { message: format!("`{junit}`: {err}") });
            }
        }
    }
    println!("{}", serde_json::to_string_pretty(&flat::document(&result))?);
    Ok(())
}
