//! The paths that a source names, with imports expanded: `use std::{fs, io::Read}` is two of them, and
//! a later `fs::read` is `std::fs::read`.

use std::collections::BTreeMap;

use crate::source::{Source, Token, tokens};

/// A path, such as `["crate", "plan", "Plan"]`.
pub(crate) type Path = Vec<String>;

/// The paths of one source.
#[derive(Clone, Debug, Default)]
pub(crate) struct Paths {
    /// The paths that the source names, each with its line. Re-exports do not count.
    pub(crate) named: Vec<(usize, Path)>,
    /// The path behind each name that the source imports or re-exports.
    pub(crate) imports: BTreeMap<String, Path>,
    /// The modules that are declared here and are files (`mod x;`).
    pub(crate) children: Vec<String>,
}

/// Reads the paths of a source. Those of the crate begin with `crate`.
pub(crate) fn read(source: &Source) -> Paths {
    let tokens = tokens(&source.code);
    let mut paths = Paths::default();
    for (idx, token) in tokens.iter().enumerate() {
        if token.text == "mod"
            && let [name, end, ..] = &tokens[idx + 1..]
            && end.text == ";"
        {
            paths.children.push(name.text.to_owned());
        }
    }
    // Imports first: they apply to the whole file, wherever they stand.
    let uses = read_uses(source, &tokens, &mut paths);
    let mut idx = 0;
    while idx < tokens.len() {
        if let Some((_, end)) = uses.iter().find(|(start, _)| *start == idx) {
            idx = *end;
            continue;
        }
        let starts = tokens[idx].is_word()
            && tokens.get(idx + 1).is_some_and(|it| it.text == "::")
            && (idx == 0 || !matches!(tokens[idx - 1].text, "::" | "$" | "."));
        if !starts {
            idx += 1;
            continue;
        }
        let line = tokens[idx].line;
        let mut path = vec![tokens[idx].text.to_owned()];
        idx += 1;
        while let [colons, word, ..] = &tokens[idx..]
            && colons.text == "::"
            && word.is_word()
        {
            path.push(word.text.to_owned());
            idx += 2;
        }
        let path = expand(source, &paths, path);
        paths.named.push((line, path));
    }
    paths
}

/// Reads the `use` items, and returns the ranges of their tokens.
fn read_uses(source: &Source, tokens: &[Token<'_>], paths: &mut Paths) -> Vec<(usize, usize)> {
    let mut uses = Vec::new();
    let mut found = Vec::new();
    for start in 0..tokens.len() {
        // Generics have a `use<…>` of their own.
        if tokens[start].text != "use" || tokens.get(start + 1).is_none_or(|it| it.text == "<") {
            continue;
        }
        let before = start.checked_sub(1).map(|at| tokens[at].text);
        let is_exported = matches!(before, Some("pub" | ")"));
        let mut at = start + 1;
        let first = found.len();
        read_tree(tokens, &mut at, &mut Vec::new(), &mut found);
        uses.push((start, at));
        for Leaf { line, path, name } in &mut found[first..] {
            *path = absolute(source, paths, std::mem::take(path));
            if name != "*" {
                paths.imports.insert(name.clone(), path.clone());
            }
            if !is_exported {
                paths.named.push((*line, path.clone()));
            }
        }
    }
    uses
}

/// One name that a `use` item imports.
struct Leaf {
    line: usize,
    path: Path,
    name: String,
}

/// Reads a tree of `use`; `at` is then behind it.
fn read_tree(tokens: &[Token<'_>], at: &mut usize, prefix: &mut Path, leaves: &mut Vec<Leaf>) {
    let n_before = prefix.len();
    while let Some(token) = tokens.get(*at) {
        let line = token.line;
        *at += 1;
        match token.text {
            "{" => {
                while tokens.get(*at).is_some_and(|it| it.text != "}") {
                    read_tree(tokens, at, prefix, leaves);
                    if tokens.get(*at).is_some_and(|it| it.text == ",") {
                        *at += 1;
                    }
                }
                *at += 1;
                break;
            }
            "*" => {
                leaves.push(Leaf { line, path: prefix.clone(), name: "*".to_owned() });
                break;
            }
            "::" => {}
            word if token.is_word() => {
                // `a::{self}` is `a`.
                if word != "self" || prefix.is_empty() {
                    prefix.push(word.to_owned());
                }
                if tokens.get(*at).is_some_and(|it| it.text == "::") {
                    continue;
                }
                let mut name = prefix.last().cloned().unwrap_or_default();
                if let [as_, other, ..] = &tokens[*at..]
                    && as_.text == "as"
                {
                    other.text.clone_into(&mut name);
                    *at += 2;
                }
                leaves.push(Leaf { line, path: prefix.clone(), name });
                break;
            }
            _ => break,
        }
    }
    prefix.truncate(n_before);
}

/// Makes `self`, `super` and names of child modules begin with `crate`.
fn absolute(source: &Source, paths: &Paths, path: Path) -> Path {
    let mut here: Path = vec!["crate".to_owned()];
    here.extend(source.module.iter().cloned());
    let mut rest = path.as_slice();
    let Some(first) = rest.first() else { return path };
    if paths.children.contains(first) {
        return [&here[..], rest].concat();
    }
    if first != "self" && first != "super" {
        return path;
    }
    while let Some((first, after)) = rest.split_first() {
        match first.as_str() {
            "self" => {}
            "super" => {
                here.pop();
            }
            _ => break,
        }
        rest = after;
    }
    [&here[..], rest].concat()
}

/// Replaces the first name of a path by what it was imported from.
fn expand(source: &Source, paths: &Paths, path: Path) -> Path {
    match paths.imports.get(&path[0]) {
        Some(target) => [&target[..], &path[1..]].concat(),
        None => absolute(source, paths, path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(text: &str) -> Vec<String> {
        let paths = read(&Source::new("a/src/plan.rs", &["plan"], text));
        paths.named.iter().map(|(line, path)| format!("{line} {}", path.join("::"))).collect()
    }

    #[test]
    fn trees_are_expanded() {
        assert_eq!(
            named("use std::{fs, io::{self, Read as _}};\nuse super::graph::*;\n"),
            ["1 std::fs", "1 std::io", "1 std::io::Read", "2 crate::graph"]
        );
    }

    #[test]
    fn names_stand_for_what_was_imported() {
        let text = "mod way;\nfn f() {\n    process::exit(1);\n    way::find();\n    Self::new();\n}\nuse std::process;\n";
        assert_eq!(
            named(text),
            ["7 std::process", "3 std::process::exit", "4 crate::plan::way::find", "5 Self::new"]
        );
    }

    #[test]
    fn a_re_export_does_not_count_as_a_use() {
        let source = Source::new("a/src/lib.rs", &[], "mod plan;\npub use plan::Plan;\n");
        let paths = read(&source);
        assert!(paths.named.is_empty());
        assert_eq!(paths.imports["Plan"], ["crate", "plan", "Plan"]);
    }
}
