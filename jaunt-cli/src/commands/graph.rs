//! `jaunt graph`

use std::collections::BTreeSet;

use jaunt_digest::Kind;
use jaunt_digest::ModuleName;

use crate::args::Format;
use crate::args::GraphArgs;
use crate::commands::generate::Loaded;
use crate::commands::generate::load;
use crate::document;
use crate::document::GraphDocument;
use crate::document::GraphNode;
use crate::error::CommandResult;
use crate::error::Exit;
use crate::project::Session;
use crate::project::Targets;
use crate::project::Workspace;

pub(crate) async fn run(session: &Session, args: &GraphArgs) -> CommandResult<Exit> {
    let workspace = Workspace::open(session)?;
    let loaded = load(session, &workspace, &[Kind::Build, Kind::Test]).await?;
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
    let mut text = "digraph jaunt {\n  rankdir=LR;\n  node [shape=box];\n".to_owned();
    for node in nodes {
        let style = if node.kind == Kind::Test.as_str() { " [style=rounded]" } else { "" };
        text.push_str(&format!("  \"{}\"{style};\n", node.module));
    }
    for node in nodes {
        for below in &node.depends_on {
            text.push_str(&format!("  \"{}\" -> \"{below}\";\n", node.module));
        }
        for below in &node.tests {
            text.push_str(&format!("  \"{}\" -> \"{below}\" [style=dashed];\n", node.module));
        }
    }
    text.push_str("}\n");
    text
}

fn mermaid(nodes: &[GraphNode]) -> String {
    // Names such as `end` mean something in Mermaid, so nodes have numbers.
    let id = |name: &ModuleName| {
        let idx = nodes.iter().position(|node| node.module == *name);
        idx.map_or_else(|| format!("m{}", nodes.len()), |idx| format!("m{idx}"))
    };
    let mut text = "graph LR\n".to_owned();
    for (idx, node) in nodes.iter().enumerate() {
        let (open, close) =
            if node.kind == Kind::Test.as_str() { ("([", "])") } else { ("[", "]") };
        text.push_str(&format!("  m{idx}{open}\"{}\"{close}\n", node.module));
    }
    for (idx, node) in nodes.iter().enumerate() {
        for below in &node.depends_on {
            text.push_str(&format!("  m{idx} --> {}\n", id(below)));
        }
        for below in &node.tests {
            text.push_str(&format!("  m{idx} -.-> {}\n", id(below)));
        }
    }
    text
}
