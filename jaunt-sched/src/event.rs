/// Something that happened to a node, told at the moment it happened.
///
/// Each node is told of once when it ends. One that takes a slot is told of when it starts, too. Events
/// carry no time: a caller who wants durations looks at a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the variants explain the fields")]
pub enum Event<'a, N> {
    /// The future of this node is about to run.
    Started { node: &'a N },
    /// The job gave `Ok`.
    Succeeded { node: &'a N },
    /// The job gave `Err`. What this blocks is told next.
    Failed { node: &'a N },
    /// The job panicked. What this blocks is told next.
    Panicked { node: &'a N },
    /// This node will never start, because `cause`, which it depends on directly or not, has failed
    /// or panicked.
    Blocked { node: &'a N, cause: &'a N },
    /// This node was left over when the run was stopped. Told after the last job has ended.
    Cancelled { node: &'a N },
}
