//! What holds for every graph, tried on a thousand small ones each.

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::{btree_set, vec};
use proptest::prelude::{Just, ProptestConfig, Strategy, any};
use proptest::test_runner::RngSeed;
use proptest::{prop_assert, prop_assert_eq, proptest};

use crate::{Dag, condense, condense_pairs};

type Edges = BTreeMap<u8, BTreeSet<u8>>;

/// The same graphs on every machine, and no files about those that failed.
fn config() -> ProptestConfig {
    let rng_seed = RngSeed::Fixed(0x6a61_756e_7421);
    ProptestConfig { cases: 1024, failure_persistence: None, rng_seed, ..ProptestConfig::default() }
}

/// Any graph on `0..n`.
fn graphs(max: u8) -> impl Strategy<Value = Edges> {
    (1..=max).prop_flat_map(|n| {
        vec(btree_set(0..n, 0..=3), usize::from(n)).prop_map(|deps| (0..).zip(deps).collect())
    })
}

/// A graph without cycles, in which the order of names says nothing about the edges.
fn acyclic(max: u8) -> impl Strategy<Value = Edges> {
    let ranks = (0..=max).prop_flat_map(|n| Just((0..n).collect::<Vec<u8>>()).prop_shuffle());
    (ranks, vec(any::<bool>(), usize::from(max).pow(2))).prop_map(move |(ranks, bits)| {
        let deps = |node: u8| {
            let is_dep = |dep: &u8| {
                ranks[usize::from(*dep)] < ranks[usize::from(node)]
                    && bits[usize::from(node) * usize::from(max) + usize::from(*dep)]
            };
            (0..).take(ranks.len()).filter(is_dep).collect()
        };
        (0..).take(ranks.len()).map(|node| (node, deps(node))).collect()
    })
}

fn dag(edges: &Edges) -> Dag<u8> {
    Dag::new(edges.clone()).unwrap()
}

fn copied<'a>(nodes: impl IntoIterator<Item = &'a u8>) -> BTreeSet<u8> {
    nodes.into_iter().copied().collect()
}

/// What each node reaches in one step or more, found by going on until nothing is new.
fn reach(edges: &Edges) -> Edges {
    let mut reach = edges.clone();
    loop {
        let next: Edges = reach
            .iter()
            .map(|(node, to)| {
                (*node, to.iter().flat_map(|to| &reach[to]).chain(to).copied().collect())
            })
            .collect();
        if next == reach {
            return reach;
        }
        reach = next;
    }
}

/// Every cycle, each once and from its smallest node.
fn cycles(edges: &Edges) -> Vec<Vec<u8>> {
    let mut paths: Vec<Vec<u8>> = edges.keys().map(|&node| vec![node]).collect();
    let mut cycles = Vec::new();
    while let Some(path) = paths.pop() {
        for dep in &edges[path.last().unwrap()] {
            if *dep == path[0] {
                cycles.push(path.clone());
            } else if *dep > path[0] && !path.contains(dep) {
                paths.push([&path[..], &[*dep]].concat());
            }
        }
    }
    cycles
}

