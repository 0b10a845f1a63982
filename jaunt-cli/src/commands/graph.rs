//! `jaunt graph`

use std::collections::{BTreeMap, BTreeSet};

use jaunt_digest::{Kind, ModuleName};

use crate::args::{Format, GraphArgs};
use crate::commands::generate::{Loaded, load};
use crate::document::{self, GraphDocument, GraphNode};
use crate::error::{CommandResult, Exit};
use crate::project::{Session, Targets, Workspace};

pub(crate) async fn run(session: &Session, args: &GraphArgs) -> CommandResult<Exit> {
    let workspace = Workspace::open(session)?;
    let loaded = load(session, &workspace, &[Kind::Build, Kind::Test]).await?;
    loaded.expect_any_specs(args.allow_empty)?;
    let targets = Targets::resolve(&loaded.registry, &args.targets)?;
    let nodes = nodes(&loaded, (!args.targets.is_empty()).then_some(&targets));
    let text = match session.common.format {
        _ if session.ui.is_json() => document::render(&GraphDocument {
            schema: "jaunt.graph/1",
            command: "graph",
            ok: true,
            exit_code: 0,
            modules: nodes,
        }),
        Format::Dot => dot(&nodes),
        Format::Mermaid => mermaid(&nodes),
        Format::Human | Format::Json => plain(&nodes),
    };
    session.ui.result(&text);
    Ok(Exit::Success)
}

fn nodes(loaded: &Loaded, targets: Option<&Targets>) -> Vec<GraphNode> {
    let project = &loaded.project;
    let mut wanted: Option<BTreeSet<ModuleName>> = None;
    if let Some(targets) = targets {
        let tests = project.with_dependencies(Kind::Test, &targets.test);
        let tested = tests.iter().flat_map(|name| &project.module(name).tested);
        let builds: Vec<ModuleName> = targets.build.iter().chain(tested).cloned().collect();
        wanted = Some(
            tests.into_iter().chain(project.with_dependencies(Kind::Build, &builds)).collect(),
        );
    }
    let modules = project.modules().iter();
    let modules =
        modules.filter(|(name, _)| wanted.as_ref().is_none_or(|wanted| wanted.contains(*name)));
    let nodes = modules.map(|(name, module)| GraphNode {
        module: name.clone(),
        kind: module.kind.as_str(),
        depends_on: module.dependencies.iter().cloned().collect(),
        tests: module.tested.iter().cloned().collect(),
    });
    nodes.collect()
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
