//! The names of the backends.

use std::fmt::{self, Display};

use serde::Deserialize;

/// The backends that ship.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BackendName {
    /// A program of the user's.
    Command,
    /// Recorded generations.
    Replay,
    /// `codex exec`.
    #[default]
    Codex,
    /// `claude --print`.
    Claude,
    /// `llm prompt`.
    Llm,
    /// `ollama run`.
    Ollama,
}

impl BackendName {
    /// Every backend, in the order in which they are listed.
    pub const ALL: [Self; 6] =
        [Self::Command, Self::Replay, Self::Codex, Self::Claude, Self::Llm, Self::Ollama];

    /// Returns what it is, in a few words.
    pub fn summary(self) -> &'static str {
        match self {
            Self::Command => "Any program that speaks `jaunt.generate/1`, or takes a prompt",
            Self::Replay => "Recorded generations",
            Self::Codex => "OpenAI's `codex exec`",
            Self::Claude => "Anthropic's `claude --print`",
            Self::Llm => "Simon Willison's `llm`",
            Self::Ollama => "`ollama run`, with a model on this machine",
        }
    }

    /// Returns its name in settings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Command => "command",
            Self::Replay => "replay",
            Self::Codex => "codex",
            Self::Claude => "claude",
            Self::Llm => "llm",
            Self::Ollama => "ollama",
        }
    }
}

impl Display for BackendName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
