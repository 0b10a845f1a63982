//! Any program, started once for every attempt at a module.
//!
//! It gets a request on its standard input and answers on its standard output, as the protocol
//! `jaunt.generate/1` says. Whatever a program does wrong is one failed attempt with a message,
//! within bounded time and memory.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::time::Duration;

use camino::Utf8PathBuf;
use jaunt_builder::{
    Attempt, BackendError, BoxFuture, Generation, GeneratorBackend, ModuleSpecContext,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::fence::strip_fence;
use crate::prompt::{Prompt, Templates};
use crate::report::{ending, size, with_last_words};
use jaunt_process::{Finished, Invocation, Ladder, Limits, ProcessError, Redirect, Stop, run};
use jaunt_text::{one_line, sanitize};

/// The name of the protocol, and its version.
const PROTOCOL: &str = "jaunt.generate/1";

/// How many bytes of standard error are kept for messages.
const STDERR: usize = 64 * 1024;

/// The most bytes in one argument of a program. Linux takes 128 KiB (execve(2)).
const MAX_ARG: usize = 100 * 1024;

/// What a program reads from its standard input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RequestFormat {
    /// One JSON object with the whole request, the prompt included.
    #[default]
    Json,
    /// The prompt alone.
    Prompt,
}

/// What a program prints to its standard output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AnswerFormat {
    /// Python source. A Markdown fence around it is removed.
    #[default]
    Python,
    /// One JSON object with `source`, and optionally `usage`.
    Json,
}

/// An argument of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Arg {
    /// As it is.
    Text(String),
    /// This flag, and the system prompt as its value. Then only the user's prompt goes to the
    /// standard input. A system prompt that does not fit goes there too, without the flag.
    System(&'static str),
}

/// A program, and how to talk to it.
#[derive(Clone, Debug)]
pub(crate) struct CommandConfig {
    /// A name to look for in `PATH`, or a path, which is relative to `cwd`.
    pub(crate) program: String,
    /// Its arguments.
    pub(crate) args: Vec<Arg>,
    /// The root of the project.
    pub(crate) cwd: Utf8PathBuf,
    /// Variables that are added to our own environment.
    pub(crate) env: BTreeMap<String, String>,
    /// What it reads.
    pub(crate) request_format: RequestFormat,
    /// What it prints.
    pub(crate) answer_format: AnswerFormat,
    /// The time limit of one attempt.
    pub(crate) timeout: Duration,
    /// The time between SIGTERM and SIGKILL.
    pub(crate) grace: Duration,
    /// The most bytes that it may print.
    pub(crate) max_output: usize,
    /// What to do if the program is missing, as an order.
    pub(crate) install: Option<&'static str>,
}

/// A program that generates code.
#[derive(Clone, Debug)]
pub(crate) struct CommandBackend {
    config: CommandConfig,
    templates: Templates,
    stop: Stop,
}

/// What goes in: `jaunt.generate/1`.
#[derive(Serialize)]
struct Request<'a> {
    protocol: &'static str,
    attempt: u32,
    error_context: &'a [String],
    context: &'a ModuleSpecContext,
    prompt: &'a Prompt,
}

impl CommandBackend {
    /// Returns a backend that starts `config` for every attempt, until it is asked to stop.
    pub(crate) fn new(config: CommandConfig, templates: Templates, stop: Stop) -> Self {
        Self { config, templates, stop }
    }

    /// Returns the program, its arguments and its input for one attempt.
    fn invocation(&self, ctx: &ModuleSpecContext, attempt: Attempt<'_>) -> Invocation {
        let config = &self.config;
        let Attempt { number, error_context } = attempt;
        let mut prompt = self.templates.render(ctx, error_context);
        let fits = prompt.system.len() <= MAX_ARG && !prompt.system.contains('\0');
        let mut args = Vec::new();
        let mut is_told = false;
        for arg in &config.args {
            match arg {
                Arg::Text(text) => args.push(OsString::from(text)),
                Arg::System(flag) if fits => {
                    args.extend([OsString::from(*flag), std::mem::take(&mut prompt.system).into()]);
                    is_told = true;
                }
                Arg::System(_) => {}
            }
        }
        let stdin = match config.request_format {
            RequestFormat::Prompt if is_told => prompt.user.into_bytes(),
            RequestFormat::Prompt => prompt.joined().into_bytes(),
            RequestFormat::Json => {
                let protocol = PROTOCOL;
                let request = Request {
                    protocol,
                    attempt: number,
                    error_context,
                    context: ctx,
                    prompt: &prompt,
                };
                let mut json = serde_json::to_vec(&request).expect("a request has a JSON form");
                json.push(b'\n');
                json
            }
        };
        let env = config.env.iter().map(|(name, value)| (name.into(), value.into()));
        Invocation {
            args,
            env: env.collect(),
            stdin,
            stdout: Redirect::CaptureAll { limit: config.max_output },
            stderr: Redirect::CaptureEnd { limit: STDERR },
            limits: Limits {
                time: Some(config.timeout),
                grace: config.grace,
                ladder: Ladder::Terminate,
            },
            ..Invocation::new(config.program.as_str(), config.cwd.as_path())
        }
    }

