//! Projects that use the real `jaunt` package from PyPI.
//!
//! The package needs Python 3.12; without one these tests say that they were skipped.

use std::process::Command;

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::{Project, Ran, filters, jaunt_package, repository};

/// A project, and an interpreter that has the package.
struct Real {
    project: Project,
    python: String,
}

impl Real {
    /// Makes the inventory: specs in five modules, tests in two.
    fn inventory() -> Option<Self> {
        let python = jaunt_package()?;
        Some(Self { project: Project::copy_of("tests/fixtures/inventory"), python })
    }

    fn new(files: &str) -> Option<Self> {
        let python = jaunt_package()?;
        Some(Self { project: Project::new(files), python })
    }

    fn jaunt(&self, args: &str) -> Ran {
        let mut args: Vec<&str> = args.split_whitespace().collect();
        args.extend(["--python", &self.python]);
        self.project.jaunt_with(&args)
    }

    /// Returns the flag and the command line of a backend that answers from files.
    fn answers() -> (String, String) {
        let repository = repository();
        let script = repository.join("tests/support/backend.py");
        let answers = repository.join("tests/fixtures/answers/inventory");
        let command = format!("python3 {} {}", script.display(), answers.display());
        ("--backend-command".to_owned(), command)
    }

    fn generate(&self, command: &str) -> Ran {
        let (flag, backend) = Self::answers();
        let args = [command, "--json", "--python", &self.python, &flag, &backend];
        self.project.jaunt_with(&args)
    }

    /// Runs Python code in the project, and returns what it prints.
    fn python(&self, code: &str) -> String {
        let output = Command::new(&self.python)
            .args(["-c", code])
            .current_dir(self.project.root())
            .env("PYTHONPATH", self.project.root().join("src"))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{stderr}");
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }
}

#[test]
fn decorated_functions_run_the_generated_code() {
    let Some(real) = Real::inventory() else { return };
    let registry: Value =
        serde_json::from_str(&real.jaunt("registry export").expect(0).stdout()).unwrap();
    assert_eq!(registry["version"], 1);
    assert_eq!(registry["producer"]["version"], "1.7.14");

    let document = real.generate("build").expect(0).json();
    assert_eq!(document["generated"].as_array().unwrap().len(), 5);
    let item = "from inventory.items import Item, parse_sku; \
                print(parse_sku(' ab-0042 '), Item('ab-42', 250).value(3))";
    assert_snapshot!(real.python(item), @"('AB', 42) 750");
    let refill =
        "import asyncio; from inventory.stock import Stock; from inventory.sync import refill
async def fetch(sku): return 7
print(asyncio.run(refill(Stock(), ['ab-1', 'ab-2'], fetch)))";
    assert!(real.python(refill).contains('7'));

    let document = real.generate("test").expect(0).json();
    assert_eq!(document["build"]["generated"], json!([]));
    assert_eq!(document["pytest"]["passed"], true);
}

