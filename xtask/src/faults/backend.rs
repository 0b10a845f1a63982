//! The backend of the campaigns: this program, called by `jaunt` once for each module.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde_json::Value;

use crate::faults::lab::{GO, LOG, PAUSE, WAITING};

/// Answers one request of `jaunt.generate/1`.
///
/// Every call adds a line to the log. The code is a function of the whole context, so a module that was
/// generated against old code of another one has the wrong bytes.
pub(crate) fn run() -> anyhow::Result<()> {
    let mut input = String::new();
    std::io::stdin().read_to_string(&mut input)?;
    let request: Value = serde_json::from_str(&input)?;
    let context = &request["context"];
    let module = context["spec_module"].as_str().context("a request names its module")?;
    File::options()
        .append(true)
        .create(true)
        .open(LOG)?
        .write_all(format!("{module}\n").as_bytes())?;

    let digest = fnv(context.to_string().as_bytes());
    if fs::read_to_string(PAUSE).is_ok_and(|paused| paused.trim() == module) {
        fs::write(WAITING, "")?;
        // The campaign may have died, so the backend does not wait for ever.
        let deadline = Instant::now() + Duration::from_secs(60);
        while !Path::new(GO).exists() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(1));
        }
    } else {
        thread::sleep(Duration::from_micros(digest % 4000));
    }
    let names = context["expected_names"].as_array().context("a request has expected names")?;
    let names = names.iter().filter_map(Value::as_str);
    let mut code: String =
        names.map(|name| format!("def {name}():\n    return {digest}\n")).collect();
    // Often longer than a page, so that a file can be cut off inside one.
    code.extend((0..digest % 2000).map(|line| format!("# {line}\n")));
    std::io::stdout().write_all(code.as_bytes())?;
    Ok(())
}

/// Computes FNV-1a, which is good enough to tell texts apart.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
