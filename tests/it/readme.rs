//! The examples in the README work as they are shown.

use std::fs;

use crate::build::project;
use crate::support::repository;

/// Returns the fenced blocks of a language, in order.
fn blocks(language: &str) -> Vec<String> {
    let text = fs::read_to_string(repository().join("README.md")).unwrap();
    let fence = format!("```{language}\n");
    let blocks = text.split(&fence).skip(1);
    blocks.map(|block| block.split("```").next().unwrap().to_owned()).collect()
}

#[test]
fn the_smallest_generator_works() {
    let blocks = blocks("python");
    let generator = blocks.iter().find(|block| block.contains("json.load")).unwrap();
    let project = project();
    project.write("my_generator.py", generator);
    let args = ["build", "--progress", "none", "--backend-command", "python3 my_generator.py"];
    assert_eq!(project.jaunt_with(&args).code(), 0);
    assert!(project.read("src/app/__generated__/cart.py").contains("def total(*args, **kwargs):"));
}

#[test]
fn the_configuration_shown_is_accepted() {
    let toml = blocks("toml").join("\n");
    let project = project();
    project.write("jaunt-engine.toml", &toml);
    project.write(
        "my_generator.py",
        "import json, sys\nfor name in json.load(sys.stdin)['context']['expected_names']: print(f'{name} = 1')\n",
    );
    assert_eq!(project.jaunt("build --progress none").code(), 0);
}

#[test]
fn the_documents_shown_have_the_keys_that_are_printed() {
    let shown = blocks("json").into_iter().find(|block| block.contains("jaunt.build/1")).unwrap();
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    let printed = project().jaunt("build --json").expect(0).json();
    let keys = |value: &serde_json::Value| -> Vec<String> {
        value.as_object().unwrap().keys().cloned().collect()
    };
    assert_eq!(keys(&shown), keys(&printed));
}

#[test]
fn the_session_shown_is_the_one_of_the_example() {
    // Only the output of `status`: the README shortens progress, and times vary.
    let session =
        blocks("console").into_iter().find(|block| block.contains("jaunt status")).unwrap();
    let status = session.split("$ jaunt status\n").nth(1).unwrap();
    let status = status.split("$ ").next().unwrap();
    let shop = crate::support::Project::copy_of("examples/shop");
    let python = crate::support::pytest();
    assert_eq!(shop.jaunt_with(&["test", "--python", &python, "--progress", "none"]).code(), 0);
    shop.edit("src/shop/shipping.py", "Goods worth 50.00 EUR", "Goods worth 75.00 EUR");
    assert_eq!(shop.jaunt("status").expect(0).stdout(), status);
}
