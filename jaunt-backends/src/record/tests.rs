use std::fs;
use std::future::ready;

use jaunt_builder::BackendErrorKind;

use super::*;
use crate::replay::ReplayBackend;
use crate::testing::{cart, directory, generate};

/// Answers these, one after the other; `None` is a failure.
struct Scripted(Mutex<Vec<Option<&'static str>>>);

impl GeneratorBackend for Scripted {
    fn generate<'a>(
        &'a self,
        _ctx: &'a ModuleSpecContext,
        _attempt: Attempt<'a>,
    ) -> BoxFuture<'a, Result<Generation, BackendError>> {
        let answer = match self.0.lock().unwrap().remove(0) {
            Some(source) => Ok(Generation { source: source.to_owned(), usage: None }),
            None => Err(BackendError::transient("no")),
        };
        Box::pin(ready(answer))
    }
}

fn scripted(answers: &[Option<&'static str>]) -> Arc<Scripted> {
    Arc::new(Scripted(Mutex::new(answers.to_vec())))
}

#[tokio::test]
async fn what_passes_is_recorded_and_nothing_else() {
    let (_dir, root) = directory();
    let store = Store::create(&root, "recordings".into()).unwrap();
    let answers = [None, Some("total = ("), Some("total = 1\n"), Some("Cart = total = 1\n")];
    let recording = RecordingBackend::new(scripted(&answers), store.clone());
    for _ in 0..3 {
        recording.generate(&cart(), Attempt::FIRST).await.ok();
        assert_eq!(store.get(&cart()).unwrap(), None);
    }
    let generated = generate(&recording, &cart(), 1).await.0.unwrap();
    assert_eq!(generated.source, "Cart = total = 1\n");
    assert!(recording.take_failures().is_empty());

    let replayed = ReplayBackend::new(store).generate(&cart(), Attempt::FIRST).await;
    assert_eq!(replayed, Ok(generated));
}

#[tokio::test]
async fn a_failure_is_passed_on() {
    let (_dir, root) = directory();
    let store = Store::create(&root, "recordings".into()).unwrap();
    let err =
        RecordingBackend::new(scripted(&[None]), store).generate(&cart(), Attempt::FIRST).await;
    assert_eq!(err.unwrap_err().kind, BackendErrorKind::Transient);
}

#[tokio::test]
async fn a_recording_that_does_not_pass_is_not_recorded_again() {
    let (_dir, root) = directory();
    let from = Store::create(&root, "from".into()).unwrap();
    from.put(&cart(), "total = 1\n").unwrap();
    let to = Store::create(&root, "to".into()).unwrap();
    let recording = RecordingBackend::new(Arc::new(ReplayBackend::new(from)), to.clone());
    let (generated, attempts) = generate(&recording, &cart(), 5).await;
    let problem = generated.unwrap_err()[0].to_string();
    assert!(problem.starts_with("the recording `from/"), "{problem}");
    assert!(problem.ends_with("does not pass: Missing top-level definition: Cart"), "{problem}");
    assert_eq!((attempts, to.get(&cart()).unwrap()), (1, None));
}

#[tokio::test]
async fn what_cannot_be_recorded_is_still_generated_and_told_later() {
    let (_dir, root) = directory();
    let store = Store::create(&root, "recordings".into()).unwrap();
    fs::remove_dir(root.join("recordings")).unwrap();
    fs::File::create_new(root.join("recordings")).unwrap();
    let recording = RecordingBackend::new(scripted(&[Some("Cart = total = 1\n")]), store);
    assert!(recording.generate(&cart(), Attempt::FIRST).await.is_ok());
    let failures = recording.take_failures();
    assert_eq!(failures[0].0.as_str(), "shop.cart");
    assert!(failures[0].1.to_string().starts_with("cannot record in `recordings/"));
    assert!(recording.take_failures().is_empty());
}
