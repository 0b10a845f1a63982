//! Attempts that nobody counts.

use jaunt_builder::Attempt;

/// Returns the attempt of a caller who does not count: the first, or another.
pub(crate) fn uncounted(error_context: &[String]) -> Attempt<'_> {
    Attempt { number: if error_context.is_empty() { 1 } else { 2 }, error_context }
}
