//! Any program, started once for every attempt at a module.
//!
//! It gets a request on its standard input and answers on its standard output, as the protocol
//! `jaunt.generate/1` says. A program that can do anything can do anything wrong; whatever it is,
//! it is one failed attempt with a message, within bounded time and memory.

use std::collections::BTreeMap;
use std::time::Duration;

use camino::Utf8PathBuf;
use jaunt_builder::{
    Attempt, BackendError, BoxFuture, Generation, GeneratorBackend, ModuleSpecContext,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::fence::strip_fence;
use crate::prompt::{Prompt, Templates};
use crate::report::{ending, size, with_causes, with_last_words};
use jaunt_process::{Finished, Invocation, Limits, ProcessError, Stop, run};
use jaunt_text::sanitize;

/// The name of the protocol, and its version.
const PROTOCOL: &str = "jaunt.generate/1";

/// Bytes of standard error that are kept to be shown.
const STDERR: usize = 64 * 1024;

/// Bytes that fit into one argument of a program. Linux takes 128 KiB (execve(2)).
const MAX_ARG: usize = 100 * 1024;

/// What a program gets on its standard input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Input {
    /// One JSON object with everything, the prompt included.
    #[default]
    Json,
    /// The prompt alone.
    Prompt,
}

/// What a program gives on its standard output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Output {
    /// Python source. A Markdown fence around it is taken off.
    #[default]
    Python,
    /// One JSON object with `source`, and `usage` if it likes.
    Json,
}

/// An argument of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arg {
    /// As it is.
    Text(String),
    /// This flag, and the system prompt as its value. Then only the user's prompt goes to the
    /// standard input. A system prompt that does not fit goes there too, without the flag.
    System(&'static str),
}

/// A program, and how to talk to it.
#[derive(Clone, Debug)]
pub struct CommandConfig {
    /// A name to look for in `PATH`, or a path, which is relative to `cwd`.
    pub program: String,
    pub args: Vec<Arg>,
    /// The root of the project.
    pub cwd: Utf8PathBuf,
    /// What is added to our own environment.
    pub env: BTreeMap<String, String>,
    pub input: Input,
    pub output: Output,
    /// For one attempt.
    pub timeout: Duration,
    /// Between SIGTERM and SIGKILL.
    pub grace: Duration,
    /// Bytes of standard output.
    pub max_output: usize,
    /// What to do if the program is missing, as an order.
    pub install: Option<&'static str>,
}

/// A program that generates code.
#[derive(Clone, Debug)]
pub struct CommandBackend {
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
    /// Starts `config` for every attempt, until it is told to stop.
    pub fn new(config: CommandConfig, templates: Templates, stop: Stop) -> Self {
        Self { config, templates, stop }
    }

    /// The program, its arguments and its input for one attempt.
    fn invocation(&self, ctx: &ModuleSpecContext, attempt: Attempt<'_>) -> Invocation {
        let config = &self.config;
        let Attempt { number, error_context } = attempt;
        let mut prompt = self.templates.render(ctx, error_context);
        let fits = prompt.system.len() <= MAX_ARG && !prompt.system.contains('\0');
        let mut args = Vec::new();
        let mut is_told = false;
        for arg in &config.args {
            match arg {
                Arg::Text(text) => args.push(text.clone()),
                Arg::System(flag) if fits => {
                    args.extend([(*flag).to_owned(), std::mem::take(&mut prompt.system)]);
                    is_told = true;
                }
                Arg::System(_) => {}
            }
        }
        let stdin = match config.input {
            Input::Prompt if is_told => prompt.user.into_bytes(),
            Input::Prompt => prompt.joined().into_bytes(),
            Input::Json => {
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
        Invocation {
            program: config.program.clone(),
            args,
            cwd: config.cwd.clone(),
            env: config.env.clone(),
            stdin,
            limits: Limits {
                time: config.timeout,
                grace: config.grace,
                stdout: config.max_output,
                stderr: STDERR,
            },
        }
    }

    /// What a program that ended by itself has answered.
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
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        if text.trim().is_empty() {
            return Err(failed("printed nothing".to_owned()));
        }
        let (source, usage) = match self.config.output {
            Output::Python => (text.to_owned(), None),
            Output::Json => {
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

    /// What a program that did not end by itself means for the module.
    fn explain(&self, err: ProcessError) -> BackendError {
        let program = sanitize(&self.config.program);
        match err {
            ProcessError::Stopped => BackendError::interrupted(),
            ProcessError::TimedOut { limit, stderr, .. } => {
                let limit = limit.as_secs_f64();
                let message = format!(
                    "`{program}` gave no answer within {limit} s (`--timeout` sets the limit)"
                );
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
                BackendError::fatal(with_causes(&err) + &install.unwrap_or_default())
            }
        }
    }
}

/// The source in an answer in JSON, and what it cost. Other keys are the program's own affair.
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
