//! Builds a project without the command line: `cargo run -p jaunt-engine --example shop -- DIR`.
//!
//! `DIR` is a copy of `examples/shop`, whose generations are recorded, so nothing else is needed.

use camino::Utf8PathBuf;
use jaunt_builder::{BuildEvent, Staleness};
use jaunt_engine::{Engine, EngineEvent, GenerateOptions};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root: Utf8PathBuf = std::env::args().nth(1).ok_or("name the project")?.into();
    let engine = Engine::open(&root)?;

    let options = GenerateOptions::default();
    let planned = engine.plan_build(&options).await?;
    for (module, it) in planned.plan().into_iter().flat_map(|plan| plan.stale()) {
        let reasons: Vec<String> =
            Staleness::telling(&it.reasons).map(|it| it.to_string()).collect();
        print(format!("{module}: {}", reasons.join("; ")));
    }

    let mut on_event = |event: EngineEvent<'_>| {
        let EngineEvent::Build(events) = event else { return };
        for event in events {
            if let BuildEvent::Finished { module, outcome } = event {
                print(format!("{module}: {outcome:?}"));
            }
        }
    };
    let run = planned.run(&mut on_event).await?;
    print(format!("ok: {}, {} fresh before", run.is_ok(), run.n_fresh()));
    Ok(())
}

#[expect(clippy::print_stdout, reason = "an example that is run by hand")]
fn print(line: String) {
    println!("{line}");
}
