//! The time that changes of files are compared with.

use std::time::{SystemTime, UNIX_EPOCH};

use camino::Utf8Path;

use crate::stamp::Time;

/// How far behind the clock a time of a file may be: file systems take it from the last tick.
const TICK: Time = 20_000_000;

/// Returns a time before that of every change which happens to a file from now on: now, less 20 ms.
///
/// `just_written` is a file that was written a moment ago, on the file system in question. If the
/// clock of that file system is behind ours, its time counts.
#[expect(clippy::disallowed_methods, reason = "compared with the times of files")]
pub fn time_before_changes(just_written: Option<&Utf8Path>) -> Time {
    let nanos = |time: SystemTime| {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Time::try_from(since.as_nanos()).unwrap_or(0)
    };
    let ours = nanos(SystemTime::now());
    let theirs = just_written.and_then(|path| path.metadata().ok()?.modified().ok());
    theirs.map_or(ours, nanos).min(ours).saturating_sub(TICK)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::stamp_of;
    use crate::testing::World;

    #[test]
    fn what_is_written_from_now_on_is_later() {
        let world = World::new("p/clock = x");
        let clock = world.path("p/clock");
        let before = time_before_changes(None);
        world.add("p/file = x");
        assert!(stamp_of(&world.path("p/file")).modified() > before);
        let theirs = time_before_changes(Some(&clock));
        assert!(theirs < stamp_of(&clock).modified());
        assert!(theirs <= time_before_changes(Some(&world.path("p/missing"))));
    }
}