#[test]
fn a_build_with_nothing_to_do_starts_no_python() {
    let Some(real) = Real::inventory() else { return };
    assert_eq!(real.generate("build").code(), 0);
    // A script in place of the interpreter records that it was started.
    let log = real.project.root().join("started");
    let spy = real.project.root().join("python");
    std::fs::write(
        &spy,
        format!("#!/bin/sh\ntouch {}\nexec {} \"$@\"\n", log.display(), real.python),
    )
    .unwrap();
    std::fs::set_permissions(&spy, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    // A file that is as new as the export may have changed after it, so the cache would not hold.
    let yesterday = std::time::SystemTime::now() - std::time::Duration::from_secs(86_400);
    std::fs::File::open(&spy).unwrap().set_modified(yesterday).unwrap();
    let status = || real.project.jaunt("status --json --python ./python").expect(0).json();
    status();
    assert!(log.exists(), "the first run exports");
    std::fs::remove_file(&log).unwrap();
    assert_eq!(status()["summary"]["stale"], 2);
    assert!(!log.exists(), "the second run uses the cache");

    real.project.edit("src/inventory/items.py", "What is kept", "What is still kept");
    status();
    assert!(log.exists(), "a changed file makes it export again");
}

#[test]
fn a_project_generated_by_the_package_is_fresh_here_and_stale_where_a_spec_changed() {
    let Some(real) = Real::inventory() else { return };
    let repository = repository();
    let output = Command::new(&real.python)
        .arg(repository.join("tests/support/write_with_upstream.py"))
        .arg(real.project.root())
        .arg(repository.join("tests/fixtures/answers/inventory"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(real.project.read("src/inventory/__generated__/items.py").contains("digest_scheme=2"));

    let document = real.jaunt("check --json").expect(0).json();
    assert_eq!(document["summary"], json!({"fresh": 7, "stale": 0, "orphans": 0}));
    let document = real.generate("build").expect(0).json();
    assert_eq!(document["backend"]["calls"], 0);

    real.project.edit(
        "src/inventory/stock.py",
        "A new stock is empty.",
        "A new stock has nothing.",
    );
    let document = real.jaunt("status --json").expect(0).json();
    let stale = document["stale"].as_array().unwrap();
    assert!(stale.contains(&json!("inventory.stock")), "{document}");
    assert!(!stale.contains(&json!("inventory.items")), "{document}");
    assert!(!stale.contains(&json!("inventory.pricing")), "{document}");
}

#[test]
fn output_of_user_modules_does_not_get_into_the_document() {
    let Some(real) = Real::new(
        "
        //- jaunt.toml
        version = 1
        //- src/noisy.py
        import os, subprocess, sys
        import jaunt

        print('hello')
        os.write(1, b'from below\\n')
        subprocess.run(['echo', 'from a process'])
        print('bye', file=sys.__stdout__)

        @jaunt.magic()
        def f() -> int:
            '''One.'''
            ...
        ",
    ) else {
        return;
    };
    let ran = real.jaunt("registry export").expect(0);
    let document: Value = serde_json::from_str(&ran.stdout()).unwrap();
    assert_eq!(document["specs"][0]["spec_ref"], "noisy:f");
}

#[test]
fn a_broken_generated_file_of_a_class_spec_is_built_again() {
    let Some(real) = Real::new(
        "
        //- jaunt.toml
        version = 1
        //- src/shapes.py
        import jaunt

        @jaunt.magic()
        class Square:
            '''A square.'''
            ...
        ",
    ) else {
        return;
    };
    let backend = crate::support::echo_backend();
    let build =
        ["build", "--python", &real.python, "--progress", "none", "--backend-command", &backend];
    assert_eq!(real.project.jaunt_with(&build).code(), 0);
    let path = "src/__generated__/shapes.py";
    let whole = real.project.read(path);
    real.project.write(path, &whole.replace("def Square", "def def"));
    // Without the cached export the broken file is imported.
    std::fs::remove_dir_all(real.project.root().join(".jaunt")).unwrap();
    assert_eq!(real.project.jaunt_with(&build).code(), 0);
    assert_eq!(real.project.read(path), whole);
}

#[test]
fn a_module_that_cannot_be_imported_is_named_with_pythons_own_message() {
    let Some(real) = Real::new(
        "
        //- jaunt.toml
        version = 1
        //- src/broken.py
        import jaunt
        import no_such_package

        @jaunt.magic()
        def f(): ...
        ",
    ) else {
        return;
    };
    let ran = real.jaunt("build --json").expect(2);
    assert_eq!(ran.json()["error"]["kind"], "registry");
    assert!(ran.stderr().contains("`broken`"), "{ran}");
    assert!(ran.stderr().contains("No module named 'no_such_package'"), "{ran}");
}

#[test]
fn a_python_without_the_package_is_exit_2_and_says_what_to_install() {
    let project = Project::new("//- jaunt.toml\nversion = 1\n//- src/a.py\nimport jaunt\n");
    let python = crate::support::pytest();
    let ran = project.jaunt_with(&["build", "--python", &python]).expect(2);
    let text = ran.to_string();
    assert!(text.contains("pip install") || text.contains("Python 3.12"), "{text}");
}

#[test]
fn test_roots_of_any_name_work() {
    for (root, module) in [(".", "checks"), ("spec_tests", "spec_tests.checks")] {
        let Some(real) = Real::new(
            "
            //- src/app/__init__.py
            //- src/app/one.py
            import jaunt

            @jaunt.magic()
            def one() -> int:
                '''1.'''
                ...
            ",
        ) else {
            return;
        };
        let _filters = filters();
        let toml =
            format!("version = 1\n[paths]\nsource_roots = [\"src\"]\ntest_roots = [\"{root}\"]\n");
        real.project.write("jaunt.toml", &toml);
        let test = "import jaunt\n\n@jaunt.test(targets=[\"app.one:one\"])\ndef test_one() -> None:\n    \"\"\"It is.\"\"\"\n";
        real.project.write(&format!("{root}/checks.py"), test);
        let backend = crate::support::echo_backend();
        let args = ["test", "--json", "--python", &real.python, "--backend-command", &backend];
        let document = real.project.jaunt_with(&args).expect(0).json();
        let generated = &document["generation"]["generated"];
        assert!(generated[0].as_str().unwrap().ends_with("checks"), "{root}: {document}");
        assert_eq!(document["pytest"]["counts"]["passed"], 1, "{root} {module}: {document}");
    }
}

#[test]
fn the_exporter_passes_its_own_tests() {
    let Some(python) = jaunt_package() else { return };
    let output = Command::new(python)
        .args(["-m", "pytest", "-q", "-p", "no:cacheprovider"])
        .arg(repository().join("tests/support/test_export.py"))
        .current_dir(repository())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}
