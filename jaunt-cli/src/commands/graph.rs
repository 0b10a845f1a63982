//! `jaunt graph`

use std::collections::BTreeMap;

use jaunt_digest::{Kind, ModuleName};
use jaunt_engine::{GraphModule, GraphOptions};
use jaunt_report::{GraphDocument, GraphNode, render};

use crate::args::{Format, GraphArgs};
use crate::error::CommandResult;
use crate::exit::Exit;
use crate::session::Session;

pub(crate) async fn run(session: &Session, args: &GraphArgs) -> CommandResult<Exit> {
    let options = GraphOptions { targets: args.targets.clone(), allow_empty: args.allow_empty };
    let modules = session.engine()?.graph(&options).await.map_err(|err| session.explain(err))?;
    let nodes: Vec<GraphNode> = modules.into_iter().map(node).collect();
    let text = match session.common.format {
        _ if session.ui.is_json() => render(&GraphDocument::new(nodes)),
        Format::Dot => dot(&nodes),
        Format::Mermaid => mermaid(&nodes),
        Format::Human | Format::Json => plain(&nodes),
    };
    session.ui.result(&text);
    Ok(Exit::Success)
}

fn node(module: GraphModule) -> GraphNode {
    GraphNode {
        module: module.module,
        kind: module.kind.as_str(),
        depends_on: module.dependencies,
        tests: module.tested,
    }
}

fn plain(nodes: &[GraphNode]) -> String {
    let lines = nodes.iter().map(|node| {
        let below: Vec<&str> =
            node.depends_on.iter().chain(&node.tests).map(ModuleName::as_str).collect();
        if below.is_empty() {
            format!("{}\n", node.module)
        } else {
            format!("{}: {}\n", node.module, below.join(" "))
        }
    });
    lines.collect()
}

fn dot(nodes: &[GraphNode]) -> String {
    let mut lines = vec![
        "digraph jaunt {".to_owned(),
        "  rankdir=LR;".to_owned(),
        "  node [shape=box];".to_owned(),
    ];
    for node in nodes {
        let style = if node.kind == Kind::Test.as_str() { " [style=rounded]" } else { "" };
        lines.push(format!("  \"{}\"{style};", node.module));
    }
    for node in nodes {
        let module = &node.module;
        let solid = node.depends_on.iter().map(|below| format!("  \"{module}\" -> \"{below}\";"));
        lines.extend(solid);
        let dashed = node.tests.iter();
        lines.extend(dashed.map(|below| format!("  \"{module}\" -> \"{below}\" [style=dashed];")));
    }
    lines.push("}\n".to_owned());
    lines.join("\n")
}

fn mermaid(nodes: &[GraphNode]) -> String {
    // Names such as `end` mean something in Mermaid, so nodes have numbers.
    let ids: BTreeMap<&ModuleName, usize> =
        nodes.iter().enumerate().map(|(idx, node)| (&node.module, idx)).collect();
    let mut lines = vec!["graph LR".to_owned()];
    for (idx, node) in nodes.iter().enumerate() {
        let is_test = node.kind == Kind::Test.as_str();
        let (open, close) = if is_test { ("([", "])") } else { ("[", "]") };
        lines.push(format!("  m{idx}{open}\"{}\"{close}", node.module));
    }
    for (idx, node) in nodes.iter().enumerate() {
        // A selection has all that its modules depend on.
        let to = |below: &ModuleName| ids.get(below);
        lines.extend(node.depends_on.iter().filter_map(to).map(|to| format!("  m{idx} --> m{to}")));
        lines.extend(node.tests.iter().filter_map(to).map(|to| format!("  m{idx} -.-> m{to}")));
    }
    lines.push(String::new());
    lines.join("\n")
}
