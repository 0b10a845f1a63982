//! The exporter: asks the installed `jaunt` package of the project for its registry.
//!
//! The work is done by `exporter/export.py`, which is embedded here, run with the project's
//! interpreter, and says at its top what goes in and what comes out.

mod cache;
mod script;

use std::io::Write as _;
use std::time::Duration;

use jaunt_digest::{Registry, RegistryError};
use jaunt_process::{Finished, Invocation, Ladder, Limits, ProcessError, Redirect};
use jaunt_text::last_lines;
use serde::Deserialize;
use serde_json::json;

use crate::engine::Engine;
use crate::error::{EngineError, ExportError, ExportRefusal};
use crate::exporter::script::SCRIPT;
use crate::notice::Notice;

const LIMITS: Limits = Limits {
    // Importing a large project takes a while; one that never ends is ended some time.
    time: Some(Duration::from_secs(30 * 60)),
    grace: Duration::from_secs(2),
    ladder: Ladder::Terminate,
};

/// The failure that the script reports.
#[derive(Deserialize)]
struct Failure {
    error: ExportRefusal,
}

impl Engine {
    /// Asks the installed Python package for the registry document, and makes sure that it can be read here.
    ///
    /// # Errors
    ///
    /// If there is no such package, it refuses, or its answer is no registry document.
    pub async fn export_registry(&self) -> Result<String, EngineError> {
        let document = self.run_exporter().await?;
        Registry::from_json(document.as_bytes())
            .map_err(|source: RegistryError| EngineError::ExportedRegistry { source })?;
        Ok(document)
    }

    /// Returns the registry of the last export while nothing that it depends on has changed, else a new one.
    pub(crate) async fn cached_export(&self) -> Result<String, EngineError> {
        let fingerprint = cache::fingerprint(self);
        if let Some(text) = cache::read(self.root(), &fingerprint) {
            self.notice(Notice::RegistryCached);
            return Ok(text);
        }
        self.notice(Notice::RegistryExporting { python: self.python() });
        let text = self.run_exporter().await?;
        // Without a cache the next run exports again, which is no reason to fail this one.
        cache::write(self.root(), &fingerprint, &text).ok();
        Ok(text)
    }

    async fn run_exporter(&self) -> Result<String, EngineError> {
        let script = script_file().map_err(|source| ExportError::Script { source })?;
        let invocation = Invocation {
            args: vec![script.path().into()],
            stdin: self.exporter_settings().into_bytes(),
            stdout: Redirect::CaptureAll { limit: 1 << 30 },
            limits: LIMITS,
            ..Invocation::new(self.python().as_str(), self.root())
        };
        let done = match jaunt_process::run(&invocation, &self.options.stop).await {
            Ok(done) => done,
            Err(ProcessError::Stopped) => return Err(EngineError::Stopped),
            Err(source) => {
                let python = self.python().to_owned();
                return Err(ExportError::Interpreter { python, source }.into());
            }
        };
        let printed = String::from_utf8_lossy(&done.stderr);
        if !printed.trim().is_empty() {
            self.notice(Notice::ExporterOutput { text: printed.trim_end() });
        }
        Ok(read_answer(&done)?)
    }

    /// Returns what the script reads from its standard input.
    fn exporter_settings(&self) -> String {
        let config = &self.config;
        let infer = |own: Option<bool>| if self.options.infer_deps { own } else { Some(false) };
        let settings = json!({
            "root": self.root(),
            "config": self.root().join(&self.config_file),
            "source_roots": config.source_roots,
            "test_roots": config.test_roots,
            "generated_dir": config.generated_dir,
            "infer_deps": infer(config.infer_deps),
            "test_infer_deps": infer(config.test_infer_deps),
        });
        settings.to_string()
    }
}

/// Finds the document, or the failure, on the last line of what was printed.
fn read_answer(done: &Finished) -> Result<String, ExportError> {
    let text = String::from_utf8_lossy(&done.stdout);
    let document = text.trim_end().rsplit('\n').next().unwrap_or_default();
    if done.status.success() && !document.is_empty() {
        return Ok(format!("{document}\n"));
    }
    match serde_json::from_str::<Failure>(document) {
        Ok(failure) => Err(ExportError::Refused(Box::new(failure.error))),
        Err(_) => Err(ExportError::NoResult {
            status: done.status,
            last_lines: last_lines(&String::from_utf8_lossy(&done.stderr), 5, 200),
        }),
    }
}

fn script_file() -> std::io::Result<tempfile::NamedTempFile> {
    let mut file = tempfile::Builder::new().prefix("jaunt-export-").suffix(".py").tempfile()?;
    file.write_all(SCRIPT.as_bytes())?;
    Ok(file)
}
