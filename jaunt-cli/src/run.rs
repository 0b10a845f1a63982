//! From `main` to a command and back to an exit code.

#![expect(clippy::disallowed_methods, reason = "the edge to the environment")]

use std::any::Any;
use std::borrow::Cow;
use std::env;
use std::ffi::OsString;
use std::io::{self, Write as _};
use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;

use camino::Utf8PathBuf;
use clap::error::{ContextKind, ContextValue, ErrorKind as ClapErrorKind};
use clap::{CommandFactory as _, Parser as _};
use tokio::runtime;

use crate::args::{Cli, Command, Format, RegistryCommand};
use crate::commands;
use crate::error::{CommandError, CommandResult, ErrorKind};
use crate::exit::Exit;
use crate::session::{Environment, Session};
use crate::signals::Signals;
use crate::ui::Ui;
use jaunt_text::sanitize;

/// The whole program: reads the arguments and the environment of the process, runs one command, and
/// returns its exit code.
pub fn main_impl() -> ExitCode {
    // A panic of a job is an outcome, and one of ours is reported below: neither is printed here.
    panic::set_hook(Box::new(|_| {}));
    let args: Vec<OsString> = env::args_os().collect();
    let wants_json = wants_json(&args);
    let exit = match panic::catch_unwind(AssertUnwindSafe(|| start(args))) {
        Ok(exit) => exit,
        Err(payload) => internal_error(payload.as_ref(), wants_json),
    };
    ExitCode::from(exit.code())
}

fn start(args: Vec<OsString>) -> Exit {
    let wants_json = wants_json(&args);
    let cli = match Cli::try_parse_from(&args) {
        Ok(cli) => cli,
        Err(err) => return usage_error(&suggest_target(err, &args), wants_json),
    };
    let no_color = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let ui = Ui::new(&cli.common, no_color);
    match run(cli, &ui) {
        Ok(Exit::Success) if ui.has_lost_result() => Exit::Machine,
        Ok(exit) => exit,
        Err(err) => {
            if ui.is_json() {
                ui.result(&err.to_document());
            }
            ui.error(&err);
            err.kind.exit()
        }
    }
}

fn run(cli: Cli, ui: &Ui) -> CommandResult<Exit> {
    refuse_foreign_flags(&cli)?;
    jaunt_process::adopt_orphans();
    let (signals, stop) = Signals::new();
    let session = Session { ui: ui.clone(), common: cli.common, env: environment()?, stop };
    let command = async {
        match &cli.command {
            Command::Build(args) => commands::build::run(&session, args).await,
            Command::Test(args) => commands::test::run(&session, args).await,
            Command::Status(args) => commands::status::run(&session, args, false).await,
            Command::Check(args) => commands::status::run(&session, args, true).await,
            Command::Clean(args) => commands::clean::run(&session, args).await,
            Command::Graph(args) => commands::graph::run(&session, args).await,
            Command::Registry(RegistryCommand::Export { output }) => {
                commands::registry::export(&session, output.as_deref()).await
            }
            Command::Completions { shell } => commands::completions::run(&session, *shell),
        }
    };
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|err| CommandError::of(ErrorKind::Io, &err))?;
    let result = runtime.block_on(async {
        tokio::select! {
            result = command => result,
            err = signals.listen() => Err(CommandError::of(ErrorKind::Io, &err)),
        }
    });
    // What may still run in the background belongs to a run that was abandoned.
    runtime.shutdown_background();
    jaunt_process::kill_descendants();
    result
}

