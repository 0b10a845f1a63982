//! Errors with their causes.

use std::error::Error;

use crate::sanitize::sanitize;

/// Returns what an error says, and then what each of its causes says.
pub fn error_chain(err: &dyn Error) -> Vec<String> {
    let mut messages = vec![err.to_string()];
    let mut cause = err.source();
    while let Some(err) = cause {
        messages.push(err.to_string());
        cause = err.source();
    }
    messages
}

/// Returns an error with its causes, separated by colons, [safe to print](sanitize).
pub fn one_line(err: &dyn Error) -> String {
    sanitize(&error_chain(err).join(": ")).into_owned()
}

#[cfg(test)]
mod tests {
    use std::fmt;

    use super::*;

    #[derive(Debug)]
    struct Nested(&'static str, Option<Box<Self>>);

    impl fmt::Display for Nested {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }
    }

    impl Error for Nested {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            self.1.as_deref().map(|cause| cause as &dyn Error)
        }
    }

    #[test]
    fn causes_come_after_what_they_caused() {
        let cause = Nested("no \u{7}space", None);
        let err = Nested("cannot write", Some(Box::new(cause)));
        assert_eq!(error_chain(&err), ["cannot write", "no \u{7}space"]);
        assert_eq!(one_line(&err), "cannot write: no \\u{7}space");
    }
}
