//! From `main` to a command and back to an exit code.

#![expect(clippy::disallowed_methods, reason = "the edge to the environment")]

use std::any::Any;
use std::env;
use std::ffi::OsString;
use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;

use camino::Utf8PathBuf;
use clap::Parser as _;
use tokio::runtime;

use crate::args::{Cli, Command, RegistryCommand};
use crate::commands;
use crate::error::{CommandError, CommandResult, ErrorKind};
use crate::exit::Exit;
use crate::session::{Environment, Session};
use crate::signals::Signals;
use crate::ui::{self, Ui};
use crate::usage::{refuse_foreign_flags, suggest_target, usage_error, wants_json};

/// Runs the whole program: reads the arguments and the environment of the process, runs one command, and
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

fn internal_error(payload: &(dyn Any + Send), wants_json: bool) -> Exit {
    let message = payload
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| payload.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    let error =
        CommandError::new(ErrorKind::Internal, format!("this is a bug in jaunt: {message}"))
            .hint("please report it with the command that you ran");
    // Whatever went wrong, a `Ui` may be part of it.
    ui::print_plain(&error, wants_json);
    error.kind.exit()
}