/// The heaviest of all paths that lead up from `node`, each walked to its end.
fn heaviest(dag: &Dag<u8>, node: u8, weight: &impl Fn(&u8) -> u64) -> u64 {
    let behind = dag.dependents(&node).map(|&dependent| heaviest(dag, dependent, weight));
    weight(&node) + behind.max().unwrap_or(0)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn pairs_of_indices_make_the_same_graph(edges in graphs(7)) {
        let nodes: Vec<u8> = edges.keys().copied().collect();
        let pairs: Vec<(usize, usize)> = edges
            .iter()
            .flat_map(|(node, deps)| deps.iter().map(|dep| (usize::from(*node), usize::from(*dep))))
            .rev()
            .collect();
        let named = Dag::new(edges.clone()).map(|dag| format!("{dag:?} {:?}", dag.order));
        let numbered =
            Dag::from_pairs(nodes.clone(), pairs.clone()).map(|dag| format!("{dag:?} {:?}", dag.order));
        prop_assert_eq!(named, numbered);
        let (named, numbered) = (condense(edges), condense_pairs(nodes, pairs));
        prop_assert_eq!(format!("{named:?}"), format!("{numbered:?}"));
    }

    #[test]
    fn a_graph_is_what_was_given(edges in acyclic(9)) {
        let dag = dag(&edges);

        prop_assert!(dag.nodes().eq(edges.keys()));
        for (node, deps) in &edges {
            prop_assert!(dag.deps(node).eq(deps));
            prop_assert!(dag.dependents(node).eq(edges.keys().filter(|it| edges[it].contains(node))));
        }
    }

    #[test]
    fn indices_say_the_same_as_names(edges in acyclic(9)) {
        let dag = dag(&edges);

        let names = |indices: &[usize]| indices.iter().map(|&idx| *dag.node_at(idx)).collect::<Vec<_>>();
        for (idx, node) in dag.nodes().enumerate() {
            prop_assert_eq!(dag.index_of(node), Some(idx));
            prop_assert!(names(dag.deps_at(idx)).iter().eq(dag.deps(node)));
            prop_assert!(names(dag.dependents_at(idx)).iter().eq(dag.dependents(node)));
        }
    }

    #[test]
    fn the_order_takes_the_smallest_of_all_that_it_may(edges in acyclic(9)) {
        let mut done = BTreeSet::new();
        for node in dag(&edges).order() {
            let may_come = |it: &&u8| !done.contains(*it) && edges[it].is_subset(&done);
            prop_assert_eq!(edges.keys().find(may_come), Some(node));
            done.insert(*node);
        }
        prop_assert_eq!(done.len(), edges.len());
    }

    #[test]
    fn a_graph_is_refused_for_its_first_shortest_cycle(edges in graphs(7)) {
        let shortest = cycles(&edges).into_iter().min_by_key(|path| (path.len(), path.clone()));
        prop_assert_eq!(Dag::new(edges).err().map(|cycle| cycle.into_path()), shortest);
    }

    #[test]
    fn reached_is_what_a_path_leads_to(edges in acyclic(9), from in btree_set(0_u8..9, 0..=4)) {
        let dag = dag(&edges);
        let reach = reach(&edges);

        let known = || from.iter().filter(|node| edges.contains_key(node));
        let down: BTreeSet<u8> = known().flat_map(|node| reach[node].iter().chain([node])).copied().collect();
        let up = edges.keys().filter(|it| from.contains(it) || !reach[it].is_disjoint(&from));
        prop_assert_eq!(copied(dag.with_dependencies(&from)), down);
        prop_assert_eq!(copied(dag.with_dependents(&from)), copied(up));
    }

    #[test]
    fn to_reach_is_idempotent_and_monotone(
        edges in acyclic(9),
        few in btree_set(0_u8..9, 0..=3),
        more in btree_set(0_u8..9, 0..=3),
    ) {
        let dag = dag(&edges);
        let all = &few | &more;

        let once = dag.with_dependents(&few);
        prop_assert_eq!(&dag.with_dependents(once.iter().copied()), &once);
        prop_assert!(once.is_subset(&dag.with_dependents(&all)));
        let once = dag.with_dependencies(&few);
        prop_assert_eq!(&dag.with_dependencies(once.iter().copied()), &once);
        prop_assert!(once.is_subset(&dag.with_dependencies(&all)));
    }

    #[test]
    fn a_part_has_the_edges_between_its_nodes(edges in acyclic(9), keep in btree_set(0_u8..9, 0..=9)) {
        let part = dag(&edges).induced(|node| keep.contains(node));

        let kept = edges.iter().filter(|(node, _)| keep.contains(node));
        let kept: Edges = kept.map(|(node, deps)| (*node, deps & &keep)).collect();
        prop_assert_eq!(part.nodes().map(|node| (*node, copied(part.deps(node)))).collect::<Edges>(), kept);
    }

    #[test]
    fn a_fold_sees_everything_below_and_an_rfold_everything_above(edges in acyclic(9)) {
        let dag = dag(&edges);
        let join = |node: &u8, sets: &[&BTreeSet<u8>]| {
            sets.iter().copied().flatten().chain([node]).copied().collect::<BTreeSet<u8>>()
        };

        let (below, above) = (dag.fold(join), dag.rfold(join));
        for node in dag.nodes() {
            prop_assert_eq!(&below[node], &copied(dag.with_dependencies([node])));
            prop_assert_eq!(&above[node], &copied(dag.with_dependents([node])));
        }
    }

    #[test]
    fn folds_give_values_in_the_order_of_names(edges in acyclic(9)) {
        let dag = dag(&edges);

        let mut called = Vec::new();
        dag.fold(|node, deps: &[&u8]| {
            called.push(*node);
            assert!(deps.iter().copied().eq(dag.deps(node)));
            *node
        });
        prop_assert!(called.iter().eq(dag.order()));
        dag.rfold(|node, dependents: &[&u8]| {
            assert!(dependents.iter().copied().eq(dag.dependents(node)));
            *node
        });
    }

    #[test]
    fn the_critical_path_is_the_heaviest_of_all_paths(
        edges in acyclic(8),
        weights in vec(0_u64..5, 8),
    ) {
        let dag = dag(&edges);
        let weight = |node: &u8| weights[usize::from(*node)];

        let paths = dag.critical_path(weight);
        for node in dag.nodes() {
            prop_assert_eq!(paths[node], heaviest(&dag, *node, &weight));
        }
        prop_assert!(dag.critical_path_at(weight).iter().eq(paths.values()));
    }

    #[test]
    fn units_are_what_reaches_each_other(edges in graphs(9)) {
        let condensed = condense(edges.clone());
        let reach = reach(&edges);

        let mut seen = BTreeSet::new();
        for unit in condensed.units().nodes() {
            let members = condensed.members(unit);
            prop_assert_eq!(members.first(), Some(unit));
            prop_assert!(members.is_sorted());
            for member in members {
                prop_assert!(seen.insert(*member), "{} is in two units", member);
                prop_assert_eq!(condensed.unit_of(member), unit);
            }
        }
        prop_assert!(seen.iter().eq(edges.keys()));
        for (one, other) in edges.keys().flat_map(|one| edges.keys().map(move |other| (one, other))) {
            let together = one == other || (reach[one].contains(other) && reach[other].contains(one));
            prop_assert_eq!(condensed.unit_of(one) == condensed.unit_of(other), together);
        }
    }

    #[test]
    fn units_depend_on_each_other_as_their_members_do(edges in graphs(9)) {
        let condensed = condense(edges.clone());

        let mut between: Edges = condensed.units().nodes().map(|unit| (*unit, BTreeSet::new())).collect();
        for (node, deps) in &edges {
            let (unit, deps) = (condensed.unit_of(node), deps.iter().map(|dep| condensed.unit_of(dep)));
            between.get_mut(unit).unwrap().extend(deps.filter(|dep| *dep != unit));
        }
        for (unit, deps) in &between {
            prop_assert!(condensed.units().deps(unit).eq(deps));
        }
    }

    #[test]
    fn a_quotient_is_the_graph_of_keys_or_their_cycle(edges in acyclic(9), keys in vec(0_u8..5, 9)) {
        let key = |node: &u8| keys[usize::from(*node)];
        let mut between = Edges::new();
        for (node, deps) in &edges {
            let deps = deps.iter().map(key).filter(|dep| *dep != key(node));
            between.entry(key(node)).or_default().extend(deps);
        }

        match dag(&edges).quotient(key) {
            Ok(quotient) => {
                prop_assert!(quotient.nodes().eq(between.keys()));
                for (key, deps) in &between {
                    prop_assert!(quotient.deps(key).eq(deps));
                }
            }
            Err(cycle) => prop_assert_eq!(Dag::new(between).unwrap_err(), cycle),
        }
    }
}
