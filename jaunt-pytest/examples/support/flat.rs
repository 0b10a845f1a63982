//! The result as one flat object, for other tools.

use jaunt_pytest::PytestResult;
use serde_json::{Value, json};

pub(crate) fn document(result: &PytestResult) -> Value {
    let counts = &result.counts;
    let failures: Vec<Value> = result
        .failures
        .iter()
        .map(|failure| {
            json!({
                "nodeid": failure.node_id,
                "phase": failure.phase,
                "message": failure.message,
                "file": failure.file,
                "line": failure.line,
            })
        })
        .collect();
    json!({
        "exit_code": result.exit_code,
        "state": result.state,
        "passed": counts.passed,
        "failed": counts.failed,
        "errors": counts.errors,
        "skipped": counts.skipped,
        "xfailed": counts.xfailed,
        "xpassed": counts.xpassed,
        "reruns": counts.reruns,
        "deselected": counts.deselected,
        "warnings": counts.warnings,
        "failures": failures,
        "running": result.running,
        "complete": result.complete,
        "doubts": result.doubts.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "source": result.source,
    })
}
