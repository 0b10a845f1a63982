//! No circle between the files of a crate.

use std::collections::{BTreeMap, VecDeque};

use petgraph::algo::tarjan_scc;
use petgraph::graph::DiGraph;

use super::paths::{self, Path, Paths};
use super::violation::Violation;
use crate::source::Source;

/// Files by number, each with those that it uses and the line that says so.
type Uses = Vec<BTreeMap<usize, usize>>;

/// Finds files that use each other, and names the way around for each group of them.
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
        let Some(way) = way_around(&uses, &members) else { continue };
        let stops: Vec<String> = way
            .windows(2)
            .map(|step| format!("{}:{}", sources[step[0]].path, uses[step[0]][&step[1]]))
            .collect();
        // The way may leave some out.
        let others: Vec<&str> = members
            .iter()
            .filter(|member| !way.contains(member))
            .map(|member| sources[*member].path.as_str())
            .collect();
        let others = if others.is_empty() {
            String::new()
        } else {
            format!(", and with them {}", others.join(", "))
        };
        violations.push(Violation {
            path: sources[way[0]].path.clone(),
            line: uses[way[0]][&way[1]],
            what: format!(
                "{} files use each other in a circle: {} → {}{others}",
                members.len(),
                stops.join(" → "),
                sources[way[0]].path
            ),
            advice: "move what both need into a file of its own".to_owned(),
        });
    }
}

/// Returns a shortest way from the first member back to it, both ends named; `None` for a file alone.
fn way_around(uses: &Uses, members: &[usize]) -> Option<Vec<usize>> {
    let start = *members.iter().min()?;
    let mut from = BTreeMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(file) = queue.pop_front() {
        for &next in uses[file].keys().filter(|next| members.contains(next)) {
            if next == start {
                let mut way = vec![start, file];
                while let Some(&before) = from.get(way.last()?) {
                    way.push(before);
                }
                way.reverse();
                return Some(way);
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

/// Finds the file that defines what a path names, through imports and re-exports on the way.
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
            // What comes from another crate is nobody's file.
            return resolve(all, files, &further, depth + 1);
        }
    }
    Some(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn circles(sources: &[(&str, &[&str], &str)]) -> Vec<String> {
        let sources: Vec<Source> =
            sources.iter().map(|(path, module, text)| Source::new(path, module, text)).collect();
        let mut violations = Vec::new();
        check(&sources, &mut violations);
        violations.into_iter().map(|it| it.what).collect()
    }

    #[test]
    fn two_files_that_import_each_other_are_a_circle() {
        let found = circles(&[
            ("lib.rs", &[], "mod a;\nmod b;\npub use a::A;\npub use b::B;"),
            ("a.rs", &["a"], "use crate::B;\npub struct A(B);"),
            ("b.rs", &["b"], "pub struct B;\nimpl B {\n    fn f(_: super::a::A) {}\n}"),
        ]);
        assert_eq!(found, ["2 files use each other in a circle: a.rs:1 → b.rs:3 → a.rs"]);
    }

    #[test]
    fn a_parent_that_declares_and_re_exports_is_in_no_circle() {
        let found = circles(&[
            ("lib.rs", &[], "mod a;\npub use a::A;"),
            ("a.rs", &["a"], "mod inner;\npub(crate) use inner::A;"),
            ("a/inner.rs", &["a", "inner"], "use super::A as Again;\nuse crate::A as Other;"),
        ]);
        assert!(found.is_empty(), "{found:?}");
    }

    #[test]
    fn a_parent_that_uses_its_child_is_in_a_circle_with_it() {
        let found = circles(&[
            ("lib.rs", &[], "mod a;"),
            ("a.rs", &["a"], "mod inner;\nfn f() { inner::g(); }\npub struct S;"),
            ("a/inner.rs", &["a", "inner"], "use super::S;\npub fn g() {}"),
        ]);
        assert_eq!(found, ["2 files use each other in a circle: a.rs:2 → a/inner.rs:1 → a.rs"]);
    }

    #[test]
    fn the_shortest_way_around_is_told() {
        let found = circles(&[
            ("lib.rs", &[], "mod a;\nmod b;\nmod c;"),
            ("a.rs", &["a"], "use crate::b::B;"),
            ("b.rs", &["b"], "use crate::c;\nfn f() { c::g() }"),
            ("c.rs", &["c"], "\nuse crate::{a, b};"),
        ]);
        assert_eq!(found, ["3 files use each other in a circle: a.rs:1 → b.rs:1 → c.rs:2 → a.rs"]);
    }
}
