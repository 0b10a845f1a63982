//! `jaunt completions`

use clap::CommandFactory as _;

use crate::args::Cli;
use crate::error::CommandResult;
use crate::exit::Exit;
use crate::session::Session;

pub(crate) fn run(session: &Session, shell: clap_complete::Shell) -> CommandResult<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "jaunt", &mut script);
    session.ui.result(&String::from_utf8_lossy(&script));
    Ok(Exit::Success)
}