    /// Reads the answer of a program that ended by itself.
    fn read(&self, finished: Finished) -> Result<Generation, BackendError> {
        let Finished { status, stdout, stderr } = finished;
        let program = sanitize(&self.config.program);
        if !status.success() {
            let message = format!("`{program}` {}", ending(status));
            return Err(BackendError::transient(with_last_words(message, &stderr, &stdout)));
        }
        let failed = |what: String| {
            BackendError::transient(with_last_words(format!("`{program}` {what}"), &stderr, &[]))
        };
        let text = String::from_utf8(stdout).map_err(|err| {
            let at = err.utf8_error().valid_up_to();
            failed(format!("printed bytes that are not UTF-8 (the first at offset {at})"))
        })?;
        let text = jaunt_digest::strip_bom(&text);
        if text.trim().is_empty() {
            return Err(failed("printed nothing".to_owned()));
        }
        let (source, usage) = match self.config.answer_format {
            AnswerFormat::Python => (text.to_owned(), None),
            AnswerFormat::Json => {
                let answer = serde_json::from_str(text)
                    .map_err(|err| failed(format!("printed something that is not JSON: {err}")))?;
                split_answer(answer).ok_or_else(|| {
                    failed("printed JSON that is no object with a text `source`".to_owned())
                })?
            }
        };
        let source = strip_fence(&source);
        if source.trim().is_empty() {
            return Err(failed("answered with no code".to_owned()));
        }
        Ok(Generation { source: source.to_owned(), usage })
    }

    /// Returns the error for a program that did not end by itself.
    fn explain(&self, err: ProcessError) -> BackendError {
        let program = sanitize(&self.config.program);
        match err {
            ProcessError::Stopped => BackendError::interrupted(),
            ProcessError::TimedOut { limit, stderr, .. } => {
                let limit = limit.as_secs_f64();
                let message =
                    format!("`{program}` timed out after {limit} s (`--timeout` sets the limit)");
                BackendError::fatal(with_last_words(message, &stderr, &[]))
            }
            ProcessError::Flooded { limit, stderr, .. } => {
                let limit = size(limit);
                let message = format!(
                    "`{program}` printed more than {limit} (`--max-output` sets the limit)"
                );
                BackendError::fatal(with_last_words(message, &stderr, &[]))
            }
            err @ (ProcessError::Start { .. } | ProcessError::Wait { .. }) => {
                let install = self.config.install.map(|it| format!("; {it}"));
                BackendError::fatal(one_line(&err) + &install.unwrap_or_default())
            }
        }
    }
}

/// Returns the source in an answer in JSON, and its usage. Other keys are ignored.
fn split_answer(answer: Value) -> Option<(String, Option<Value>)> {
    let Value::Object(mut answer) = answer else { return None };
    let usage = answer.remove("usage").filter(|usage| !usage.is_null());
    match answer.remove("source") {
        Some(Value::String(source)) => Some((source, usage)),
        _ => None,
    }
}

impl GeneratorBackend for CommandBackend {
    fn generate<'a>(
        &'a self,
        ctx: &'a ModuleSpecContext,
        attempt: Attempt<'a>,
    ) -> BoxFuture<'a, Result<Generation, BackendError>> {
        Box::pin(async move {
            let invocation = self.invocation(ctx, attempt);
            match run(&invocation, &self.stop).await {
                Ok(finished) => self.read(finished),
                Err(err) => Err(self.explain(err)),
            }
        })
    }
}

#[cfg(test)]
mod tests;
