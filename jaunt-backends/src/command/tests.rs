use std::fs;
use std::sync::atomic::{AtomicU32, Ordering};

use insta::assert_snapshot;
use jaunt_builder::{Attempts, Problem, check, generate_with_retry};
use tokio::sync::watch;

use super::*;
use crate::testing::{cart, directory, generate};
use jaunt_process::StopLevel;

/// A Python program as a backend, in a directory of its own.
struct Program {
    _dir: tempfile::TempDir,
    config: CommandConfig,
}

impl Program {
    fn python(source: &str) -> Self {
        let (dir, cwd) = directory();
        let args = ["-c", source].map(|arg| Arg::Text(arg.to_owned()));
        let config = CommandConfig {
            program: "python3".to_owned(),
            args: args.into(),
            cwd,
            env: BTreeMap::new(),
            request_format: RequestFormat::Json,
            answer_format: AnswerFormat::Python,
            timeout: Duration::from_secs(300),
            grace: Duration::from_secs(300),
            max_output: 1 << 20,
            install: None,
        };
        Self { _dir: dir, config }
    }

    fn with(mut self, change: impl FnOnce(&mut CommandConfig)) -> Self {
        change(&mut self.config);
        self
    }

    fn backend(&self, stop: Stop) -> CommandBackend {
        let templates = Templates::load(&self.config.cwd, &BTreeMap::new()).unwrap();
        CommandBackend::new(self.config.clone(), templates, stop)
    }

    async fn answer_to(&self, ctx: &ModuleSpecContext) -> Result<Generation, BackendError> {
        let (_run, stop) = watch::channel(StopLevel::Run);
        self.backend(stop).generate(ctx, Attempt::FIRST).await
    }

    async fn answer(&self) -> Result<Generation, BackendError> {
        self.answer_to(&cart()).await
    }

    async fn source(&self) -> String {
        self.answer().await.unwrap().source
    }

    async fn failure(&self) -> BackendError {
        self.answer().await.unwrap_err()
    }
}

/// The failure of a program, in one text.
async fn failure(source: &str) -> String {
    let BackendError { kind, message } = Program::python(source).failure().await;
    format!("{kind:?}: {message}")
}

