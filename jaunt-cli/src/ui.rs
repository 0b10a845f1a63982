//! What people read: messages on standard error, the result on standard output.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, IsTerminal as _, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::args::{ColorChoice, CommonArgs};
use crate::error::CommandError;
use jaunt_text::sanitize;

/// The terminal, as far as commands may use it.
///
/// Text from specs, backends and files passes through [`sanitize`] here, so that no control
/// sequence of theirs reaches the terminal. A reader who has gone away (a closed pipe) is no error.
#[derive(Clone, Debug)]
pub(crate) struct Ui {
    is_quiet: bool,
    is_verbose: bool,
    is_json: bool,
    has_color: bool,
    has_lost_result: Arc<AtomicBool>,
}

#[derive(Clone, Copy)]
pub(crate) enum Tone {
    Good,
    Bad,
    Note,
    Strong,
}

impl Tone {
    fn code(self) -> &'static str {
        match self {
            Self::Good => "\x1b[1;32m",
            Self::Bad => "\x1b[1;31m",
            Self::Note => "\x1b[1;36m",
            Self::Strong => "\x1b[1m",
        }
    }
}

impl Ui {
    /// Makes the terminal that these flags ask for. `no_color` is whether the environment has `NO_COLOR`.
    pub(crate) fn new(common: &CommonArgs, no_color: bool) -> Self {
        let has_color = match common.color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => !no_color && io::stderr().is_terminal(),
        };
        Self {
            is_quiet: common.quiet,
            is_verbose: common.verbose,
            is_json: common.is_json(),
            has_color,
            has_lost_result: Arc::default(),
        }
    }

    /// Returns whether the result is one JSON document.
    pub(crate) fn is_json(&self) -> bool {
        self.is_json
    }

    pub(crate) fn is_quiet(&self) -> bool {
        self.is_quiet
    }

    /// Prints a message about what happens, unless `--quiet`.
    pub(crate) fn note(&self, message: impl fmt::Display) {
        if !self.is_quiet {
            self.line(&message.to_string());
        }
    }

    /// Prints a message for those who said `--verbose`.
    pub(crate) fn detail(&self, message: impl fmt::Display) {
        if self.is_verbose {
            self.line(&message.to_string());
        }
    }

    /// Prints a message with a colored word in front.
    pub(crate) fn labelled(&self, tone: Tone, label: &str, message: impl fmt::Display) {
        if !self.is_quiet {
            self.label(tone, label, &message.to_string());
        }
    }

    /// Prints an error, its causes and its hints. `--quiet` does not hide it.
    pub(crate) fn error(&self, err: &CommandError) {
        self.label(Tone::Bad, "error:", &err.message);
        for cause in &err.causes {
            self.label(Tone::Strong, "  caused by:", cause);
        }
        for note in &err.notes {
            self.label(Tone::Note, "note:", note);
        }
        for hint in &err.hints {
            self.label(Tone::Note, "hint:", hint);
        }
    }

    /// Prints a part of the result on standard output, as it is.
    pub(crate) fn result(&self, text: &str) {
        let mut out = io::stdout().lock();
        let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        if let Err(err) = written.as_ref()
            && err.kind() != io::ErrorKind::BrokenPipe
        {
            self.has_lost_result.store(true, Ordering::Relaxed);
            self.error(&CommandError::io("write", "standard output", err));
        }
    }

    /// Returns whether a result could not be written although somebody was there to read it.
    pub(crate) fn has_lost_result(&self) -> bool {
        self.has_lost_result.load(Ordering::Relaxed)
    }

    /// Prints a part of the result for people: nothing in JSON mode.
    pub(crate) fn summary(&self, text: impl fmt::Display) {
        if !self.is_json {
            self.result(&format!("{}\n", sanitize(&text.to_string())));
        }
    }

    fn label(&self, tone: Tone, label: &str, message: &str) {
        let message = sanitize(message);
        let text = if self.has_color {
            format!("{}{label}\x1b[0m {message}\n", tone.code())
        } else {
            format!("{label} {message}\n")
        };
        io::stderr().lock().write_all(text.as_bytes()).ok();
    }

    fn line(&self, message: &str) {
        let text = format!("{}\n", sanitize(message));
        io::stderr().lock().write_all(text.as_bytes()).ok();
    }
}

/// Prints what clap has to say: help, a version, or what is wrong with the arguments. There is no [`Ui`] then.
pub(crate) fn print_usage(err: &clap::Error) {
    // clap shows what was typed as it is. A closed pipe is not worth a word.
    match sanitize(&err.to_string()) {
        Cow::Borrowed(_) => err.print(),
        Cow::Owned(clean) => io::stderr().write_all(clean.as_bytes()),
    }
    .ok();
}

/// Prints a document although there is no [`Ui`].
pub(crate) fn print_document(text: &str) {
    io::stdout().write_all(text.as_bytes()).ok();
}

/// Prints an error although there is no [`Ui`], and its document if one was asked for.
pub(crate) fn print_plain(error: &CommandError, wants_json: bool) {
    let hints = error.hints.join("; ");
    let text = format!("error: {}\nhint: {hints}\n", sanitize(&error.message));
    io::stderr().write_all(text.as_bytes()).ok();
    if wants_json {
        print_document(&error.to_document());
    }
}
