//! `jaunt.graph/1`

use jaunt_digest::ModuleName;
use serde::Serialize;

use crate::schema;

/// `jaunt.graph/1`: modules, and what they depend on.
#[derive(Debug, Serialize)]
pub struct GraphDocument {
    schema: &'static str,
    command: &'static str,
    ok: bool,
    exit_code: u8,
    modules: Vec<GraphNode>,
}

/// One module.
#[derive(Debug, Serialize)]
pub struct GraphNode {
    /// Its name.
    pub module: ModuleName,
    /// `build` or `test`.
    pub kind: &'static str,
    /// Modules of the same kind that it depends on.
    pub depends_on: Vec<ModuleName>,
    /// Product modules that it tests.
    pub tests: Vec<ModuleName>,
}

impl GraphDocument {
    /// Lists these modules.
    pub fn new(modules: Vec<GraphNode>) -> Self {
        Self { schema: schema::GRAPH, command: "graph", ok: true, exit_code: 0, modules }
    }
}
