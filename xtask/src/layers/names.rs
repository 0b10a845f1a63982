//! Which crates may name what: threads, processes, flags, terminals, exit codes, hints, clocks, files.

use super::paths;
use super::violation::Violation;
use crate::source::{Source, tokens};

/// A rule about names that only some crates may use.
struct Rule {
    /// What is named.
    what: &'static str,
    /// The paths that begin with one of these.
    paths: &'static [&'static str],
    /// Exceptions: beginnings of such paths that every crate may name.
    except: &'static [&'static str],
    /// Names of macros.
    macros: &'static [&'static str],
    /// Names of methods.
    methods: &'static [&'static str],
    allowed: Allowed,
    /// What to do about it.
    advice: &'static str,
}

/// The crates that a rule does not apply to.
enum Allowed {
    Only(&'static [&'static str]),
    AllBut(&'static [&'static str]),
}

/// Crates that only compute values. jaunt-report is one, although it links a runtime through
/// jaunt-builder.
const PURE: &[&str] = &["jaunt-dag", "jaunt-digest", "jaunt-text", "jaunt-report"];

const RULES: &[Rule] = &[
    Rule {
        what: "a thread",
        paths: &["std::thread", "tokio::task", "tokio::spawn", "tokio::runtime", "rayon"],
        except: &["std::thread::Result"],
        macros: &[],
        methods: &["spawn_blocking", "spawn"],
        allowed: Allowed::AllBut(PURE),
        advice: "let the caller run it, as `jaunt_digest::Parallelism` does",
    },
    Rule {
        what: "a process",
        paths: &["std::process", "tokio::process"],
        except: &["std::process::ExitCode", "std::process::ExitStatus", "std::process::id"],
        macros: &[],
        methods: &[],
        allowed: Allowed::Only(&["jaunt-process", "xtask", "tests"]),
        advice: "start processes through jaunt-process",
    },
    Rule {
        what: "an exit code of jaunt",
        paths: &["std::process::ExitCode", "std::process::exit"],
        except: &[],
        macros: &[],
        methods: &[],
        allowed: Allowed::Only(&["jaunt-cli", "xtask", "tests"]),
        advice: "return an error; jaunt-cli decides how the program exits",
    },
    Rule {
        what: "the command line",
        paths: &["clap", "clap_complete", "std::env::args", "std::env::args_os"],
        except: &[],
        macros: &[],
        methods: &[],
        allowed: Allowed::Only(&["jaunt-cli", "xtask"]),
        advice: "take a value of your own; jaunt-cli makes it from the arguments",
    },
    Rule {
        what: "gRPC",
        paths: &["tonic", "prost"],
        except: &[],
        macros: &[],
        methods: &[],
        allowed: Allowed::Only(&["jaunt-remote"]),
        advice: "only jaunt-remote speaks to other machines",
    },
    Rule {
        what: "a terminal",
        paths: &[
            "indicatif",
            "anstyle",
            "anstream",
            "std::io::IsTerminal",
            "std::io::stdout",
            "std::io::stderr",
        ],
        except: &[],
        macros: &["print", "println", "eprint", "eprintln", "dbg"],
        methods: &["is_terminal"],
        allowed: Allowed::Only(&["jaunt-cli", "xtask"]),
        advice: "return a value or report an event; jaunt-cli prints",
    },
    Rule {
        what: "a hint",
        paths: &[],
        except: &[],
        macros: &[],
        methods: &["hint", "with_hint"],
        allowed: Allowed::Only(&["jaunt-cli"]),
        advice: "put the facts into the error; jaunt-cli words the hint",
    },
    Rule {
        what: "a clock",
        paths: &["std::time::Instant", "std::time::SystemTime", "tokio::time"],
        except: &[],
        macros: &[],
        methods: &[],
        allowed: Allowed::AllBut(PURE),
        advice: "take the time as an argument",
    },
    Rule {
        what: "a file or the environment",
        paths: &["std::fs", "std::env", "std::net", "tokio::fs", "tokio::net", "jaunt_write"],
        except: &[],
        macros: &[],
        methods: &["canonicalize", "read_dir"],
        allowed: Allowed::AllBut(PURE),
        advice: "take the content as an argument",
    },
];

/// Exceptions: a crate, what it may name although a rule forbids it, and why.
const EXCEPTIONS: &[(&str, &str, &str)] = &[(
    "jaunt-process",
    "std::io::stderr",
    "a child may be given our standard error as its own; nothing is printed to it here",
)];

