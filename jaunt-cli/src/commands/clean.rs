//! `jaunt clean`

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};
use jaunt_builder::GeneratedTree;
use jaunt_digest::Kind;
use jaunt_write::Tree;

use crate::args::CleanArgs;
use crate::commands::generate::load;
use crate::commands::status::generated_files;
use crate::document::{self, CleanDocument};
use crate::error::{CommandResult, Exit};
use crate::project::{Session, Workspace};
use crate::state::{self, ProjectLock};
use crate::ui::count;

pub(crate) async fn run(session: &Session, args: &CleanArgs) -> CommandResult<Exit> {
    let workspace = Workspace::open(session)?;
    let lock = if args.dry_run {
        ProjectLock::NotNeeded
    } else {
        state::lock(session, &workspace.root, "jaunt clean", args.no_wait).await?.require()?
    };
    let loaded = load(session, &workspace, &[Kind::Build, Kind::Test]).await?;
    loaded.expect_any_specs(args.allow_empty || args.all)?;
    let generated = generated_files(&loaded, &loaded.project, None)?;

    let mut paths: Vec<Utf8PathBuf> = Vec::new();
    for (path, found) in &generated.trees {
        let doomed = doomed(found, args.all);
        paths.extend(doomed.iter().map(|file| path.join(file)));
        if !args.dry_run {
            remove(&workspace.root, path, &doomed)?;
        }
    }
    drop(lock);

    paths.sort();
    report(session, paths, args.dry_run);
    Ok(Exit::Success)
}

/// What is to be removed from one generated directory.
fn doomed(found: &GeneratedTree, all: bool) -> Vec<&Utf8Path> {
    let mut doomed: BTreeSet<&Utf8Path> =
        found.orphans.iter().chain(&found.leftovers).map(Utf8PathBuf::as_path).collect();
    if all {
        doomed.extend(found.current.iter().map(Utf8PathBuf::as_path));
    }
    // An `__init__.py` goes with the last file that needed it.
    let files = found.orphans.iter().chain(&found.current).chain(&found.others);
    let kept = files.filter(|file| !doomed.contains(file.as_path()));
    // Every folder that has something left in it, or below it.
    let needed: BTreeSet<&Utf8Path> = kept.flat_map(|file| file.ancestors().skip(1)).collect();
    let is_needed = |init: &&Utf8Path| init.parent().is_some_and(|dir| needed.contains(dir));
    if !doomed.is_empty() {
        let inits = found.inits.iter().map(Utf8PathBuf::as_path);
        doomed.extend(inits.filter(|init| !is_needed(init)));
    }
    doomed.into_iter().collect()
}

fn remove(root: &Utf8Path, path: &Utf8Path, doomed: &[&Utf8Path]) -> CommandResult<()> {
    if doomed.is_empty() {
        return Ok(());
    }
    let Some(tree) = Tree::open(root, path)? else { return Ok(()) };
    tree.sweep()?;
    for file in doomed {
        tree.remove(file).map(drop).or_else(|err| match tree.read(file) {
            // A leftover that the sweep has removed.
            Ok(None) => Ok(()),
            _ => Err(err),
        })?;
    }
    // Bytecode of modules that are gone does not keep a directory.
    tree.prune(&["__pycache__"])?;
    tree.remove_if_empty(&["__pycache__"])?;
    Ok(())
}

fn report(session: &Session, paths: Vec<Utf8PathBuf>, is_dry_run: bool) {
    let paths: Vec<String> = paths.into_iter().map(Utf8PathBuf::into_string).collect();
    if session.ui.is_json() {
        let (removed, would_remove) =
            if is_dry_run { (Vec::new(), paths) } else { (paths, Vec::new()) };
        session.ui.result(&document::render(&CleanDocument {
            schema: "jaunt.clean/1",
            command: "clean",
            ok: true,
            exit_code: 0,
            dry_run: is_dry_run,
            removed,
            would_remove,
        }));
        return;
    }
    let verb = if is_dry_run { "Would remove" } else { "Removed" };
    let mut text = format!("{verb} {}.", count(paths.len(), "file"));
    for path in paths {
        text.push_str("\n  ");
        text.push_str(&path);
    }
    session.ui.summary(text);
}
