use std::fs;

use jaunt_builder::BackendErrorKind;

use super::*;
use crate::replay::ReplayBackend;
use crate::testing::{cart, directory};

/// Answers these, one after the other; `None` is a failure.
struct Scripted(Mutex<Vec<Option<&'static str>>>);

impl GeneratorBackend for Scripted {
    async fn generate_module(
        &self,
        _ctx: &ModuleSpecContext,
        _error_context: &[String],
    ) -> Result<Generation, BackendError> {
        match self.0.lock().unwrap().remove(0) {
            Some(source) => Ok(Generation { source: source.to_owned(), usage: None }),
            None => Err(BackendError::transient("no")),
        }
    }
}

fn scripted(answers: &[Option<&'static str>]) -> Scripted {
    Scripted(Mutex::new(answers.to_vec()))
}

#[tokio::test]
async fn what_passes_is_recorded_and_nothing_else() {
    let (_dir, root) = directory();
    let store = Store::create(&root, "recordings".into()).unwrap();
    let answers = [None, Some("total = ("), Some("total = 1\n"), Some("Cart = total = 1\n")];
    let recording = RecordingBackend::new(scripted(&answers), store.clone());
    for _ in 0..3 {
        recording.generate_module(&cart(), &[]).await.ok();
        assert_eq!(store.get(&cart()).unwrap(), None);
    }
    let generated = recording.generate_with_retry(&cart(), 1, |_| ()).await.unwrap();
    assert_eq!(generated.generation.source, "Cart = total = 1\n");
    assert!(recording.take_failures().is_empty());

    let replayed = ReplayBackend::new(store).generate_module(&cart(), &[]).await;
    assert_eq!(replayed, Ok(generated.generation));
}

#[tokio::test]
async fn a_failure_is_passed_on() {
    let (_dir, root) = directory();
    let store = Store::create(&root, "recordings".into()).unwrap();
    let err = RecordingBackend::new(scripted(&[None]), store).generate_module(&cart(), &[]).await;
    assert_eq!(err.unwrap_err().kind, BackendErrorKind::Transient);
}

#[tokio::test]
async fn what_cannot_be_recorded_is_still_generated_and_told_later() {
    let (_dir, root) = directory();
    let store = Store::create(&root, "recordings".into()).unwrap();
    fs::remove_dir(root.join("recordings")).unwrap();
    fs::File::create_new(root.join("recordings")).unwrap();
    let recording = RecordingBackend::new(scripted(&[Some("Cart = total = 1\n")]), store);
    assert!(recording.generate_module(&cart(), &[]).await.is_ok());
    let failures = recording.take_failures();
    assert_eq!(failures[0].0.as_str(), "shop.cart");
    assert!(failures[0].1.to_string().starts_with("cannot record in `recordings/"));
    assert!(recording.take_failures().is_empty());
}
