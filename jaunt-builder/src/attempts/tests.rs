use std::collections::BTreeMap;
use std::future::ready;
use std::pin::pin;
use std::sync::{Mutex, mpsc};

use jaunt_digest::Kind;

use super::*;
use crate::backend::BoxFuture;

/// The number of an attempt, and what it was told.
type Told = (u32, Vec<String>);

/// Gives these answers one after the other, and notes the attempts.
struct Scripted {
    answers: Mutex<Vec<Result<String, BackendError>>>,
    attempts: Mutex<Vec<Told>>,
}

impl Scripted {
    fn new(answers: impl IntoIterator<Item = Result<String, BackendError>>) -> Self {
        let answers = Mutex::new(answers.into_iter().collect());
        Self { answers, attempts: Mutex::default() }
    }
}

impl GeneratorBackend for Scripted {
    fn generate<'a>(
        &'a self,
        _ctx: &'a ModuleSpecContext,
        attempt: Attempt<'a>,
    ) -> BoxFuture<'a, Result<Generation, BackendError>> {
        let error_context = attempt.error_context.to_vec();
        self.attempts.lock().unwrap().push((attempt.number, error_context));
        let answer = self.answers.lock().unwrap().remove(0);
        Box::pin(ready(answer.map(|source| Generation { source, usage: None })))
    }
}

fn source(text: &str) -> Result<String, BackendError> {
    Ok(text.to_owned())
}

fn context() -> ModuleSpecContext {
    ModuleSpecContext {
        kind: Kind::Build,
        spec_module: "app.a".parse().unwrap(),
        generated_module: "app.__generated__.a".parse().unwrap(),
        expected_names: vec!["f".to_owned()],
        spec_sources: BTreeMap::new(),
        decorator_prompts: BTreeMap::new(),
        dependency_apis: BTreeMap::new(),
        dependency_generated_modules: BTreeMap::new(),
    }
}

/// Runs a script. Returns the source or the problems, and what each attempt was told.
fn run(
    max: u32,
    answers: impl IntoIterator<Item = Result<String, BackendError>>,
) -> (Result<String, Vec<Problem>>, Vec<Told>) {
    let backend = Scripted::new(answers);
    let told = Mutex::new(Vec::new());
    let on_attempt = |attempt: Attempt<'_>| {
        told.lock().unwrap().push((attempt.number, attempt.error_context.to_vec()));
    };
    let (ctx, attempts) = (context(), Attempts::at_most(max));
    let generated = generate_with_retry(&backend, &ctx, attempts, on_attempt);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let generated = runtime.block_on(generated).map(|generation| generation.source);
    let attempts = backend.attempts.into_inner().unwrap();
    assert_eq!(told.into_inner().unwrap(), attempts);
    (generated, attempts)
}

#[test]
fn an_answer_that_passes_ends_it() {
    let (generated, attempts) = run(3, [source("f = 1\n")]);
    assert_eq!(generated, source("f = 1\n").map_err(|_| Vec::new()));
    assert_eq!(attempts, [(1, vec![])]);
}

#[test]
fn every_attempt_is_told_what_was_wrong_with_the_last() {
    let answers = [source("g = 1\n"), Err(BackendError::transient("busy")), source("f = 1\n")];
    let (generated, attempts) = run(3, answers);
    assert!(generated.is_ok());
    let missing = vec!["Missing top-level definition: f".to_owned()];
    assert_eq!(attempts, [(1, vec![]), (2, missing), (3, vec!["busy".to_owned()])]);
}

#[test]
fn the_last_attempt_decides_and_none_follows() {
    let answers = [Err(BackendError::transient("busy")), source("g = 1\n"), source("f = 1\n")];
    let (generated, attempts) = run(2, answers);
    assert_eq!(generated, Err(vec![Problem::MissingName("f".to_owned())]));
    assert_eq!(attempts.len(), 2);
}

#[test]
fn no_attempts_count_as_one() {
    let (generated, attempts) = run(0, [Err(BackendError::transient("busy")), source("f = 1\n")]);
    assert_eq!(generated, Err(vec![Problem::Backend("busy".to_owned())]));
    assert_eq!(attempts.len(), 1);
}

#[test]
fn after_a_fatal_error_and_an_interruption_nothing_is_tried_again() {
    for (err, problem) in [
        (BackendError::fatal("no program"), Problem::Backend("no program".to_owned())),
        (BackendError::interrupted(), Problem::Interrupted),
    ] {
        let (generated, attempts) = run(5, [Err(err), source("f = 1\n")]);
        assert_eq!(generated, Err(vec![problem]));
        assert_eq!(attempts.len(), 1);
    }
}

/// Whether an answer of this many bytes is checked while the only blocking thread is busy. It passes
/// in the end.
fn is_checked_at_once(n_bytes: usize) -> bool {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.max_blocking_threads(1).build().unwrap().block_on(async {
        let (release, released) = mpsc::channel::<()>();
        let busy = tokio::task::spawn_blocking(move || released.recv());
        let answer = format!("f = 1\n{}", "# filler\n".repeat(n_bytes / 9));
        let (backend, ctx) = (Scripted::new([Ok(answer)]), context());
        let attempts = Attempts::at_most(1);
        let mut generated = pin!(generate_with_retry(&backend, &ctx, attempts, |_| {}));
        tokio::select! {
            biased;
            generated = &mut generated => {
                assert!(generated.is_ok());
                true
            }
            () = ready(()) => {
                drop(release);
                assert!(generated.await.is_ok());
                assert!(busy.await.is_ok());
                false
            }
        }
    })
}

#[test]
fn large_answers_are_checked_off_thread() {
    assert!(is_checked_at_once(LARGE / 2));
    assert!(!is_checked_at_once(2 * LARGE));
}
