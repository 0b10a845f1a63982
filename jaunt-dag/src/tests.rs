mod laws;

use std::fmt::Display;
use std::{iter, thread};

use insta::assert_snapshot;

use crate::{Dag, condense};

/// Reads the notation of these tests: `page: cart stock; cart: price`.
fn edges(text: &str) -> Vec<(&str, Vec<&str>)> {
    let line = |line| {
        let (node, deps): (&str, &str) = str::split_once(line, ':').unwrap_or((line, ""));
        (node.trim(), deps.split_whitespace().collect())
    };
    text.split(';').filter(|line| !line.trim().is_empty()).map(line).collect()
}

#[track_caller]
fn dag(text: &str) -> Dag<&str> {
    Dag::new(edges(text)).unwrap()
}

/// Writes the notation, a line for each node, in sorted order.
fn show<N: Ord + Clone + Display>(dag: &Dag<N>) -> String {
    let lines = dag.nodes().map(|node| format!("{node}: {}", list(dag.deps(node))));
    lines.map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

fn list(nodes: impl IntoIterator<Item = impl Display>) -> String {
    nodes.into_iter().map(|node| node.to_string()).collect::<Vec<_>>().join(" ")
}

/// `shop` uses every shape: a diamond, a node that is reached twice, one that nothing touches.
const SHOP: &str = "page: cart stock; cart: price tax; tax: price; stock: price; admin";

#[test]
fn a_graph_knows_its_nodes_and_both_ends_of_each_edge() {
    let dag = dag("page: stock cart cart; page: price; cart: price");

    assert_snapshot!(show(&dag), @r"
    cart: price
    page: cart price stock
    price:
    stock:
    ");
    assert_snapshot!(list(dag.dependents(&"price")), @"cart page");
    assert_snapshot!(format!("{dag:?}"), @r#"{"cart": ["price"], "page": ["cart", "price", "stock"], "price": [], "stock": []}"#);
    assert_eq!((dag.len(), dag.is_empty()), (4, false));
    assert!(dag.contains(&"stock") && !dag.contains(&"shelf"));
    assert_eq!(dag.deps(&"shelf").len() + dag.dependents(&"shelf").len(), 0);
}

#[test]
fn indices_are_in_the_order_of_names() {
    let dag = dag("b: a; c: b a");

    assert_eq!(dag.index_of(&"b"), Some(1));
    assert_eq!(dag.index_of(&"d"), None);
    assert_eq!(dag.node_at(2), &"c");
    assert_eq!((dag.deps_at(2), dag.dependents_at(0)), (&[0, 1][..], &[1, 2][..]));
    assert_eq!(dag.critical_path_at(|_| 1), [3, 2, 1]);
}

#[test]
fn an_empty_graph_is_a_graph() {
    for dag in [dag(""), Dag::default()] {
        assert!(dag.is_empty() && dag.order().len() == 0);
        assert!(dag.fold(|_, _: &[&()]| ()).is_empty() && dag.critical_path(|_| 1).is_empty());
        assert!(dag.induced(|_| true).is_empty() && dag.with_dependents([&"a"]).is_empty());
        assert!(dag.quotient(|_| "a").unwrap().is_empty());
    }
    assert!(condense(edges("")).units().is_empty());
}

#[test]
fn dependencies_come_first_and_then_the_smallest() {
    assert_snapshot!(list(dag(SHOP).order()), @"admin price stock tax cart page");
    assert_snapshot!(list(dag("a: z; b; c").order()), @"b c z a");
}

#[test]
fn a_change_reaches_its_dependents_and_a_wish_its_dependencies() {
    let dag = dag(SHOP);

    assert_snapshot!(list(dag.with_dependents([&"tax"])), @"cart page tax");
    assert_snapshot!(list(dag.with_dependents([&"tax", &"stock", &"admin"])), @"admin cart page stock tax");
    assert_snapshot!(list(dag.with_dependencies([&"cart"])), @"cart price tax");
    assert_snapshot!(list(dag.with_dependencies([&"stock", &"stock", &"tax"])), @"price stock tax");
}

#[test]
fn nodes_that_are_gone_reach_nothing() {
    let dag = dag(SHOP);

    assert_snapshot!(list(dag.with_dependents([&"gone", &"page"])), @"page");
    assert_snapshot!(list(dag.with_dependencies([&"gone"])), @"");
}

#[test]
fn a_part_keeps_the_edges_within_it() {
    assert_snapshot!(show(&dag(SHOP).induced(|node| *node != "cart" && *node != "admin")), @r"
    page: stock
    price:
    stock: price
    tax: price
    ");
}

#[test]
fn folds_see_values_in_the_order_of_names() {
    let text = |node: &&str, values: &[&String]| match values {
        [] => (*node).to_owned(),
        _ => format!("{node}({})", list(values)),
    };
    let dag = dag("page: stock cart; cart: price; stock: price");

    assert_snapshot!(list(dag.fold(text).values()), @"cart(price) page(cart(price) stock(price)) price stock(price)");
    assert_snapshot!(list(dag.rfold(text).values()), @"cart(page) page price(cart(page) stock(page)) stock(page)");
}

#[test]
fn the_critical_path_is_the_heaviest_way_up() {
    let weight = |node: &&str| if *node == "stock" { 9 } else { 2 };
    let paths = dag(SHOP).critical_path(weight);

    let paths = paths.iter().map(|(node, path)| format!("{node}={path}"));
    assert_snapshot!(list(paths), @"admin=2 cart=4 page=2 price=13 stock=11 tax=6");
}

#[test]
fn sums_of_weights_do_not_overflow() {
    let paths = dag("a: b; b: c").critical_path(|_| u64::MAX - 1);
    assert_eq!(paths["a"], u64::MAX - 1);
    assert_eq!(paths["c"], u64::MAX);
}

#[test]
fn a_cycle_is_spelled_out_from_its_smallest_node() {
    let cycle = |text| Dag::new(edges(text)).unwrap_err().to_string();

    assert_snapshot!(cycle("c: a; a: b; b: c; top: a; b: leaf"), @"a -> b -> c -> a");
    assert_snapshot!(cycle("a: a"), @"a -> a");
    assert_snapshot!(cycle("b: c; c: b; a: b"), @"b -> c -> b");
    assert_eq!(Dag::new(edges("b: a; a: b")).unwrap_err().path(), ["a", "b"]);
    assert_eq!(Dag::new(edges("b: a; a: b")).unwrap_err().into_path(), ["a", "b"]);
}

#[test]
fn of_several_cycles_the_shortest_is_shown_and_then_the_first() {
    let cycle = |text| Dag::new(edges(text)).unwrap_err().to_string();

    assert_snapshot!(cycle("a: b; b: c; c: a; y: z; z: y"), @"y -> z -> y");
    assert_snapshot!(cycle("a: b; b: c; c: d b; d: a"), @"b -> c -> b");
    assert_snapshot!(cycle("a: d c; c: b; d: b; b: a"), @"a -> c -> b -> a");
    assert_snapshot!(cycle("c: d; d: c; a: b; b: a; z: z"), @"z -> z");
    assert_snapshot!(cycle("c: d; d: c; a: b; b: a"), @"a -> b -> a");
}

/// Specs that do not depend on each other in a ring, in modules that do.
const TRAP: &str = "a.x: b.y; b.z: a.w; c.v: b.z a.x";

fn module(spec: &str) -> &str {
    spec.split('.').next().unwrap()
}

#[test]
fn a_quotient_joins_what_has_the_same_key() {
    let modules = dag("a.x: b.y a.w; a.w: c.v; b.y: c.u").quotient(|spec| module(spec)).unwrap();

    assert_snapshot!(show(&modules), @r"
    a: b c
    b: c
    c:
    ");
}

#[test]
fn a_graph_without_cycles_may_have_a_quotient_with_one() {
    let specs = dag(TRAP);

    assert_snapshot!(specs.quotient(|spec| module(spec)).unwrap_err(), @"a -> b -> a");
}

#[test]
fn condense_makes_units_of_what_a_quotient_cannot_order() {
    let specs = dag(TRAP);
    let condensed =
        condense(specs.nodes().map(|spec| {
            (module(spec), specs.deps(spec).map(|dep| module(dep)).collect::<Vec<_>>())
        }));

    assert_snapshot!(show(condensed.units()), @r"
    a:
    c: a
    ");
    assert_eq!(condensed.members(&"a"), ["a", "b"]);
    assert_eq!((condensed.unit_of(&"b"), condensed.unit_of(&"c")), (&"a", &"c"));
}

#[test]
fn a_unit_depends_on_whatever_its_members_do() {
    let condensed = condense(edges("d: c; c: d b z; b: b; e: d c; y: z; z: y x"));

    assert_snapshot!(show(condensed.units()), @r"
    b:
    c: b y
    e: c
    x:
    y: x
    ");
    let members = condensed.units().nodes().map(|unit| condensed.members(unit).join("+"));
    assert_snapshot!(list(members), @"b c+d e x y+z");
    assert_eq!(condensed.members(&"d"), condensed.members(&"c"));
    assert!(condensed.contains(&"z") && !condensed.contains(&"a"));
}

/// Runs `body` where a recursion as deep as a big graph would overflow the stack at once.
fn on_a_tiny_stack(body: impl FnOnce() + Send + 'static) {
    thread::Builder::new().stack_size(64 * 1024).spawn(body).unwrap().join().unwrap();
}

const CHAIN: usize = 100_000;
const FAN: usize = 20_000;

#[test]
fn a_chain_of_100_000_asks_for_no_stack() {
    on_a_tiny_stack(|| {
        // Against the order of names, so that no order is right by chance.
        let edges = || (0..CHAIN).map(|node| (node, (node + 1 < CHAIN).then_some(node + 1)));
        let dag = Dag::new(edges()).unwrap();

        assert!(dag.order().copied().eq((0..CHAIN).rev()));
        assert_eq!(dag.with_dependents([&(CHAIN - 1)]).len(), CHAIN);
        assert_eq!(dag.with_dependencies([&0]).len(), CHAIN);
        assert_eq!(dag.induced(|node| node % 3 != 0).with_dependents([&5]).len(), 2);
        assert_eq!(
            dag.fold(|_, deps: &[&usize]| deps.iter().copied().sum::<usize>() + 1)[&0],
            CHAIN
        );
        assert_eq!(dag.rfold(|_, deps: &[&usize]| deps.len())[&0], 0);
        assert_eq!(dag.critical_path(|_| 2)[&(CHAIN - 1)], 2 * CHAIN as u64);
        assert_eq!(dag.quotient(|node| node / 2).unwrap().len(), CHAIN / 2);
        assert_eq!(condense(edges()).units().len(), CHAIN);
        assert_eq!(dag.clone().len(), CHAIN);
    });
}

#[test]
fn a_fan_of_20_000_is_no_burden() {
    on_a_tiny_stack(|| {
        // One node under all, and one over all.
        let edges = (1..=FAN).map(|node| (node, vec![0])).chain([(FAN + 1, (1..=FAN).collect())]);
        let dag = Dag::new(edges).unwrap();

        assert!(dag.order().copied().eq(0..FAN + 2));
        assert_eq!(dag.with_dependents(dag.nodes()).len(), FAN + 2);
        assert_eq!(dag.with_dependencies(dag.nodes()).len(), FAN + 2);
        assert_eq!(dag.fold(|_, deps: &[&usize]| deps.len())[&(FAN + 1)], FAN);
        assert_eq!(dag.critical_path(|_| 1)[&0], 3);
        assert_eq!(dag.quotient(|node| usize::from(*node > 0)).unwrap().len(), 2);
    });
}

#[test]
fn a_ring_of_100_000_does_not_hide_a_short_one() {
    on_a_tiny_stack(|| {
        let ring = || (0..CHAIN).map(|node| (node, [(node + 1) % CHAIN]));

        assert!(Dag::new(ring()).unwrap_err().path().iter().copied().eq(0..CHAIN));
        assert_eq!(condense(ring()).members(&7).len(), CHAIN);

        // However far from the first node it is.
        let shortcut = iter::once((90_004, [90_002]));
        let cycle = Dag::new(ring().chain(shortcut)).unwrap_err();
        assert_snapshot!(cycle, @"90002 -> 90003 -> 90004 -> 90002");
    });
}

#[test]
fn a_component_in_which_everything_depends_on_everything_is_fast() {
    let clique = || (0..600).map(|node| (node, (0..600).filter(move |dep| *dep != node)));

    assert_snapshot!(Dag::new(clique()).unwrap_err(), @"0 -> 1 -> 0");
    assert_eq!(condense(clique()).units().len(), 1);
}

#[test]
fn many_components_are_fast() {
    on_a_tiny_stack(|| {
        let edges = || (0..CHAIN).map(|node| (node, [node ^ 1, node / 4 * 4]));
        let condensed = condense(edges());

        // Pairs; and the self-loop of every fourth node, which `condense` forgets.
        assert_eq!(condensed.units().len(), CHAIN / 2);
        assert_eq!(condensed.members(&9), [8, 9]);
        assert_snapshot!(Dag::new(edges()).unwrap_err(), @"0 -> 0");
    });
}

#[test]
fn answers_are_borrowed_from_the_graph_and_not_from_the_question() {
    let dag = Dag::new([("cart".to_owned(), vec!["price".to_owned()])]).unwrap();

    let deps = dag.deps(&"cart".to_owned());
    let reached = dag.with_dependents([&"price".to_owned()]);
    assert_snapshot!(list(deps), @"price");
    assert_snapshot!(list(reached), @"cart price");
}