#[tokio::test]
async fn the_request_is_the_protocol() {
    let program =
        Program::python("import sys; open('request', 'wb').write(sys.stdin.buffer.read())");
    let (_run, stop) = watch::channel(StopLevel::Run);
    let error_context = &["SyntaxError: invalid syntax (line 3)".to_owned()];
    let attempt = Attempt { number: 2, error_context };
    program.backend(stop).generate(&cart(), attempt).await.unwrap_err();
    let request = fs::read_to_string(program.config.cwd.join("request")).unwrap();
    assert!(request.ends_with("}\n") && request.lines().count() == 1);
    assert!(request.starts_with(r#"{"protocol":"jaunt.generate/1","attempt":2,"error_context":"#));

    let mut request: serde_json::Value = serde_json::from_str(&request).unwrap();
    let prompt = request.as_object_mut().unwrap().remove("prompt").unwrap();
    assert!(prompt["system"].as_str().unwrap().contains("`shop.__generated__.cart`"));
    assert!(prompt["user"].as_str().unwrap().contains("SyntaxError: invalid syntax (line 3)"));
    assert_eq!(prompt.as_object().unwrap().len(), 2);
    assert_snapshot!(serde_json::to_string_pretty(&request).unwrap());
}

#[tokio::test]
async fn a_request_for_a_prompt_is_only_the_prompt() {
    let echo = Program::python("import sys; print(sys.argv[1:], sys.stdin.read(), sep='\\n')")
        .with(|it| it.request_format = RequestFormat::Prompt);
    let text = echo.source().await;
    assert!(text.starts_with("[]\nYou implement Python specs."), "{text}");
    assert!(text.contains("Write the module `shop.__generated__.cart`."));
}

#[tokio::test]
async fn a_system_prompt_that_fits_is_an_argument() {
    let echo = Program::python("import sys; print(len(sys.argv), sys.argv[1:2], sys.stdin.read())")
        .with(|it| {
            it.request_format = RequestFormat::Prompt;
            it.args.push(Arg::System("--system"));
        });
    let text = echo.source().await;
    assert!(text.starts_with("3 ['--system'] Write the module"), "{text}");

    let large = ModuleSpecContext { expected_names: vec!["x".repeat(MAX_ARG)], ..cart() };
    let text = echo.answer_to(&large).await.unwrap().source;
    assert!(text.starts_with("1 [] You implement Python specs."), "{text:.50}");
}

#[tokio::test]
async fn an_answer_is_source_without_what_is_around_it() {
    for (answer, source) in [
        ("total = 1\n", "total = 1\n"),
        ("```python\ntotal = 1\n```\n", "total = 1\n"),
        ("Here:\n\n```py\ntotal = 1\n```\n\nDone.", "total = 1\n"),
        ("\u{feff}total = 1\r\n", "total = 1\r\n"),
    ] {
        let echo = Program::python("import sys; sys.stdout.buffer.write(sys.argv[1].encode())")
            .with(|it| it.args.push(Arg::Text(answer.to_owned())));
        assert_eq!(echo.source().await, source);
    }
}

#[tokio::test]
async fn an_answer_in_json_has_a_source_and_what_it_cost() {
    let print = |answer: &str| {
        Program::python("import sys; print(sys.argv[1])").with(|it| {
            it.answer_format = AnswerFormat::Json;
            it.args.push(Arg::Text(answer.to_owned()));
        })
    };
    let answer = print(r#"{"source": "```\nx = 1\n```", "usage": {"tokens": 7}, "model": "m"}"#);
    let usage = Some(serde_json::json!({"tokens": 7}));
    assert_eq!(answer.answer().await, Ok(Generation { source: "x = 1\n".to_owned(), usage }));

    let mut failures = Vec::new();
    let deep = "[".repeat(100_000);
    for answer in ["x = 1", "{}", r#"{"source": 1}"#, r#"{"source": " \n"}"#, r#"["x", 1]"#, &deep]
    {
        failures.push(print(answer).failure().await.message);
    }
    assert_snapshot!(failures.join("\n"), @"
    `python3` printed something that is not JSON: expected value at line 1 column 1
    `python3` printed JSON that is no object with a text `source`
    `python3` printed JSON that is no object with a text `source`
    `python3` answered with no code
    `python3` printed JSON that is no object with a text `source`
    `python3` printed something that is not JSON: recursion limit exceeded at line 1 column 128
    ");
}

#[tokio::test]
async fn a_failure_says_how_it_ended_and_what_it_said_last() {
    assert_snapshot!(
        [
            failure("import sys; sys.exit(3)").await,
            failure("import sys; sys.exit('\\x1b[31mno credit\\x1b[0m\\a')").await,
            failure("import sys; [print(n, file=sys.stderr) for n in range(99)]; sys.exit(1)").await,
            failure("import sys; print('not logged in'); sys.exit(1)").await,
            failure("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)").await,
            failure("import os; os.kill(os.getpid(), 40)").await,
        ]
        .join("\n"),
        @r"
    Transient: `python3` exited with code 3
    Transient: `python3` exited with code 1; the end of its standard error:
      | no credit\u{7}
    Transient: `python3` exited with code 1; the end of its standard error:
      | 89
      | 90
      | 91
      | 92
      | 93
      | 94
      | 95
      | 96
      | 97
      | 98
    Transient: `python3` exited with code 1; the end of its standard output:
      | not logged in
    Transient: `python3` was killed by SIGSEGV (signal 11)
    Transient: `python3` was killed by signal 40
    "
    );
}

// Backends from hell.

#[tokio::test]
async fn one_that_prints_nothing_is_a_failed_attempt() {
    assert_snapshot!(
        [
            failure("").await,
            failure("print('\\n \\n')").await,
            failure("print('```\\n```')").await,
            failure("import sys; print('model overloaded', file=sys.stderr)").await,
        ]
        .join("\n"),
        @"
    Transient: `python3` printed nothing
    Transient: `python3` printed nothing
    Transient: `python3` answered with no code
    Transient: `python3` printed nothing; the end of its standard error:
      | model overloaded
    "
    );
}

#[tokio::test]
async fn one_that_never_answers_meets_the_time_limit() {
    let program = Program::python("import time; time.sleep(1000)")
        .with(|it| it.timeout = Duration::from_millis(50));
    let err = program.failure().await;
    assert_eq!(
        err,
        BackendError::fatal("`python3` timed out after 0.05 s (`--timeout` sets the limit)")
    );
}

#[tokio::test]
async fn one_that_floods_its_output_is_stopped_at_the_limit() {
    for (limit, shown) in [(100, "100 bytes"), (64 << 10, "64 KiB"), (3 << 20, "3 MiB")] {
        let program = Program::python("import sys\nwhile True: sys.stdout.write('x' * 65536)")
            .with(|it| it.max_output = limit);
        let err = program.failure().await;
        let message =
            format!("`python3` printed more than {shown} (`--max-output` sets the limit)");
        assert_eq!(err, BackendError::fatal(message));
    }
}

#[tokio::test]
async fn one_that_floods_its_errors_and_answers_has_answered() {
    let program = Program::python("import os; os.write(2, b'x' * 9999999); print('total = 1')");
    assert_eq!(program.source().await, "total = 1\n");
}

#[tokio::test]
async fn one_that_does_not_read_has_answered_too() {
    let mut large = cart();
    large.spec_sources.first_entry().unwrap().get_mut().push_str(&"#".repeat(1 << 20));
    let program = Program::python("import os; os.close(0); print('total = 1')");
    assert_eq!(program.answer_to(&large).await.unwrap().source, "total = 1\n");
}

#[tokio::test]
async fn one_that_leaves_a_child_with_its_output_open_has_answered() {
    let program = Program::python(
        "import os, time\nif os.fork() == 0: time.sleep(1000)\nelse: print('total = 1')",
    );
    assert_eq!(program.source().await, "total = 1\n");
}

#[tokio::test]
async fn one_that_prints_bytes_that_are_not_text_is_a_failed_attempt() {
    let err = failure("import os; os.write(1, b'x = 1\\n\\xff\\xfe')").await;
    assert_eq!(
        err,
        "Transient: `python3` printed bytes that are not UTF-8 (the first at offset 6)"
    );
}

/// What is wrong with a module that a program prints, after all attempts.
async fn problems(source: &str, max_output: usize) -> Vec<Problem> {
    let program = Program::python(source).with(|it| it.max_output = max_output);
    let (_run, stop) = watch::channel(StopLevel::Run);
    let (generated, attempts) = generate(&program.backend(stop), &cart(), 2).await;
    assert_eq!(attempts, 2);
    generated.unwrap_err()
}

#[tokio::test]
async fn one_that_prints_nul_bytes_is_a_syntax_error() {
    let problems = problems("print('Cart = total = 1\\0')", 1 << 20).await;
    assert!(matches!(&*problems, [Problem::Syntax(_)]), "{problems:?}");
}

#[tokio::test]
async fn one_that_redefines_what_it_should_not_is_told_so() {
    let source = "print('class Cart: ...\\nclass Price: ...\\ndef total(): ...\\ntotal = None')";
    let problems: Vec<String> =
        problems(source, 1 << 20).await.iter().map(Problem::to_string).collect();
    assert_eq!(
        problems,
        [
            "`total` (line 3) is redefined or deleted on line 4",
            "`Price` is defined on line 2 instead of imported from `shop.price`",
        ]
    );
}

#[tokio::test]
async fn one_that_nests_without_end_is_a_syntax_error() {
    for (open, close) in [("(", ")"), ("[", "]"), ("{1:", "}"), ("-", "1"), ("f(", ")")] {
        let source = format!("print('Cart = total = ' + '{open}' * 100_000 + '{close}' * 100_000)");
        let problems = problems(&source, 1 << 20).await;
        assert!(matches!(&*problems, [Problem::Syntax(_)]), "{open}: {problems:?}");
    }
}

#[tokio::test]
async fn one_that_prints_a_module_of_50_megabytes_is_heard_if_that_is_allowed() {
    let source = "import sys; sys.stdout.write('Cart = total = 1\\n' + '#' * 50_000_000)";
    let program = Program::python(source);
    assert!(program.failure().await.message.starts_with("`python3` printed more than 1 MiB"));
    let module = program.with(|it| it.max_output = 64 << 20).source().await;
    assert_eq!((module.len(), check(&module, &cart())), (50_000_017, vec![]));
}

#[tokio::test]
async fn one_that_dies_is_tried_again_and_told() {
    let program = Program::python(
        "import json, os, sys
request = json.load(sys.stdin)
if request['attempt'] == 1:
    os.abort()
print('Cart = total =', request['error_context'])",
    );
    let (_run, stop) = watch::channel(StopLevel::Run);
    let (generated, attempts) = generate(&program.backend(stop), &cart(), 2).await;
    assert_eq!(
        generated.unwrap().source,
        "Cart = total = ['`python3` was killed by SIGABRT (signal 6)']\n"
    );
    assert_eq!(attempts, 2);
}

#[tokio::test]
async fn one_that_cannot_be_started_is_a_failure_that_says_what_to_do() {
    let missing = |name: &'static str| {
        Program::python("").with(|it| {
            it.program = name.to_owned();
            it.install = Some("install it with `npm install -g @openai/codex`");
        })
    };
    assert_eq!(
        missing("no-such-program").failure().await,
        BackendError::fatal(
            "cannot start `no-such-program`: No such file or directory (os error 2); install it \
             with `npm install -g @openai/codex`"
        )
    );
}

#[tokio::test]
async fn one_that_is_stopped_is_interrupted_and_not_tried_again() {
    let program = Program::python("import time; time.sleep(1000)");
    let (stop, stopped) = watch::channel(StopLevel::Run);
    let backend = program.backend(stopped);
    let n_attempts = AtomicU32::new(0);
    let on_attempt = |_: Attempt<'_>| {
        n_attempts.fetch_add(1, Ordering::Relaxed);
        stop.send_replace(StopLevel::Kill);
    };
    let ctx = cart();
    let generated = generate_with_retry(&backend, &ctx, Attempts::at_most(5), on_attempt).await;
    assert_eq!(generated, Err(vec![Problem::Interrupted]));
    assert_eq!(n_attempts.into_inner(), 1);
}
