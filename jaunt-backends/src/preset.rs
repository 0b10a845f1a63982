//! The command lines that people have, and how each takes a prompt.
//!
//! All of them read the prompt from standard input and print the answer, and nothing else, to
//! standard output. None of them gets tools to run anything or to change a file: what is wanted
//! is text, and the specs may come from somebody else.

use std::collections::BTreeMap;

use crate::command::Arg;
use crate::error::BackendConfigError;
use crate::name::BackendName;
use crate::settings::BackendSettings;

/// A program that we know.
pub(crate) struct Preset {
    pub(crate) program: &'static str,
    pub(crate) args: Vec<Arg>,
    pub(crate) env: BTreeMap<String, String>,
    /// How to get it, as an order.
    pub(crate) install: &'static str,
}

/// Returns the preset for the settings. `None` if the backend is not a program that we know.
pub(crate) fn preset(settings: &BackendSettings) -> Result<Option<Preset>, BackendConfigError> {
    let BackendSettings { model, reasoning_effort, args: extra, .. } = settings;
    let model = model.as_deref();
    let mut args = Args(Vec::new());
    let (program, install) = match settings.name {
        // https://developers.openai.com/codex/noninteractive
        BackendName::Codex => {
            args.words(["exec", "--skip-git-repo-check", "--color", "never"]);
            args.words(["--sandbox", "read-only"]);
            args.flag("--model", model);
            // The value is TOML, of which a JSON string is a part.
            let effort = reasoning_effort.as_ref().map(|it| serde_json::Value::from(it.as_str()));
            let effort = effort.map(|it| format!("model_reasoning_effort={it}"));
            args.flag("-c", effort.as_deref());
            args.words(extra.iter().map(String::as_str));
            args.words(["-"]);
            ("codex", "install it with `npm install -g @openai/codex`")
        }
        // https://code.claude.com/docs/en/cli-reference
        BackendName::Claude => {
            args.words(["--print", "--output-format", "text"]);
            // Without the project's own settings, whose hooks would run programs.
            args.words(["--tools", "", "--strict-mcp-config", "--setting-sources", "user"]);
            args.flag("--model", model);
            args.flag("--effort", reasoning_effort.as_deref());
            args.words(extra.iter().map(String::as_str));
            args.0.push(Arg::System("--system-prompt"));
            ("claude", "install it with `npm install -g @anthropic-ai/claude-code`")
        }
        // https://llm.datasette.io/en/stable/usage.html
        BackendName::Llm => {
            args.words(["prompt", "--no-stream"]);
            args.flag("--model", model);
            args.words(extra.iter().map(String::as_str));
            args.0.push(Arg::System("--system"));
            ("llm", "install it with `pipx install llm` or `uv tool install llm`")
        }
        // https://docs.ollama.com/cli
        BackendName::Ollama => {
            args.words(["run", "--nowordwrap", "--hidethinking"]);
            args.words(extra.iter().map(String::as_str));
            args.words([model.ok_or(BackendConfigError::NoModel)?]);
            ("ollama", "install it from https://ollama.com/download")
        }
        BackendName::Command | BackendName::Replay => return Ok(None),
    };
    let env = BTreeMap::from([("NO_COLOR".to_owned(), "1".to_owned())]);
    Ok(Some(Preset { program, args: args.0, env, install }))
}

struct Args(Vec<Arg>);

impl Args {
    fn words<'a>(&mut self, words: impl IntoIterator<Item = &'a str>) {
        self.0.extend(words.into_iter().map(|word| Arg::Text(word.to_owned())));
    }

    fn flag(&mut self, flag: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.words([flag, value]);
        }
    }
}
