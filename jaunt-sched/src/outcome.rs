use std::any::Any;
use std::mem;

/// How a node ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome<N, T, E> {
    /// The job gave this.
    Succeeded(T),
    /// The job gave this error.
    Failed(E),
    /// The job panicked with this message, or was aborted from outside, which the message says.
    Panicked(String),
    /// The job was never started, because a node that it depends on has failed.
    Blocked {
        /// The node that failed or panicked. If there are several, the first of them.
        cause: N,
    },
    /// The job was never started, because the run was stopped.
    Cancelled,
}

/// Returns the message of a panic.
pub(crate) fn panic_message(payload: Box<dyn Any + Send>) -> String {
    payload
        .downcast::<String>()
        .map(|text| *text)
        .or_else(|payload| payload.downcast::<&'static str>().map(|text| (*text).to_owned()))
        .unwrap_or_else(|payload| {
            // Dropping a value of an unknown type may panic again, and nobody would catch that.
            mem::forget(payload);
            "a panic without a message".to_owned()
        })
}
