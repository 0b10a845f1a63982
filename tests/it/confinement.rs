//! Nothing outside the generated directories changes, whatever links and names there are.
#![cfg(unix)]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::build::project;
use crate::files;
use crate::support::Project;

/// A directory outside the project, with files that look like those of the project.
struct Outside {
    dir: TempDir,
    before: BTreeMap<PathBuf, State>,
}

/// Content, modification and change time, inode.
type State = (Vec<u8>, (i64, i64), (i64, i64), u64);

impl Outside {
    /// Copies a directory of the project, if there is one.
    fn like(project: &Project, path: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let inside = project.root().join(path);
        if inside.is_dir() {
            files::copy(&inside, dir.path());
        }
        let before = states(dir.path());
        Self { dir, before }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    #[track_caller]
    fn assert_untouched(&self, after: &str) {
        assert_eq!(states(self.dir.path()), self.before, "after `{after}`");
    }
}

fn states(dir: &Path) -> BTreeMap<PathBuf, State> {
    let mut states = BTreeMap::new();
    let mut pending = vec![dir.to_owned()];
    while let Some(path) = pending.pop() {
        let meta = path.symlink_metadata().unwrap();
        let mut bytes = Vec::new();
        if meta.is_dir() {
            pending.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if meta.is_file() {
            bytes = fs::read(&path).unwrap();
        }
        let times = ((meta.mtime(), meta.mtime_nsec()), (meta.ctime(), meta.ctime_nsec()));
        states.insert(path, (bytes, times.0, times.1, meta.ino()));
    }
    states
}

/// Every command that writes, with the flags that let it write the most.
const WRITERS: &[&str] =
    &["build", "build --force --adopt", "test --no-run --force --adopt", "clean", "clean --all"];

/// Replaces `path` in a project with generated files by a link to a copy, and checks that no command
/// follows it.
#[track_caller]
fn assert_link_is_refused(path: &str) {
    let project = project();
    assert_eq!(project.jaunt("test --no-run").code(), 0);
    let place = project.root().join(path);
    let is_dir = place.is_dir();
    let outside = Outside::like(&project, if is_dir { path } else { "src/app/__generated__" });
    let to = if is_dir {
        fs::remove_dir_all(&place).unwrap();
        outside.path("")
    } else {
        fs::remove_file(&place).unwrap();
        outside.path("price.py")
    };
    symlink(to, &place).unwrap();
    let ran = project.jaunt("build --force --adopt");
    assert!(matches!(ran.code(), 1 | 3), "{path}: {ran}");
    let named = format!("`{path}` is a symbolic link");
    assert!(ran.stderr().contains(&named), "{path}: {ran}");
    for args in WRITERS {
        let ran = project.jaunt(args);
        assert!(!ran.stderr().contains("bug in jaunt"), "{ran}");
        outside.assert_untouched(args);
        assert!(place.is_symlink(), "{path}: the link is gone after `{args}`");
    }
}

#[test]
fn a_link_in_place_of_a_generated_directory_is_refused_by_name() {
    assert_link_is_refused("src/app/__generated__");
}

#[test]
fn a_link_above_a_generated_directory_is_refused_by_name() {
    assert_link_is_refused("src/app");
    assert_link_is_refused("src");
}

#[test]
fn a_link_in_place_of_a_generated_file_is_refused_by_name() {
    assert_link_is_refused("src/app/__generated__/price.py");
    assert_link_is_refused("src/app/__generated__/__init__.py");
}

#[test]
fn a_link_in_place_of_the_engines_own_files_is_refused_by_name() {
    assert_link_is_refused(".jaunt");
    assert_link_is_refused(".jaunt/engine");
    assert_link_is_refused(".jaunt/engine/lock");
}

#[test]
fn a_link_that_leads_nowhere_is_not_followed() {
    let project = project();
    assert_eq!(project.jaunt("build").code(), 0);
    let outside = Outside::like(&project, "src/app/__generated__");
    let place = project.root().join("src/app/__generated__/price.py");
    fs::remove_file(&place).unwrap();
    symlink(outside.path("new.py"), &place).unwrap();
    let ran = project.jaunt("build --adopt").expect(3);
    assert!(ran.stderr().contains("price.py` is a symbolic link"), "{ran}");
    outside.assert_untouched("build");
}

#[test]
fn a_temporary_file_that_is_planted_is_not_followed() {
    let project = project();
    assert_eq!(project.jaunt("build").code(), 0);
    let outside = Outside::like(&project, "src/app/__generated__");
    let jaunt = project.command();
    let jaunt = jaunt.get_program().to_str().unwrap();
    // A shell that becomes the program has the same process number.
    let script = format!(
        "for n in 0 1 2 3; do ln -s {}/price.py src/app/__generated__/.jaunt-$$-$n.tmp; done; \
         exec {jaunt} build --force",
        outside.path("").display()
    );
    let output =
        Command::new("sh").args(["-c", &script]).current_dir(project.root()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    outside.assert_untouched("build");
    assert_eq!(project.jaunt("check --magic-only").code(), 0);
}

#[test]
fn another_name_of_a_generated_file_keeps_its_content() {
    let project = project();
    assert_eq!(project.jaunt("build").code(), 0);
    let outside = project.root().join("precious.py");
    let place = project.root().join("src/app/__generated__/price.py");
    fs::hard_link(&place, &outside).unwrap();
    let before = (fs::read(&outside).unwrap(), outside.metadata().unwrap().mtime_nsec());
    project.edit("src/app/price.py", "What it costs", "What it really costs");
    assert_eq!(project.jaunt("build").code(), 0);
    let after = (fs::read(&outside).unwrap(), outside.metadata().unwrap().mtime_nsec());
    assert_eq!(after, before);
    assert_ne!(fs::read(&place).unwrap(), before.0);

    // A lock is written in place, so another name of it is refused.
    let lock = project.root().join(".jaunt/engine/lock");
    fs::hard_link(&lock, project.root().join("precious.lock")).unwrap();
    let ran = project.jaunt("build --force").expect(1);
    assert!(ran.stderr().contains(".jaunt/engine/lock"), "{ran}");
}

#[test]
fn what_is_not_a_file_is_refused_by_name_and_not_waited_for() {
    for (what, plant) in [
        ("a directory", mkdir as fn(&Path) -> bool),
        ("a named pipe", mkfifo),
        ("a socket", bind),
        ("a character device", mknod),
    ] {
        for path in [
            "src/app/__generated__/price.py",
            "src/app/__generated__/__init__.py",
            ".jaunt/engine/lock",
        ] {
            let project = project();
            assert_eq!(project.jaunt("build").code(), 0);
            let place = project.root().join(path);
            fs::remove_file(&place).unwrap();
            if !plant(&place) {
                continue;
            }
            let ran = project.jaunt("build --force --adopt");
            assert!(matches!(ran.code(), 1 | 3), "{what} at {path}: {ran}");
            assert!(ran.stderr().contains(&format!("`{path}` is {what}")), "{ran}");
            assert!(place.symlink_metadata().is_ok(), "{ran}");
        }
    }
}

fn mkdir(place: &Path) -> bool {
    fs::create_dir(place).is_ok()
}

fn bind(place: &Path) -> bool {
    // It fails if the path is too long for a socket.
    UnixListener::bind(place).is_ok()
}

fn mkfifo(place: &Path) -> bool {
    Command::new("mkfifo").arg(place).status().unwrap().success()
}

/// Only root may do this, and not everywhere.
fn mknod(place: &Path) -> bool {
    let args = [place.as_os_str(), "c".as_ref(), "1".as_ref(), "3".as_ref()];
    Command::new("mknod").args(args).output().unwrap().status.success()
}

/// Makes the project, with one field of a product module changed in the registry.
fn with_field(field: &str, value: &str) -> Project {
    let project = project();
    let text = project.read("jaunt.registry.json");
    let mut document: serde_json::Value = serde_json::from_str(&text).unwrap();
    match field {
        "source_file" => document["specs"][0][field] = value.into(),
        "generated_dir" => document["settings"] = serde_json::json!({ field: value }),
        _ => {
            document["modules"] = serde_json::json!({"app.price": {"kind": "magic", field: value}});
        }
    }
    project.write("jaunt.registry.json", &document.to_string());
    project
}

#[test]
fn paths_that_leave_the_root_are_refused_by_name() {
    let long = format!("app/__generated__/{}.py", "n".repeat(253));
    for (field, value) in [
        ("source_file", "../price.py"),
        ("source_file", "/etc/app/price.py"),
        ("source_file", "src/app/\u{0}/price.py"),
        ("source_file", "src/app/\n/price.py"),
        ("output_base", ".."),
        ("output_base", "/tmp"),
        ("output_base", "src/../.."),
        ("generated_relpath", "../__generated__/price.py"),
        ("generated_relpath", "/tmp/__generated__/price.py"),
        ("generated_relpath", "app/__generated__/../price.py"),
        ("generated_relpath", "app/__generated__/../../../x/__generated__/price.py"),
        ("generated_relpath", "app/price.py"),
        ("generated_relpath", "app\\__generated__\\price.py"),
        ("generated_relpath", "app/__generated__/pri\u{0}ce.py"),
        ("generated_relpath", "app/__generated__/pri\nce.py"),
        ("generated_relpath", "app/__generated__/\u{1b}[31mprice.py"),
        // These look like `__generated__`, `..` and `/`.
        ("generated_relpath", "app/__g\u{435}nerated__/price.py"),
        ("generated_relpath", "\u{ff0e}\u{ff0e}\u{ff0f}__generated__\u{ff0f}price.py"),
        ("generated_relpath", &long),
        ("generated_dir", ".."),
        ("generated_dir", "/tmp"),
        ("generated_dir", "a/b"),
        ("generated_dir", ""),
        ("generated_dir", "__generated__\n"),
        ("generated_module", "app.__generated__.price/../../x"),
    ] {
        let project = with_field(field, value);
        let before = states(project.root());
        for args in ["build --json", "build --force --adopt", "status", "graph", "clean --all"] {
            let ran = project.jaunt(args);
            assert!(!ran.stderr().contains("bug in jaunt"), "{field} {value:?}: {ran}");
            for printed in [ran.stderr(), ran.stdout()] {
                assert!(!printed.contains(['\u{1b}', '\u{0}']), "{field} {value:?}: {ran}");
            }
            if args.starts_with("build") {
                assert!(matches!(ran.code(), 1..=3), "{field} {value:?}: {ran}");
                let said = ran.to_string();
                assert!(said.contains(field) || said.contains("app.price"), "{value:?}: {ran}");
            }
        }
        let ours = project.root().join("src/app/__generated__");
        let engine = project.root().join(".jaunt");
        let mut after = states(project.root());
        // A build may write to its own directories, for the module beside the refused one.
        after.retain(|path, _| !path.starts_with(&ours) && !path.starts_with(&engine));
        let kept = |states: &BTreeMap<PathBuf, State>| -> Vec<(PathBuf, Vec<u8>)> {
            states.iter().map(|(path, state)| (path.clone(), state.0.clone())).collect()
        };
        assert_eq!(kept(&after), kept(&before), "{field} {value:?}");
    }
}

#[test]
fn the_longest_name_that_a_file_system_takes_is_written() {
    let path = format!("app/__generated__/{}.py", "n".repeat(252));
    let project = with_field("generated_relpath", &path);
    assert_eq!(project.jaunt("build").expect(0).code(), 0);
    assert!(project.exists(&format!("src/{path}")));
}

#[test]
fn names_that_are_the_same_file_on_other_systems_are_refused() {
    for path in ["app/__generated__/CART.py", "app/__generated__/\u{ff43}art.py"] {
        let project = with_field("generated_relpath", path);
        let ran = project.jaunt("build").expect(2);
        let said = ran.stderr();
        assert!(said.contains("app.cart"), "{path}: {ran}");
        assert!(said.contains("app.price"), "{path}: {ran}");
    }
}

#[test]
fn sources_and_settings_that_are_not_files_are_not_read() {
    for path in ["src/app/price.py", "jaunt.registry.json", "jaunt-engine.toml"] {
        let project = project();
        fs::remove_file(project.root().join(path)).unwrap();
        // A repository can contain such a link, and reading it never ends.
        symlink("/dev/zero", project.root().join(path)).unwrap();
        let ran = project.jaunt("build").expect(2);
        assert!(ran.stderr().contains(&format!("{path}`")), "{path}: {ran}");
    }
}

/// Tests every command that prints, in every form.
#[test]
fn control_characters_are_printed_nowhere() {
    let hostile = "\u{1b}]0;title\u{7}\u{1b}[2J\u{9b}31m\u{202e}";
    let project = project();
    project.edit("src/app/price.py", "What it costs", &format!("FAIL {hostile}"));
    let json = serde_json::to_string(hostile).unwrap();
    project.edit(
        "jaunt.registry.json",
        r#""source_file": "src/app/price.py""#,
        &format!(r#""source_file": "src/app/price.py", "decorator_kwargs": {{"prompt": {json}}}"#),
    );
    project.write(
        &format!("src/app/__generated__/{}.py", "o\u{1b}[31m"),
        "# This file was generated by jaunt. DO NOT EDIT.\n",
    );
    let targets = [hostile, "app.\u{1b}[31mcart"];
    let mut runs = Vec::new();
    for args in [
        "build",
        "build --explain --force",
        "test",
        "status",
        "check",
        "graph",
        "graph --format dot",
        "graph --format mermaid",
        "clean --dry-run",
        "clean --all --dry-run",
        "build --json",
        "status --json",
        "clean --dry-run --json",
        "registry export",
    ] {
        runs.push(project.jaunt(args));
    }
    for target in targets {
        runs.push(project.jaunt_with(&["build", "--target", target]));
        runs.push(project.jaunt_with(&["build", "--json", "--target", target]));
        runs.push(project.jaunt_with(&["status", "--root", target]));
        runs.push(project.jaunt_with(&["status", "--registry", target]));
        runs.push(project.jaunt_with(&["status", "--config", target]));
        runs.push(project.jaunt_with(&["build", "--backend-command", target, "--force"]));
        runs.push(project.jaunt_with(&[target]));
        runs.push(project.jaunt_with(&["build", target]));
        runs.push(project.jaunt_with(&["build", "--jobs", target]));
    }
    for (path, text) in [
        ("jaunt.toml", format!("version = 1\n\"{}\" = ]", "\u{9b}31m\u{202e}")),
        ("jaunt-engine.toml", "[backend]\n\"\\u001b[31m\" = 1\n".to_owned()),
        ("jaunt.registry.json", format!("{{\"version\": 1, \"specs\": [{{\"kind\": {json}}}]}}")),
        ("jaunt.registry.json", format!("{{{hostile}")),
    ] {
        let project = project_with(path, &text);
        runs.push(project.jaunt("build"));
        runs.push(project.jaunt("status --json"));
    }
    for ran in runs {
        for printed in [ran.stdout(), ran.stderr()] {
            let raw = printed
                .chars()
                .find(|c| (c.is_control() && !matches!(c, '\n' | '\t')) || *c == '\u{202e}');
            assert_eq!(raw, None, "{ran}");
        }
    }
}

fn project_with(path: &str, text: &str) -> Project {
    let project = project();
    project.write(path, text);
    project
}