/// Flags that the Python tool has and that ask for what is not ours.
fn refuse_foreign_flags(cli: &Cli) -> CommandResult<()> {
    let refuse = |flag: &str, why: &str| {
        Err(CommandError::new(ErrorKind::Usage, format!("`{flag}` is not supported: {why}"))
            .hint("the Python package's own `jaunt` command has it"))
    };
    if let Some(language) = cli.common.language.as_deref().filter(|it| *it != "py") {
        return refuse(&format!("--language {language}"), "only Python is generated");
    }
    let is_graph = matches!(cli.command, Command::Graph(_));
    if matches!(cli.common.format, Format::Dot | Format::Mermaid) && !is_graph {
        return Err(CommandError::new(
            ErrorKind::Usage,
            "`--format dot` and `--format mermaid` are for `jaunt graph`",
        ));
    }
    match &cli.command {
        Command::Build(args) => refuse_generate_flags(&args.generate, refuse),
        Command::Test(args) if args.no_redact_derived => {
            refuse("--no-redact-derived", "derived tests belong to the Python package")
        }
        Command::Test(args) => refuse_generate_flags(&args.generate, refuse),
        Command::Status(args) | Command::Check(args) if args.contracts_only => {
            refuse("--contracts-only", "contract batteries belong to the Python package")
        }
        _ => Ok(()),
    }
}

fn refuse_generate_flags(
    args: &crate::args::GenerateArgs,
    refuse: impl Fn(&str, &str) -> CommandResult<()>,
) -> CommandResult<()> {
    if args.include_target_tests {
        return refuse("--include-target-tests", "tests are no part of the prompt for code");
    }
    if args.quota_wait.is_some() {
        return refuse("--quota-wait", "waiting for a quota is the backend's business");
    }
    Ok(())
}

fn environment() -> CommandResult<Environment> {
    let cwd =
        env::current_dir().map_err(|err| CommandError::io("read", "the current folder", &err))?;
    let cwd = Utf8PathBuf::from_path_buf(cwd).map_err(|path| {
        CommandError::new(ErrorKind::Usage, format!("`{}` is not UTF-8", path.display()))
            .hint("jaunt needs paths that are UTF-8")
    })?;
    let vars = env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    Ok(Environment { cwd, vars })
}

/// Whether a command line that clap refused asked for a JSON document.
fn wants_json(args: &[OsString]) -> bool {
    let args: Vec<&str> = args.iter().filter_map(|arg| arg.to_str()).collect();
    args.iter().any(|arg| matches!(*arg, "--json" | "--format=json"))
        || args.windows(2).any(|pair| pair == ["--format", "json"])
}

/// Says how to name a module to those who name it as they would a file.
fn suggest_target(mut err: clap::Error, args: &[OsString]) -> clap::Error {
    let name = match err.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(name)) if err.kind() == ClapErrorKind::UnknownArgument => name,
        _ => return err,
    };
    let command = Cli::command();
    let subcommand = args.iter().find_map(|arg| command.find_subcommand(arg));
    let has_targets =
        subcommand.is_some_and(|it| it.get_arguments().any(|arg| arg.get_long() == Some("target")));
    if has_targets && !name.starts_with('-') {
        let tip = format!("to name a module, use '--target {name}'").into();
        err.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip]));
    }
    err
}

fn usage_error(err: &clap::Error, wants_json: bool) -> Exit {
    // clap shows what was typed as it is. A closed pipe is not worth a word.
    let text = err.to_string();
    match sanitize(&text) {
        Cow::Borrowed(_) => err.print(),
        Cow::Owned(clean) => io::stderr().write_all(clean.as_bytes()),
    }
    .ok();
    if matches!(err.kind(), ClapErrorKind::DisplayHelp | ClapErrorKind::DisplayVersion) {
        return Exit::Success;
    }
    if wants_json {
        let message = text.lines().next().unwrap_or_default();
        let message = message.strip_prefix("error: ").unwrap_or(message);
        let error = CommandError::new(ErrorKind::Usage, message).hint("see `jaunt --help`");
        print(&error.to_document());
    }
    Exit::Usage
}

/// There is no `Ui` when the arguments are wrong.
fn print(text: &str) {
    io::stdout().write_all(text.as_bytes()).ok();
}

#[expect(clippy::print_stderr, reason = "whatever went wrong, a `Ui` may be part of it")]
fn internal_error(payload: &(dyn Any + Send), wants_json: bool) -> Exit {
    let message = payload
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| payload.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    let error =
        CommandError::new(ErrorKind::Internal, format!("this is a bug in jaunt: {message}"))
            .hint("please report it with the command that you ran");
    eprintln!("error: {}", error.message);
    eprintln!("hint: {}", error.hints.join("; "));
    if wants_json {
        print(&error.to_document());
    }
    Exit::Machine
}
