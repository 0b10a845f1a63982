//! How long modules took to generate, so that those on the longest way start first.
//!
//! What was learned is in `.jaunt/engine/durations`: a line for each module, with milliseconds, the
//! size of what was asked for, and the name. It can be thrown away at any time.

use std::collections::BTreeMap;
use std::time::Duration;

use camino::Utf8Path;
use jaunt_builder::{BuildEvent, ModuleOutcome, Project};
use jaunt_digest::ModuleName;
use tokio::time::Instant;

use crate::state::{self, DURATIONS};

const HEAD: &str = "jaunt-durations 1";

/// Longer than any module takes; a larger number is damage.
const LONGEST: u64 = 30 * 24 * 3600 * 1000;

/// What is known of one module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Record {
    /// At least 1.
    millis: u64,
    /// In bytes.
    size: u64,
}

/// What is known of all modules that were ever generated here.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Durations {
    records: BTreeMap<String, Record>,
    /// The middle of all times.
    median: Option<u64>,
    /// The middle of all times for a thousand bytes.
    pace: Option<u64>,
}

impl Durations {
    pub(crate) fn load(root: &Utf8Path) -> Self {
        let bytes = state::read(root, DURATIONS).unwrap_or_default();
        Self::parse(&String::from_utf8_lossy(&bytes))
    }

    /// Lines that make no sense are passed over: what is missing is guessed.
    fn parse(text: &str) -> Self {
        let mut lines = text.lines();
        if lines.next() != Some(HEAD) {
            return Self::default();
        }
        let records = lines.filter_map(|line| {
            let mut fields = line.splitn(3, '\t');
            let millis = fields.next()?.parse().ok().filter(|it| (1..=LONGEST).contains(it))?;
            let size = fields.next()?.parse().ok().filter(|it| *it <= u64::from(u32::MAX))?;
            Some((fields.next()?.to_owned(), Record { millis, size }))
        });
        let records: BTreeMap<String, Record> = records.collect();
        let usual = median(records.values().map(|it| it.millis));
        let sized = records.values().filter(|it| it.size > 0);
        let pace = median(sized.map(|it| it.millis.saturating_mul(1000) / it.size));
        Self { records, median: usual, pace }
    }

    fn render(&self) -> String {
        let mut text = format!("{HEAD}\n");
        for (name, Record { millis, size }) in &self.records {
            text.extend([&millis.to_string(), "\t", &size.to_string(), "\t", name, "\n"]);
        }
        text
    }

    /// Returns how long a module is likely to take, in milliseconds: what it took, else what is usual for
    /// as much text, else what is usual. All modules are equal if nothing is known.
    pub(crate) fn expected(&self, project: &Project, name: &ModuleName) -> u64 {
        if let Some(record) = self.records.get(name.as_str()) {
            return record.millis;
        }
        let Some(median) = self.median else { return 1 };
        self.by_size(project.size_of(name) as u64).unwrap_or(median)
    }

    fn by_size(&self, size: u64) -> Option<u64> {
        let pace = self.pace.filter(|_| size > 0)?;
        Some((pace.saturating_mul(size) / 1000).clamp(1, LONGEST))
    }

    /// Takes note of how long a module took. The past counts as much as the last time, so that one
    /// slow answer does not turn the order around.
    fn learn(&mut self, name: &ModuleName, size: u64, took: Duration) {
        let millis = u64::try_from(took.as_millis()).unwrap_or(LONGEST).clamp(1, LONGEST);
        let millis = match self.records.get(name.as_str()) {
            Some(before) => (before.millis + millis).div_ceil(2),
            None => millis,
        };
        self.records.insert(name.to_string(), Record { millis, size });
    }

    /// Saves what was learned. Without it the next order is worse, which is no reason to fail.
    pub(crate) fn save(&self, root: &Utf8Path) {
        state::write(root, DURATIONS, self.render().as_bytes()).ok();
    }
}

/// Returns the middle of some numbers, the higher one of two.
fn median(numbers: impl Iterator<Item = u64>) -> Option<u64> {
    let mut numbers: Vec<u64> = numbers.collect();
    let middle = numbers.len() / 2;
    (!numbers.is_empty()).then(|| *numbers.select_nth_unstable(middle).1)
}

/// Takes the time of the modules of one run.
#[derive(Debug, Default)]
pub(crate) struct Stopwatch {
    started: BTreeMap<ModuleName, Instant>,
    took: BTreeMap<ModuleName, Duration>,
}

impl Stopwatch {
    pub(crate) fn event(&mut self, event: &BuildEvent) {
        match event {
            BuildEvent::Started { module } => {
                self.started.insert(module.clone(), Instant::now());
            }
            BuildEvent::Finished { module, outcome: ModuleOutcome::Generated } => {
                if let Some(started) = self.started.remove(module) {
                    self.took.insert(module.clone(), started.elapsed());
                }
            }
            _ => {}
        }
    }

    /// Adds what was measured to what is known.
    pub(crate) fn teach(self, durations: &mut Durations, project: &Project) -> bool {
        for (name, took) in &self.took {
            durations.learn(name, project.size_of(name) as u64, *took);
        }
        !self.took.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> ModuleName {
        text.parse().unwrap()
    }

    fn known(records: &str) -> Durations {
        Durations::parse(&format!("{HEAD}\n{records}"))
    }

    #[test]
    fn what_was_learned_survives_its_text() {
        let mut durations = Durations::default();
        durations.learn(&name("shop.cart"), 200, Duration::from_secs(90));
        durations.learn(&name("shop.price"), 100, Duration::ZERO);
        assert_eq!(
            durations.render(),
            "jaunt-durations 1\n90000\t200\tshop.cart\n1\t100\tshop.price\n"
        );
        assert_eq!(Durations::parse(&durations.render()).records, durations.records);
    }

    #[test]
    fn the_past_counts_as_much_as_the_last_time() {
        let mut durations = known("1000\t10\ta\n");
        durations.learn(&name("a"), 20, Duration::from_millis(2000));
        assert_eq!(durations.records["a"], Record { millis: 1500, size: 20 });
    }

    #[test]
    fn what_is_not_known_is_guessed_by_size_and_then_by_the_median() {
        let durations = known("1000\t100\ta\n4000\t200\tb\n6000\t300\tc\n");
        assert_eq!((durations.median, durations.pace), (Some(4000), Some(20_000)));
        assert_eq!(durations.by_size(50), Some(1000));
        assert_eq!(durations.by_size(0), None);
        assert_eq!(known("7\t0\ta\n").by_size(50), None);
    }

    #[test]
    fn damage_is_passed_over() {
        for text in ["", "jaunt-durations 2\n1\t1\ta\n", "\u{0}\u{1}"] {
            assert_eq!(Durations::parse(text), Durations::default());
        }
        let durations = known("x\t1\ta\n0\t1\tb\n99999999999999999999\t1\tc\n5\t5\n6\t6\td\n7");
        assert_eq!(durations.records.keys().collect::<Vec<_>>(), ["d"]);
    }
}
