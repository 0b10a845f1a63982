//! Command lines that cannot be followed.

use std::ffi::OsString;

use clap::CommandFactory as _;
use clap::error::{ContextKind, ContextValue, ErrorKind as ClapErrorKind};

use crate::args::{Cli, Command, Format, GenerateArgs};
use crate::error::{CommandError, CommandResult, ErrorKind};
use crate::exit::Exit;
use crate::ui;

/// Refuses flags that the Python tool has and that ask for what is not ours.
pub(crate) fn refuse_foreign_flags(cli: &Cli) -> CommandResult<()> {
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
    args: &GenerateArgs,
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

/// Checks whether a command line that clap may refuse asks for a JSON document.
pub(crate) fn wants_json(args: &[OsString]) -> bool {
    let args: Vec<&str> = args.iter().filter_map(|arg| arg.to_str()).collect();
    args.iter().any(|arg| matches!(*arg, "--json" | "--format=json"))
        || args.windows(2).any(|pair| pair == ["--format", "json"])
}

/// Suggests `--target` to whoever names a module as they would name a file.
pub(crate) fn suggest_target(mut err: clap::Error, args: &[OsString]) -> clap::Error {
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

/// Prints what clap says, and the document if one was asked for.
pub(crate) fn usage_error(err: &clap::Error, wants_json: bool) -> Exit {
    ui::print_usage(err);
    if matches!(err.kind(), ClapErrorKind::DisplayHelp | ClapErrorKind::DisplayVersion) {
        return Exit::Success;
    }
    if wants_json {
        let text = err.to_string();
        let message = text.lines().next().unwrap_or_default();
        let message = message.strip_prefix("error: ").unwrap_or(message);
        let error = CommandError::new(ErrorKind::Usage, message).hint("see `jaunt --help`");
        ui::print_document(&error.to_document());
    }
    Exit::Usage
}