/// Finds names that a crate must not use.
pub(super) fn check(krate: &str, sources: &[Source], violations: &mut Vec<Violation>) {
    let rules: Vec<&Rule> = RULES.iter().filter(|rule| !rule.allowed.contains(krate)).collect();
    for source in sources {
        let mut found: Vec<(usize, String, &Rule)> = Vec::new();
        for (line, path) in paths::read(source).named {
            let path = path.join("::");
            let is_excepted = EXCEPTIONS.iter().any(|(it, name, _)| *it == krate && *name == path);
            let rule = rules.iter().find(|rule| rule.forbids(&path)).filter(|_| !is_excepted);
            found.extend(rule.map(|rule| (line, path, *rule)));
        }
        for window in tokens(&source.code).windows(3) {
            let [before, word, after] = [window[0], window[1], window[2]];
            let rule = rules.iter().find(|rule| {
                (word.text == "!" && rule.macros.contains(&before.text))
                    || (before.text == "."
                        && after.text == "("
                        && rule.methods.contains(&word.text))
            });
            let name = if word.text == "!" {
                format!("{}!", before.text)
            } else {
                format!(".{}(", word.text)
            };
            found.extend(rule.map(|rule| (word.line, name, *rule)));
        }
        found.sort_by(|left, right| (left.0, &left.1).cmp(&(right.0, &right.1)));
        found.dedup_by(|left, right| (left.0, &left.1) == (right.0, &right.1));
        violations.extend(found.into_iter().map(|(line, name, rule)| Violation {
            path: source.path.clone(),
            line,
            what: format!("{krate} must not name {} (`{name}`)", rule.what),
            advice: rule.advice.to_owned(),
        }));
    }
}

impl Rule {
    /// Checks whether a path is forbidden. A module by itself (`use std::process;`) is not if the rule has
    /// exceptions: what is named through it is checked where it is named.
    fn forbids(&self, path: &str) -> bool {
        let begins = |prefixes: &[&str]| {
            let mut rests = prefixes.iter().filter_map(|it| path.strip_prefix(it));
            rests.any(|rest| rest.is_empty() || rest.starts_with("::"))
        };
        let is_bare = !self.except.is_empty() && self.paths.contains(&path);
        begins(self.paths) && !begins(self.except) && !is_bare
    }
}

impl Allowed {
    fn contains(&self, krate: &str) -> bool {
        match self {
            Self::Only(crates) => crates.contains(&krate),
            Self::AllBut(crates) => !crates.contains(&krate),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn violations(krate: &str, text: &str) -> Vec<String> {
        let source = Source::new("x.rs", &["x"], text);
        let mut violations = Vec::new();
        check(krate, &[source], &mut violations);
        violations.iter().map(|it| format!("{} {}", it.line, it.what)).collect()
    }

    #[test]
    fn only_one_crate_starts_processes() {
        let text = "use std::process;\nuse tokio::process::{Child, Command};\nfn f() -> u32 {\n    process::Command::new(x);\n    process::id()\n}\n";
        assert_eq!(
            violations("jaunt-engine", text),
            [
                "2 jaunt-engine must not name a process (`tokio::process::Child`)",
                "2 jaunt-engine must not name a process (`tokio::process::Command`)",
                "4 jaunt-engine must not name a process (`std::process::Command::new`)",
            ]
        );
        assert!(violations("jaunt-process", text).is_empty());
    }

    #[test]
    fn exit_codes_belong_to_the_command_line_and_statuses_do_not() {
        let text = "use std::process::{ExitCode, ExitStatus};";
        let found = violations("jaunt-engine", text);
        assert_eq!(
            found,
            ["1 jaunt-engine must not name an exit code of jaunt (`std::process::ExitCode`)"]
        );
        assert!(violations("jaunt-cli", text).is_empty());
    }

    #[test]
    fn printing_is_found_in_macros_calls_and_crates() {
        let text = "use std::io;\nuse indicatif::ProgressBar;\nfn f() {\n    println!();\n    io::stdout().is_terminal();\n    command.stdout(1);\n    // println!()\n    \"println!()\";\n}\n";
        let found = violations("jaunt-builder", text);
        let lines: Vec<&str> = found.iter().filter_map(|it| it.split(' ').next()).collect();
        assert_eq!(lines, ["2", "4", "5", "5"], "{found:#?}");
        assert!(violations("jaunt-cli", text).is_empty());
    }

    #[test]
    fn pure_crates_start_no_thread_and_read_no_clock_and_no_file() {
        let text = "fn f() {\n    std::thread::scope(g);\n    std::time::Instant::now();\n    std::fs::read(x);\n    rt.spawn_blocking(h);\n}\n";
        for krate in PURE {
            assert_eq!(violations(krate, text).len(), 4, "{krate}");
        }
        assert!(violations("jaunt-write", text).is_empty());
        assert!(crate::layers::links::PURE.iter().all(|krate| PURE.contains(krate)));
    }

    #[test]
    fn hints_flags_and_grpc_have_one_home() {
        let text = "use clap::Args;\nuse tonic::Request;\nfn f() { error.hint(\"\") }";
        assert_eq!(violations("jaunt-engine", text).len(), 3);
        assert_eq!(violations("jaunt-cli", text).len(), 1);
    }

    #[test]
    fn an_exception_holds_for_its_crate_only() {
        let text = "fn f() { std::io::stderr(); }";
        assert!(violations("jaunt-process", text).is_empty());
        assert_eq!(violations("jaunt-pytest", text).len(), 1);
    }
}
