//! A project as another program uses it, on the shipped example.
#![expect(clippy::disallowed_methods, reason = "tests make the projects they work on")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "../../../tests/support/files.rs"]
mod files;

use std::path::Path;
use std::sync::{Arc, Mutex};

use camino::Utf8PathBuf;
use jaunt_builder::{BuildEvent, ModuleOutcome, Staleness};
use jaunt_digest::Kind;
use jaunt_engine::{
    CleanOptions, ConfigError, Engine, EngineError, EngineEvent, GenerateOptions, GraphOptions,
    MissingSpecs, OpenOptions, RegistrySource, StatusOptions, TargetError,
};
use tempfile::TempDir;

/// A copy of `examples/shop`.
struct Shop {
    _dir: TempDir,
    root: Utf8PathBuf,
}

impl Shop {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::from_path_buf(dir.path().join("shop")).unwrap();
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/shop");
        files::copy(&example, root.as_std_path());
        Self { _dir: dir, root }
    }

    fn engine(&self) -> Engine {
        Engine::open(&self.root).unwrap()
    }

    fn edit(&self, file: &str, from: &str, to: &str) {
        files::edit(&self.root, file, from, to);
    }
}

/// Builds, and returns the modules that were generated, sorted.
async fn build(engine: &Engine, options: &GenerateOptions) -> Vec<String> {
    let mut generated = Vec::new();
    let mut on_event = |event: EngineEvent<'_>| {
        let EngineEvent::Build(events) = event else { return };
        generated.extend(events.iter().filter_map(|event| match event {
            BuildEvent::Finished { module, outcome: ModuleOutcome::Generated } => {
                Some(module.to_string())
            }
            _ => None,
        }));
    };
    assert!(engine.build(options, &mut on_event).await.unwrap().is_ok());
    generated.sort();
    generated
}

#[tokio::test]
async fn a_plan_can_be_looked_at_before_it_is_run() {
    let shop = Shop::new();
    let engine = shop.engine();
    let options = GenerateOptions::default();

    let planned = engine.plan_build(&options).await.unwrap();
    let stale: Vec<_> = planned.plan().unwrap().stale().collect();
    assert_eq!(stale.len(), 7);
    assert!(stale.iter().all(|(_, it)| it.reasons[0] == Staleness::Missing));
    drop(planned);
    assert!(!shop.root.join("src/shop/__generated__").exists(), "a plan writes no code");

    assert_eq!(build(&engine, &options).await.len(), 7);
    assert_eq!(build(&engine, &options).await, Vec::<String>::new());
    let planned = engine.plan_build(&options).await.unwrap();
    assert!(planned.plan().is_none_or(|plan| plan.is_empty()));
}

#[tokio::test]
async fn a_dry_run_and_a_run_agree_after_an_edit() {
    let shop = Shop::new();
    let engine = shop.engine();
    build(&engine, &GenerateOptions::default()).await;
    // A build with nothing to do writes the cache, and then a dry run takes the fast path.
    build(&engine, &GenerateOptions::default()).await;
    shop.edit("src/shop/shipping.py", "Goods worth 50.00 EUR", "Goods worth 75.00 EUR");

    let dry = GenerateOptions { dry_run: true, ..GenerateOptions::default() };
    let run = engine.build(&dry, &mut |_| {}).await.unwrap();
    let planned: Vec<String> =
        run.plan().unwrap().stale().map(|(name, _)| name.to_string()).collect();
    assert_eq!(planned, ["shop.checkout", "shop.shipping"]);
    assert_eq!(run.n_fresh(), 5);
    assert_eq!(build(&engine, &GenerateOptions::default()).await, planned);
}

#[tokio::test]
async fn status_clean_and_graph_answer_with_values() {
    let shop = Shop::new();
    let engine = shop.engine();
    let status = engine.status(&StatusOptions::default()).await.unwrap();
    assert!(!status.is_clean());
    build(&engine, &GenerateOptions::default()).await;
    let options = StatusOptions { no_tests: true, ..StatusOptions::default() };
    assert!(engine.status(&options).await.unwrap().is_clean());

    let graph = engine.graph(&GraphOptions::default()).await.unwrap();
    assert_eq!(graph.iter().filter(|it| it.kind == Kind::Test).count(), 2);

    let all = CleanOptions { all: true, dry_run: true, ..CleanOptions::default() };
    let files = engine.clean(&all).await.unwrap();
    assert!(files.iter().any(|file| file == "src/shop/__generated__/shipping.py"), "{files:?}");
    assert!(files.iter().all(|file| shop.root.join(file).exists()), "a dry run removes nothing");
}

#[tokio::test]
async fn errors_are_types_and_carry_what_was_wrong() {
    let shop = Shop::new();
    let targets = vec!["shop.chekout".to_owned()];
    let options = GenerateOptions { targets, ..GenerateOptions::default() };
    let err = shop.engine().build(&options, &mut |_| {}).await.unwrap_err();
    let EngineError::Target(TargetError::Unknown { target, near }) = err else { panic!("{err:?}") };
    assert_eq!((target.as_str(), near[0].as_str()), ("shop.chekout", "shop.checkout"));

    let registry = RegistrySource::Text {
        origin: "a test".to_owned(),
        bytes: br#"{"version": 1, "specs": []}"#.to_vec(),
    };
    let options = OpenOptions { registry, ..OpenOptions::default() };
    let engine = Engine::open_with(&shop.root, options).unwrap();
    let err = engine.build(&GenerateOptions::default(), &mut |_| {}).await.unwrap_err();
    assert!(matches!(err, EngineError::Empty(MissingSpecs::OfKind(Kind::Build))), "{err:?}");

    files::write(&shop.root, "jaunt-engine.toml", "[backend]\ntimeout = 'soon'\n");
    let err = Engine::open(&shop.root).unwrap_err();
    assert!(matches!(err, EngineError::Config(ConfigError::Malformed { .. })), "{err:?}");
    let err = Engine::open(&shop.root.join("nowhere")).unwrap_err();
    assert!(matches!(err, EngineError::RootNotADirectory { .. }), "{err:?}");
}

#[tokio::test]
async fn no_wait_fails_while_another_engine_writes() {
    let shop = Shop::new();
    let engine = shop.engine();
    let options = GenerateOptions::default();
    let planned = engine.plan_build(&options).await.unwrap();

    let no_wait = GenerateOptions { no_wait: true, ..GenerateOptions::default() };
    let other = shop.engine();
    let err = other.plan_build(&no_wait).await.err().unwrap();
    assert!(matches!(err, EngineError::Locked { .. }), "{err:?}");
    drop(planned);
    assert!(other.plan_build(&no_wait).await.is_ok());
}

#[tokio::test]
async fn the_warnings_of_a_registry_are_notices() {
    let shop = Shop::new();
    let text = files::read(&shop.root, "jaunt.registry.json");
    let text = text.replacen('{', r#"{"warnings": ["mind the gap"], "#, 1);
    files::write(&shop.root, "jaunt.registry.json", text);
    let notices = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&notices);
    let options = OpenOptions {
        on_notice: Arc::new(move |notice| sink.lock().unwrap().push(format!("{notice:?}"))),
        ..OpenOptions::default()
    };
    let engine = Engine::open_with(&shop.root, options).unwrap();
    engine.status(&StatusOptions::default()).await.unwrap();
    let notices = notices.lock().unwrap();
    assert_eq!(*notices, [r#"RegistryWarning { text: "mind the gap" }"#]);
}
