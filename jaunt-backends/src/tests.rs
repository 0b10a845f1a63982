use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::os::unix::fs::symlink;

use insta::assert_snapshot;
use jaunt_process::StopLevel;
use tokio::sync::watch;

use crate::command::Arg;
use crate::select::command;
use crate::testing::{cart, chain, directory, generate};
use crate::*;

fn settings(name: BackendName) -> BackendSettings {
    BackendSettings::new(name, "/".into())
}

/// The backend for these settings, with these programs and `sh` in the path.
fn try_select(
    settings: &BackendSettings,
    programs: &[&str],
) -> Result<AnyBackend, BackendConfigError> {
    let (_dir, bin) = directory();
    for program in programs {
        symlink("/bin/sh", bin.join(program)).unwrap();
    }
    let path = env::join_paths([bin.as_str(), "/usr/bin", "/bin"]).unwrap();
    let templates = Templates::load(&settings.root, &BTreeMap::new()).unwrap();
    let (_run, stop) = watch::channel(StopLevel::Run);
    select(settings, templates, stop, &path)
}

/// How a known program is called.
fn command_line(settings: &BackendSettings) -> String {
    let config = command(settings).unwrap();
    assert_eq!(
        (config.request_format, config.answer_format),
        (RequestFormat::Prompt, AnswerFormat::Python)
    );
    let args = config.args.iter().map(|arg| match arg {
        Arg::Text(text) => shell_words::quote(text).into_owned(),
        Arg::System(flag) => format!("{flag} SYSTEM"),
    });
    [config.program.clone()].into_iter().chain(args).collect::<Vec<_>>().join(" ")
}

#[test]
fn the_known_programs_are_called_with_no_more_rights_than_they_need() {
    let lines = ["codex", "claude", "llm", "ollama"].map(|name| {
        let name = BackendName::ALL.into_iter().find(|it| it.as_str() == name).unwrap();
        let model = Some("some-model".to_owned());
        let short = BackendSettings { model, ..settings(name) };
        let effort = Some("high".to_owned());
        let args = vec!["--flag".to_owned(), "a b".to_owned()];
        let long = BackendSettings { reasoning_effort: effort, args, ..short.clone() };
        format!("{}\n{}", command_line(&short), command_line(&long))
    });
    assert_snapshot!(lines.join("\n"), @r#"
    codex exec --skip-git-repo-check --color never --sandbox read-only --model some-model -
    codex exec --skip-git-repo-check --color never --sandbox read-only --model some-model -c 'model_reasoning_effort="high"' --flag 'a b' -
    claude --print --output-format text --tools '' --strict-mcp-config --setting-sources user --model some-model --system-prompt SYSTEM
    claude --print --output-format text --tools '' --strict-mcp-config --setting-sources user --model some-model --effort high --flag 'a b' --system-prompt SYSTEM
    llm prompt --no-stream --model some-model --system SYSTEM
    llm prompt --no-stream --model some-model --flag 'a b' --system SYSTEM
    ollama run --nowordwrap --hidethinking some-model
    ollama run --nowordwrap --hidethinking --flag 'a b' some-model
    "#);
}

#[test]
fn every_backend_has_one_name() {
    for name in &BackendName::ALL {
        let read: BackendName = serde_json::from_value(name.as_str().into()).unwrap();
        assert_eq!(read, *name);
    }
}

#[test]
fn a_backend_that_cannot_work_says_so_before_anything_is_started() {
    let (_dir, root) = directory();
    fs::File::create_new(root.join("data")).unwrap();
    let with = |name, change: &dyn Fn(&mut BackendSettings)| {
        let mut settings = BackendSettings::new(name, root.clone());
        change(&mut settings);
        let err = try_select(&settings, &["codex"]).err().unwrap();
        format!("error: {}", chain(&err))
    };
    let command = |program: &'static str| {
        move |it: &mut BackendSettings| it.command = vec![program.to_owned()]
    };
    assert_snapshot!(
        [
            with(BackendName::Claude, &|_| ()),
            with(BackendName::Ollama, &|_| ()),
            with(BackendName::Command, &|_| ()),
            with(BackendName::Command, &command("no-such-program")),
            with(BackendName::Command, &command("./data")),
            with(BackendName::Command, &command("")),
            with(BackendName::Replay, &|_| ()),
            with(BackendName::Replay, &|it| it.store = Some("recordings".into())),
            with(BackendName::Codex, &|it| it.record = Some("no/recordings".into())),
            with(BackendName::Codex, &|it| it.env = [("PATH".to_owned(), String::new())].into()),
        ]
        .join("\n\n"),
        @"
    error: the backend `claude` needs the program `claude`, which is not in `PATH`

    error: the backend `ollama` has no model

    error: the backend `command` has no command

    error: the backend `command` needs the program `no-such-program`, which is not in `PATH`

    error: the backend `command` needs the program `./data`, which is no executable file

    error: the backend `command` has no command

    error: the backend `replay` has no store

    error: the backend `replay` cannot be used
      caused by: there is no directory `recordings` with recordings

    error: generations cannot be recorded
      caused by: cannot make `no/recordings`
      caused by: No such file or directory (os error 2)

    error: the backend `codex` needs the program `codex`, which is not in `PATH`
    "
    );
}

#[tokio::test]
async fn what_one_backend_answers_is_recorded_and_replayed_by_another() {
    let (_dir, root) = directory();
    let mut settings = BackendSettings::new(BackendName::Command, root);
    settings.command = ["sh", "-c", "echo 'Cart = total = 1'"].map(str::to_owned).into();
    settings.record = Some("recordings".into());
    let backend = try_select(&settings, &[]).unwrap();
    assert_eq!(backend.name(), "command");
    let generated = generate(&*backend.generator().backend, &cart(), 1).await.0.unwrap();
    assert!(backend.take_record_failures().is_empty());

    // With a store for the answers and another for the record, what is used can be sorted out.
    settings.name = BackendName::Replay;
    settings.store = settings.record.replace("used".into());
    let backend = try_select(&settings, &[]).unwrap();
    assert_eq!(backend.name(), "replay");
    let replayed = generate(&*backend.generator().backend, &cart(), 1).await.0.unwrap();
    assert_eq!(replayed, generated);
    let names = |dir: &str| {
        let entries = fs::read_dir(settings.root.join(dir)).unwrap();
        entries.map(|entry| entry.unwrap().file_name()).collect::<Vec<_>>()
    };
    assert_eq!(names("used"), names("recordings"));
    assert_eq!(names("used").len(), 1);
}
