//! Progress while modules are generated, and while tests run.

use std::io::{self, IsTerminal as _};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use jaunt_builder::{BuildEvent, ModuleOutcome};
use jaunt_pytest::{Outcome, PytestEvent};

use crate::args::ProgressChoice;
use crate::ui::{Tone, Ui};
use jaunt_text::{count, sanitize};

/// One sink for the events of a build.
pub(crate) struct Progress {
    shown: Shown,
    running: Vec<String>,
}

impl Progress {
    pub(crate) fn new(ui: &Ui, choice: ProgressChoice, total: usize) -> Self {
        Self { shown: Shown::new(ui, resolve(ui, choice), total as u64), running: Vec::new() }
    }

    /// Returns whether the problems of a module are shown when it fails.
    pub(crate) fn shows_problems(&self) -> bool {
        self.shown.has_lines && !self.shown.ui.is_quiet()
    }

    pub(crate) fn event(&mut self, event: &BuildEvent) {
        match event {
            BuildEvent::Started { module } => {
                self.running.push(module.to_string());
                if self.shown.bar.is_none() {
                    self.shown.line(Tone::Note, "generating", module.as_str());
                }
            }
            BuildEvent::Retrying { module, attempt, problems } => {
                let problems = problems.join("; ");
                self.shown.line(
                    Tone::Note,
                    "retrying",
                    &format!("{module} (attempt {attempt}): {problems}"),
                );
            }
            BuildEvent::Finished { module, outcome } => {
                self.running.retain(|it| it != module.as_str());
                self.finished(module.as_str(), outcome);
                if let Some(bar) = &self.shown.bar {
                    bar.inc(1);
                }
            }
        }
        if let Some(bar) = &self.shown.bar {
            bar.set_message(sanitize(&self.running.join(", ")).into_owned());
        }
    }

    fn finished(&self, module: &str, outcome: &ModuleOutcome) {
        match outcome {
            ModuleOutcome::Generated if self.shown.bar.is_none() => {
                self.shown.line(Tone::Good, "generated", module);
            }
            ModuleOutcome::Failed(problems) => {
                for problem in problems {
                    self.shown.line(Tone::Bad, "failed", &format!("{module}: {problem}"));
                }
            }
            ModuleOutcome::Blocked { cause } => {
                self.shown.line(Tone::Bad, "blocked", &format!("{module}: `{cause}` failed"));
            }
            // Of what was not started, the summary has the number.
            ModuleOutcome::Cancelled | ModuleOutcome::Generated | ModuleOutcome::Fresh => {}
        }
    }
}

/// What there is to see of tests whose output is kept for the document. Where pytest writes to the
/// terminal by itself, that is progress enough.
pub(crate) struct TestProgress {
    shown: Shown,
}

impl TestProgress {
    pub(crate) fn new(ui: &Ui, choice: ProgressChoice) -> Self {
        let choice = if ui.is_json() { resolve(ui, choice) } else { ProgressChoice::None };
        Self { shown: Shown::new(ui, choice, 0) }
    }

    pub(crate) fn event(&self, event: &PytestEvent) {
        match event {
            PytestEvent::Collected { tests, .. } => match &self.shown.bar {
                Some(bar) => bar.set_length(*tests),
                None => {
                    let n_tests = usize::try_from(*tests).unwrap_or(usize::MAX);
                    self.shown.line(Tone::Note, "running", &count(n_tests, "test"));
                }
            },
            PytestEvent::Outcome { node_id, outcome, message, counts, .. } => {
                if matches!(outcome, Outcome::Failed | Outcome::Error) {
                    let message = message.lines().next().unwrap_or_default();
                    self.shown.line(Tone::Bad, "failed", &format!("{node_id}: {message}"));
                }
                if let Some(bar) = &self.shown.bar {
                    let n_done = counts.passed + counts.failed + counts.skipped;
                    bar.set_position(n_done + counts.xfailed + counts.xpassed);
                    let n_bad = counts.failed + counts.errors;
                    bar.set_message(format!("{} passed, {n_bad} failed", counts.passed));
                }
            }
            _ => {}
        }
    }
}

/// A bar, or lines, or nothing.
struct Shown {
    ui: Ui,
    bar: Option<ProgressBar>,
    has_lines: bool,
}

impl Shown {
    fn new(ui: &Ui, choice: ProgressChoice, total: u64) -> Self {
        let bar = (choice == ProgressChoice::Bar).then(|| bar(total));
        Self { ui: ui.clone(), bar, has_lines: choice != ProgressChoice::None }
    }

    fn line(&self, tone: Tone, label: &str, message: &str) {
        if !self.has_lines {
            return;
        }
        match &self.bar {
            Some(bar) => bar.suspend(|| self.ui.labelled(tone, label, message)),
            None => self.ui.labelled(tone, label, message),
        }
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn resolve(ui: &Ui, choice: ProgressChoice) -> ProgressChoice {
    match choice {
        ProgressChoice::Auto if ui.is_json() || ui.is_quiet() => ProgressChoice::None,
        ProgressChoice::Auto if io::stderr().is_terminal() => ProgressChoice::Bar,
        ProgressChoice::Auto => ProgressChoice::Plain,
        choice => choice,
    }
}

fn bar(total: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} [{bar:30}] {pos}/{len} {wide_msg}")
        .expect("the template is a literal")
        .progress_chars("=> ");
    let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr_with_hz(10));
    bar.enable_steady_tick(Duration::from_millis(200));
    bar.with_style(style)
}
