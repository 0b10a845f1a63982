//! How long a crate, a function and a `lib.rs` may be.

use super::violation::Violation;
use crate::source::{Source, Token, count, tokens};

/// Lines of code of a crate, without tests, blank lines and comments.
const CRATE: usize = 1_500;
/// Lines of code of a function, with its signature.
const FUNCTION: usize = 60;
/// Lines of code of a `lib.rs`.
const LIB: usize = 40;

/// Exceptions: a crate, or a function as `path: name`, and why it is longer.
const LONGER: &[(&str, &str)] = &[
    ("jaunt-builder", "survey, plan and build share types that no other crate needs"),
    ("jaunt-cli", "arguments, messages and progress of ten commands"),
    ("jaunt-digest", "readers of Python sources, headers and registries, for one vocabulary"),
    ("jaunt-engine", "configuration, registry, state and runs of one project"),
    ("jaunt-pytest", "readers of three forms of pytest's reports, which check each other"),
    ("xtask", "ten tasks that share nothing but the checkout"),
];

/// Finds what is too long.
pub(super) fn check(krate: &str, sources: &[Source], violations: &mut Vec<Violation>) {
    check_with(LONGER, krate, sources, violations);
}

fn check_with(
    longer: &[(&str, &str)],
    krate: &str,
    sources: &[Source],
    violations: &mut Vec<Violation>,
) {
    let may_be_longer = |name: &str| longer.iter().any(|(it, _)| *it == name);
    let n_lines: usize = sources.iter().map(Source::n_lines).sum();
    if n_lines > CRATE && !may_be_longer(krate) {
        violations.push(Violation {
            path: format!("{krate}/Cargo.toml"),
            line: 1,
            what: format!("{krate} has {n_lines} lines of code, more than {CRATE}"),
            advice: "split it, or give the reason in lib.rs and in xtask/src/layers/sizes.rs"
                .to_owned(),
        });
    }
    for source in sources {
        let n_lines = source.n_lines();
        if source.module.is_empty() && source.path.ends_with("/lib.rs") && n_lines > LIB {
            violations.push(Violation {
                path: source.path.clone(),
                line: 1,
                what: format!("this has {n_lines} lines of code, more than {LIB}"),
                advice: "move what is not a declaration into a module".to_owned(),
            });
        }
        for Function { name, line, n_lines } in functions(&source.code) {
            if n_lines > FUNCTION && !may_be_longer(&format!("{}: {name}", source.path)) {
                violations.push(Violation {
                    path: source.path.clone(),
                    line,
                    what: format!("`{name}` has {n_lines} lines of code, more than {FUNCTION}"),
                    advice: "name its parts and make them functions".to_owned(),
                });
            }
        }
    }
}

/// Returns the exceptions that are no longer needed.
pub(super) fn stale(crates: &[(String, Vec<Source>)]) -> Vec<&'static str> {
    let mut violations = Vec::new();
    for (krate, sources) in crates {
        check_with(&[], krate, sources, &mut violations);
    }
    let is_needed = |entry: &str| match entry.split_once(": ") {
        Some((path, name)) => violations
            .iter()
            .any(|it| it.path == path && it.what.starts_with(&format!("`{name}` "))),
        None => violations.iter().any(|it| it.what.starts_with(&format!("{entry} has "))),
    };
    LONGER.iter().map(|(entry, _)| *entry).filter(|entry| !is_needed(entry)).collect()
}

struct Function<'a> {
    name: &'a str,
    line: usize,
    n_lines: usize,
}

fn functions(code: &str) -> Vec<Function<'_>> {
    let lines: Vec<&str> = code.lines().collect();
    let tokens = tokens(code);
    let mut functions = Vec::new();
    for idx in 0..tokens.len() {
        let [keyword, name, ..] = tokens[idx..] else { break };
        if keyword.text != "fn" || !name.is_word() {
            continue;
        }
        if let Some(last) = last_line(&tokens[idx..]) {
            let n_lines = count(&lines[keyword.line - 1..last].join("\n"));
            functions.push(Function { name: name.text, line: keyword.line, n_lines });
        }
    }
    functions
}

/// Returns the line of the brace that closes a function's body; `None` if it has none.
fn last_line(tokens: &[Token<'_>]) -> Option<usize> {
    let mut depth = 0_usize;
    for token in tokens {
        match token.text {
            // `[u8; 4]` in a signature ends nothing.
            "(" | "[" | "{" => depth += 1,
            ")" | "]" => depth = depth.checked_sub(1)?,
            "}" => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(token.line);
                }
            }
            ";" if depth == 0 => return None,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn violations(longer: &[(&str, &str)], text: &str) -> Vec<String> {
        let source = Source::new("jaunt-x/src/lib.rs", &[], text);
        let mut violations = Vec::new();
        check_with(longer, "jaunt-x", &[source], &mut violations);
        violations.iter().map(|it| format!("{} {}", it.line, it.what)).collect()
    }

    #[test]
    fn blank_lines_and_comments_make_no_function_long() {
        let body = "    call();\n\n    // why\n".repeat(FUNCTION - 2);
        let text = format!("fn fits(a: [u8; 2]) {{\n{body}}}\n");
        assert!(!violations(&[], &text).iter().any(|it| it.contains("`fits`")));
    }

    #[test]
    fn a_long_function_is_named_with_its_line() {
        let text = format!(
            "trait T {{\n    fn none();\n}}\nfn long() {{\n{}}}\n",
            "    call();\n".repeat(60)
        );
        assert_eq!(
            violations(&[], &text),
            [
                "1 this has 65 lines of code, more than 40",
                "4 `long` has 62 lines of code, more than 60"
            ]
        );
        let longer = [("jaunt-x/src/lib.rs: long", "an event loop")];
        assert_eq!(violations(&longer, &text).len(), 1);
    }

    #[test]
    fn a_long_crate_is_named_unless_it_has_a_reason() {
        let text = "type A = u8;\n".repeat(CRATE + 1);
        assert_eq!(violations(&[], &text)[0], "1 jaunt-x has 1501 lines of code, more than 1500");
        assert_eq!(violations(&[("jaunt-x", "parsers")], &text).len(), 1);
    }

    #[test]
    fn tests_do_not_count() {
        let tests = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", "    fn f() {}\n".repeat(2000));
        assert!(violations(&[], &tests).is_empty());
    }
}
