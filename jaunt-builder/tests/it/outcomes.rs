//! Failures, retries, blocking and the context that backends see.

use insta::assert_snapshot;
use jaunt_builder::{Attempts, BackendError, BuildEvent, BuildOptions, ModuleOutcome, PlanOptions};
use jaunt_digest::Kind;
use serde_json::json;

use crate::support::{FakeBackend, Fixture, Run, block_on, options};

const CHAIN: &str = "
    app.a:f
    app.b:g <- app.a:f
    app.c:h <- app.b:g
    app.d:i
";

#[test]
fn a_failure_blocks_its_dependents_and_nothing_else() {
    let fixture = Fixture::new(CHAIN);
    let backend =
        FakeBackend::answering("app.a", |_, _| Err(BackendError::fatal("there is no answer")));
    let run = fixture.build(&backend);
    assert_snapshot!(run.outcomes(), @r"
    app.a: failed: there is no answer
    app.b: blocked by app.a
    app.c: blocked by app.a
    app.d: generated (1)
    ");
    assert!(!fixture.exists("src/app/__generated__/b.py"));
    assert_eq!(fixture.build(&FakeBackend::new()).calls, ["app.a", "app.b", "app.c"]);
}

#[test]
fn each_attempt_is_told_what_was_wrong_with_the_last() {
    let fixture = Fixture::new("app.a:f\napp.a:g");
    let backend = FakeBackend::answering("app.a", |_, errors| {
        Ok(match errors {
            [] => "def f(: pass\n".to_owned(),
            [syntax] if syntax.starts_with("SyntaxError: ") => "f = None\n".to_owned(),
            [missing] if missing == "Missing top-level definition: g" => {
                "async def f(): ...\ng: int = 1\n".to_owned()
            }
            other => panic!("unexpected: {other:?}"),
        })
    });
    let options = BuildOptions { attempts: Attempts::at_most(3), ..options() };
    let run = fixture.build_with(Kind::Build, &backend, &PlanOptions::default(), &options);
    assert_snapshot!(run.outcomes(), @"app.a: generated (3)");
    let retries = run.events.iter().filter(|event| matches!(event, BuildEvent::Retrying { .. }));
    assert_eq!(retries.count(), 2);
    assert_eq!(run.report.backend_calls, 3);
}

#[test]
fn code_that_does_not_pass_is_not_written() {
    let fixture = Fixture::new("app.a:f");
    let backend = FakeBackend::answering("app.a", |_, _| Ok("import f\n".to_owned()));
    let run = fixture.build(&backend);
    assert_snapshot!(run.outcomes(), @"app.a: failed: Missing top-level definition: f");
    assert_eq!(run.report.backend_calls, 2);
    assert_eq!(fixture.generated(), Vec::<String>::new());
}

#[test]
fn a_panic_of_the_backend_is_one_failed_module() {
    let fixture = Fixture::new(CHAIN);
    let backend = FakeBackend::answering("app.b", |_, _| panic!("out of cheese"));
    let run = fixture.build(&backend);
    assert_snapshot!(run.outcomes(), @r"
    app.a: generated (1)
    app.b: failed: the backend panicked: out of cheese
    app.c: blocked by app.b
    app.d: generated (1)
    ");
}

#[test]
fn fail_fast_starts_nothing_after_the_first_failure() {
    let failing = || FakeBackend::answering("app.a", |_, _| Err(BackendError::fatal("no")));
    for backend in [failing(), failing().with_lookup()] {
        let fixture = Fixture::new(CHAIN);
        let jobs = std::num::NonZeroUsize::MIN;
        let options = BuildOptions { jobs, fail_fast: true, ..options() };
        let run = fixture.build_with(Kind::Build, &backend, &PlanOptions::default(), &options);
        insta::allow_duplicates! {
            assert_snapshot!(run.outcomes(), @r"
            app.a: failed: no
            app.b: blocked by app.a
            app.c: blocked by app.a
            app.d: cancelled
            ");
        }
    }
}

#[test]
fn a_backend_that_was_stopped_has_not_failed() {
    let fixture = Fixture::new("app.a:f\napp.b:g <- app.a:f");
    let backend = FakeBackend::answering("app.a", |_, _| Err(BackendError::interrupted()));
    let run = fixture.build(&backend);
    assert_snapshot!(run.outcomes(), @r"
    app.a: cancelled
    app.b: cancelled
    ");
}

/// Builds with an answer for `app.b`, once generated and once looked up.
fn generated_and_looked_up(answer: fn() -> Result<String, BackendError>) -> [(Fixture, Run); 2] {
    [false, true].map(|has_lookup| {
        let fixture = Fixture::new(CHAIN);
        let backend = FakeBackend::answering("app.b", move |_, _| answer());
        let backend = if has_lookup { backend.with_lookup() } else { backend };
        let options = BuildOptions { attempts: Attempts::at_most(1), ..options() };
        let run = fixture.build_with(Kind::Build, &backend, &PlanOptions::default(), &options);
        (fixture, run)
    })
}

#[test]
fn answers_that_are_looked_up_have_the_same_outcomes() {
    let answers: [fn() -> Result<String, BackendError>; 5] = [
        || Ok("def g(): ...\n".to_owned()),
        || Ok("import g\n".to_owned()),
        || Err(BackendError::fatal("there is no answer")),
        || Err(BackendError::interrupted()),
        || panic!("out of cheese"),
    ];
    for answer in answers {
        let [(generated, run), (looked_up, lookup_run)] = generated_and_looked_up(answer);
        assert_eq!(run.outcomes(), lookup_run.outcomes());
        assert_eq!(run.report.backend_calls, lookup_run.report.backend_calls);
        assert_eq!(generated.generated(), looked_up.generated());
        for file in generated.generated() {
            assert_eq!(generated.read(&file), looked_up.read(&file));
        }
    }
}

#[test]
fn events_of_answers_that_are_looked_up_come_in_order() {
    let [_, (_, run)] = generated_and_looked_up(|| panic!("out of cheese"));
    let events_of = |module: &str| {
        let events = run.events.iter().filter_map(|event| match event {
            BuildEvent::Started { module: it } if it.as_str() == module => Some("started"),
            BuildEvent::Finished { module: it, .. } if it.as_str() == module => Some("finished"),
            _ => None,
        });
        events.collect::<Vec<_>>()
    };
    assert_eq!(events_of("app.a"), ["started", "finished"]);
    assert_eq!(events_of("app.b"), ["started", "finished"]);
    assert_eq!(events_of("app.c"), ["finished"]);
}

#[test]
fn the_number_of_threads_is_limited() {
    let modules: Vec<String> = (0..300).map(|idx| format!("app.m{idx}:f")).collect();
    let fixture = Fixture::new(&modules.join("\n"));
    let options = BuildOptions { jobs: std::num::NonZeroUsize::MAX, ..options() };
    let backend = FakeBackend::new().with_lookup();
    let run = fixture.build_with(Kind::Build, &backend, &PlanOptions::default(), &options);
    let (mut n_running, mut most) = (0_usize, 0);
    for event in &run.events {
        match event {
            BuildEvent::Started { .. } => n_running += 1,
            BuildEvent::Finished { .. } => n_running -= 1,
            BuildEvent::Retrying { .. } => {}
        }
        most = most.max(n_running);
    }
    assert!((1..=64).contains(&most), "{most} at a time");
    assert_eq!(run.report.backend_calls, 300);
}

#[test]
fn modules_whose_answers_cannot_be_looked_up_are_generated() {
    let fixture = Fixture::new(CHAIN);
    let backend = FakeBackend::answering("app.c", |_, errors| {
        Ok(if errors.is_empty() { "import h\n" } else { "def h(): ...\n" }.to_owned())
    });
    // The answer for `app.c` does not pass, so it is generated, in two attempts.
    let run = fixture.build(&backend.with_lookup_of(&["app.a", "app.c"]));
    assert_snapshot!(run.outcomes(), @r"
    app.a: generated (1)
    app.b: generated (1)
    app.c: generated (2)
    app.d: generated (1)
    ");
    let started = |module: &str| {
        let is_start = |event: &&BuildEvent| matches!(event, BuildEvent::Started { module: it } if it.as_str() == module);
        run.events.iter().filter(is_start).count()
    };
    assert_eq!(["app.a", "app.b", "app.c", "app.d"].map(started), [1; 4]);
    assert_eq!(run.report.backend_calls, 5);
}

#[test]
fn a_unit_of_which_one_module_can_be_looked_up_is_generated_from_there() {
    let fixture = Fixture::new("app.a:f <- app.b:g\napp.a:h\napp.b:g\napp.b:i <- app.a:h");
    let run = fixture.build(&FakeBackend::new().with_lookup_of(&["app.a"]));
    assert_snapshot!(run.outcomes(), @r"
    app.a: generated (1)
    app.b: generated (1)
    ");
    assert_eq!(run.calls, ["app.a", "app.b"]);
}

#[test]
fn nothing_is_looked_up_after_a_stop() {
    let fixture = Fixture::new(CHAIN);
    let (project, plan) = fixture.plan(Kind::Build, &PlanOptions::default());
    let backend = FakeBackend::new().with_lookup();
    let generator = backend.generator();
    let (options, stop) = (options(), std::future::ready(()));
    let build = jaunt_builder::build(&project, &plan, &generator, &options, |_| 1, |_| {}, stop);
    let report = block_on(build);
    assert!(report.outcomes.values().all(|it| *it == ModuleOutcome::Cancelled));
    assert_eq!(report.backend_calls, 0);
}

#[test]
fn a_context_has_the_prompts_of_its_own_specs() {
    let mut fixture = Fixture::new("app.a:f\napp.b:g <- app.a:f\napp.b:h");
    fixture.kwargs =
        json!({"app.a:f": {"prompt": "Be quick."}, "app.b:h": {"prompt": "Be brief."}});
    let backend = FakeBackend::new();
    fixture.build(&backend);
    let prompts = serde_json::to_value(backend.context("app.b").decorator_prompts).unwrap();
    assert_eq!(prompts, json!({"app.b:h": "Be brief."}));
}

#[test]
fn a_context_has_sources_apis_and_the_code_of_dependencies() {
    let fixture = Fixture::new("app.a:f\napp.b:g <- app.a:f\napp.b:h");
    let backend = FakeBackend::new();
    fixture.build(&backend);
    let ctx = serde_json::to_string_pretty(&backend.context("app.b")).unwrap();
    insta::with_settings!({filters => vec![("[0-9a-f]{64}", "[digest]")]}, {
        assert_snapshot!(ctx, @r##"
        {
          "kind": "build",
          "spec_module": "app.b",
          "generated_module": "app.__generated__.b",
          "expected_names": [
            "g",
            "h"
          ],
          "spec_sources": {
            "app.b:g": "def g():\n    \"\"\"Spec app.b:g.\"\"\"",
            "app.b:h": "def h():\n    \"\"\"Spec app.b:h.\"\"\""
          },
          "decorator_prompts": {},
          "dependency_apis": {
            "app.a:f": "def f():\n    \"\"\"Spec app.a:f.\"\"\"\n    ..."
          },
          "dependency_generated_modules": {
            "app.a": "# made from [digest]\n\n\ndef f():\n    return \"f\"\n"
          }
        }
        "##);
    });
}
