//! No cycles between the files of a crate.

use std::collections::{BTreeMap, VecDeque};

use petgraph::algo::tarjan_scc;
use petgraph::graph::DiGraph;

use super::paths::{self, Path, Paths};
use super::violation::Violation;
use crate::source::Source;

/// For each file, by number: the files that it uses, each with the first line that does.
type Uses = Vec<BTreeMap<usize, usize>>;

/// Finds strongly connected components of files, and spells out a shortest cycle in each.
pub(super) fn check(sources: &[Source], violations: &mut Vec<Violation>) {
    let uses = uses(sources);
    let edges = uses.iter().enumerate().flat_map(|(from, to)| to.keys().map(move |to| (from, *to)));
    let mut graph = DiGraph::<(), (), usize>::default();
    for _ in sources {
        graph.add_node(());
    }
    graph.extend_with_edges(edges);
    for component in tarjan_scc(&graph) {
        let members: Vec<usize> = component.iter().map(|node| node.index()).collect();
        let Some(cycle) = shortest_cycle(&uses, &members) else { continue };
        let steps: Vec<String> = cycle
            .windows(2)
            .map(|step| format!("{}:{}", sources[step[0]].path, uses[step[0]][&step[1]]))
            .collect();
        // The cycle may leave some members out.
        let others: Vec<&str> = members
            .iter()
            .filter(|member| !cycle.contains(member))
            .map(|member| sources[*member].path.as_str())
            .collect();
        let others = if others.is_empty() {
            String::new()
        } else {
            format!(", and with them {}", others.join(", "))
        };
        violations.push(Violation {
            path: sources[cycle[0]].path.clone(),
            line: uses[cycle[0]][&cycle[1]],
            what: format!(
                "{} files use each other in a cycle: {} → {}{others}",
                members.len(),
                steps.join(" → "),
                sources[cycle[0]].path
            ),
            advice: "move what both need into a file of its own".to_owned(),
        });
    }
}

/// Returns a shortest path from the first member back to itself, with both ends; `None` if there is none.
fn shortest_cycle(uses: &Uses, members: &[usize]) -> Option<Vec<usize>> {
    let start = *members.iter().min()?;
    let mut from = BTreeMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(file) = queue.pop_front() {
        for &next in uses[file].keys().filter(|next| members.contains(next)) {
            if next == start {
                let mut cycle = vec![start, file];
                while let Some(&before) = from.get(cycle.last()?) {
                    cycle.push(before);
                }
                cycle.reverse();
                return Some(cycle);
            }
            if let std::collections::btree_map::Entry::Vacant(vacant) = from.entry(next) {
                vacant.insert(file);
                queue.push_back(next);
            }
        }
    }
    None
}

fn uses(sources: &[Source]) -> Uses {
    let all: Vec<Paths> = sources.iter().map(paths::read).collect();
    let files: BTreeMap<&[String], usize> =
        sources.iter().enumerate().map(|(idx, it)| (it.module.as_slice(), idx)).collect();
    let mut uses = vec![BTreeMap::new(); sources.len()];
    for (from, paths) in all.iter().enumerate() {
        for (line, path) in &paths.named {
            if let Some(to) = resolve(&all, &files, path, 0)
                && to != from
            {
                uses[from].entry(to).or_insert(*line);
            }
        }
    }
    uses
}

/// Finds the file that defines what a path names, following imports and re-exports.
fn resolve(
    all: &[Paths],
    files: &BTreeMap<&[String], usize>,
    path: &Path,
    depth: usize,
) -> Option<usize> {
    let (first, rest) = path.split_first()?;
    if first != "crate" || depth > 16 {
        return None;
    }
    let n_modules = (0..=rest.len()).rev().find(|&n| files.contains_key(&rest[..n]))?;
    let file = files[&rest[..n_modules]];
    let Some(item) = rest.get(n_modules) else { return Some(file) };
    let paths = &all[file];
    // A module from elsewhere (`#[path = "…"]`).
    if paths.children.contains(item) {
        return None;
    }
    if let Some(target) = paths.imports.get(item) {
        let further = [&target[..], &rest[n_modules + 1..]].concat();
        if further != *path {
            // A path into another crate is no file here.
            return resolve(all, files, &further, depth + 1);
        }
    }
    Some(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cycles(sources: &[(&str, &[&str], &str)]) -> Vec<String> {
        let sources: Vec<Source> =
            sources.iter().map(|(path, module, text)| Source::new(path, module, text)).collect();
        let mut violations = Vec::new();
        check(&sources, &mut violations);
        violations.into_iter().map(|it| it.what).collect()
    }

    #[test]
    fn two_files_that_import_each_other_are_a_cycle() {
        let found = cycles(&[
            ("lib.rs", &[], "mod a;\nmod b;\npub use a::A;\npub use b::B;"),
            ("a.rs", &["a"], "use crate::B;\npub struct A(B);"),
            ("b.rs", &["b"], "pub struct B;\nimpl B {\n    fn f(_: super::a::A) {}\n}"),
        ]);
        assert_eq!(found, ["2 files use each other in a cycle: a.rs:1 → b.rs:3 → a.rs"]);
    }

    #[test]
    fn a_parent_that_declares_and_re_exports_is_in_no_cycle() {
        let found = cycles(&[
            ("lib.rs", &[], "mod a;\npub use a::A;"),
            ("a.rs", &["a"], "mod inner;\npub(crate) use inner::A;"),
            ("a/inner.rs", &["a", "inner"], "use super::A as Again;\nuse crate::A as Other;"),
        ]);
        assert!(found.is_empty(), "{found:?}");
    }

    #[test]
    fn a_parent_that_uses_its_child_is_in_a_cycle_with_it() {
        let found = cycles(&[
            ("lib.rs", &[], "mod a;"),
            ("a.rs", &["a"], "mod inner;\nfn f() { inner::g(); }\npub struct S;"),
            ("a/inner.rs", &["a", "inner"], "use super::S;\npub fn g() {}"),
        ]);
        assert_eq!(found, ["2 files use each other in a cycle: a.rs:2 → a/inner.rs:1 → a.rs"]);
    }

    #[test]
    fn a_shortest_cycle_is_spelled_out() {
        let found = cycles(&[
            ("lib.rs", &[], "mod a;\nmod b;\nmod c;"),
            ("a.rs", &["a"], "use crate::b::B;"),
            ("b.rs", &["b"], "use crate::c;\nfn f() { c::g() }"),
            ("c.rs", &["c"], "\nuse crate::{a, b};"),
        ]);
        assert_eq!(found, ["3 files use each other in a cycle: a.rs:1 → b.rs:1 → c.rs:2 → a.rs"]);
    }
}
