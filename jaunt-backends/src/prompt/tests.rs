use std::fs::File;
use std::io::Write as _;

use insta::assert_snapshot;
use proptest::prelude::*;

use super::*;
use crate::testing::{cart, cart_tests, chain, directory};

fn ours() -> Templates {
    Templates::load("/".into(), &BTreeMap::new()).unwrap()
}

/// Templates of which `build_module` is replaced by this text.
fn custom(template: &[u8]) -> Result<Templates, TemplateError> {
    let (_dir, root) = directory();
    File::create_new(root.join("mine.md")).unwrap().write_all(template).unwrap();
    Templates::load(&root, &BTreeMap::from([(TemplateName::BuildModule, "mine.md".into())]))
}

fn render(template: &str) -> String {
    custom(template.as_bytes()).unwrap().render(&cart(), &[]).user
}

#[test]
fn the_prompts_that_ship() {
    let errors = ["SyntaxError: unexpected indent (line 3)", "Missing top-level definition: total"];
    let build = ours().render(&cart(), &errors.map(str::to_owned));
    assert_snapshot!("build_system", build.system);
    assert_snapshot!("build_module", build.user);
    let instructions = vec!["Use `decimal`, not `float`. ".to_owned(), " ".to_owned()];
    let test = ours().with_instructions(instructions).render(&cart_tests(), &[]);
    assert_snapshot!("test_system", test.system);
    assert_snapshot!("test_module", test.user);
    assert_eq!(test.joined(), format!("{}\n{}", test.system, test.user));
}

#[test]
fn ours_ask_for_nothing_that_we_never_answer() {
    for template in TemplateName::ALL.map(TemplateName::text) {
        for silent in ["base_contract", "blueprint", "decorator_apis", "package_context"] {
            assert!(!template.contains(&format!("{{{{{silent}")), "{silent}: {template}");
        }
    }
}

#[test]
fn every_placeholder_of_the_python_implementation_is_known() {
    let names = [
        "spec_module",
        "generated_module",
        "expected_names",
        "specs_block",
        "deps_api_block",
        "decorator_apis_block",
        "base_contract_block",
        "deps_generated_block",
        "module_contract_block",
        "blueprint_source_block",
        "attached_test_specs_block",
        "build_instructions_block",
        "package_context_block",
        "error_context_block",
        "async_test_info",
    ];
    assert_eq!(names.len(), Placeholder::ALL.len());
    for name in names {
        let rendered = render(&format!("a {{{{{name}}}}} b"));
        assert!(rendered.starts_with("a ") && rendered.ends_with(" b\n"), "{rendered}");
        assert!(!rendered.contains(&format!("{{{{{name}}}}}")) || name == "specs_block");
    }
}

#[test]
fn what_is_filled_in_is_not_filled_in_again() {
    assert!(render("{{specs_block}}").contains("with `{{spec_module}}` taken literally"));
}

#[test]
fn braces_around_anything_else_are_text() {
    for text in
        ["{{", "{{spec_module", "{{spec_module}", "{{ spec_module }}", "{{}}", "{{1}}", "}}"]
    {
        assert_eq!(render(text), format!("{text}\n"));
    }
    assert_eq!(render("{{{spec_module}}}"), "{shop.cart}\n");
    assert_eq!(render("{{x {{spec_module}}"), "{{x shop.cart\n");
}

#[test]
fn async_tests_are_marked_for_the_runner_of_the_project() {
    let info = |runner| ours().with_async_runner(runner).render(&cart_tests(), &[]).user;
    assert!(info(AsyncRunner::Asyncio).contains("`@pytest.mark.asyncio`"));
    assert!(info(AsyncRunner::Anyio).contains("`@pytest.mark.anyio`"));
}

#[test]
fn a_template_that_cannot_be_used_is_named() {
    let missing = BTreeMap::from([(TemplateName::TestSystem, "prompts/none.md".into())]);
    let directory = BTreeMap::from([(TemplateName::TestModule, "tmp".into())]);
    assert_snapshot!(
        [
            chain(&custom(b"one\n{{spec_module}} {{specs}}\n").unwrap_err()),
            chain(&custom(b"caf\xe9").unwrap_err()),
            chain(&custom(&[b' '; 1024 * 1024 + 1]).unwrap_err()),
            chain(&Templates::load("/".into(), &missing).unwrap_err()),
            chain(&Templates::load("/".into(), &directory).unwrap_err()),
        ]
        .join("\n"),
        @"
    `mine.md`, the template `build_module`, has the unknown placeholder `{{specs}}` in line 2
    `mine.md`, the template `build_module`, is not UTF-8
    cannot read `mine.md`, the template `build_module`
      caused by: it has more than 1 MiB
    cannot read `prompts/none.md`, the template `test_system`
      caused by: No such file or directory (os error 2)
    cannot read `tmp`, the template `test_module`
      caused by: it is not a regular file
    "
    );
}

proptest! {
    #[test]
    fn any_text_is_a_template_or_has_an_unknown_placeholder(
        text in "([{}]{1,3}|spec_module|x|\\PC|\n){0,30}",
    ) {
        match Template::parse(&text) {
            Ok(template) => {
                let values = [(); Placeholder::ALL.len()].map(|()| "{{spec_module}}".to_owned());
                // Every placeholder stands for itself here.
                prop_assert_eq!(template.render(&values), text);
            }
            Err(unknown) => {
                let placeholder = format!("{{{{{}}}}}", unknown.placeholder);
                let line = text.split('\n').nth(unknown.line - 1).unwrap();
                prop_assert!(line.contains(&placeholder), "{line:?} {placeholder}");
            }
        }
    }
}
