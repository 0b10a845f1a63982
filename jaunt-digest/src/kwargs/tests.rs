use proptest::prelude::*;
use serde_json::json;

use super::*;

fn text(kwargs: Value) -> String {
    Kwargs::from(kwargs.as_object().unwrap()).text().to_owned()
}

#[test]
fn the_text_is_that_of_python() {
    assert_eq!(text(json!({})), "{}");
    assert_eq!(
        text(json!({"prompt": "été", "n": 1, "f": 1e16, "nested": {"b": [], "a": null}})),
        r#"{"f":1e+16,"n":1,"nested":{"a":null,"b":[]},"prompt":"\u00e9t\u00e9"}"#
    );
}

#[test]
fn unchecked_arguments_do_no_harm() {
    let nested = format!("{{\"a\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    for text in [nested.as_str(), "", "[1]", "{\"a\":NaN}"] {
        let text = serde_json::to_string(text).unwrap();
        let kwargs = format!("{{\"text\": {text}, \"object\": null}}");
        let kwargs: Kwargs = serde_json::from_str(&kwargs).unwrap();
        assert_eq!(kwargs.to_map(), Map::new());
        assert_eq!(kwargs.get("a"), None);
    }
}

#[test]
fn the_fast_path_knows_what_it_cannot_do() {
    for (object, text) in [
        (r#"{}"#, Some("{}")),
        (r#" { } "#, Some("{}")),
        (
            r#"{"deps": ["a:f", "b:f"], "n": -12, "p": "x y", "t": true}"#,
            Some(r#"{"deps":["a:f","b:f"],"n":-12,"p":"x y","t":true}"#),
        ),
        (r#"{"n":0,"targets":[]}"#, Some(r#"{"n":0,"targets":[]}"#)),
        (
            r#"{"deps": ["b:f", "B:f", "a:f", "b:f"]}"#,
            Some(r#"{"deps":["B:f","a:f","b:f","b:f"]}"#),
        ),
        (r#"{"b": 1, "a": 1}"#, None),
        (r#"{"a": 1, "a": 2}"#, None),
        (r#"{"a": -0}"#, None),
        (r#"{"a": 1.0}"#, None),
        (r#"{"a": [1]}"#, None),
        (r#"{"a": "\n"}"#, None),
        (r#"{"a": "é"}"#, None),
        (r#"{"deps": ["a.f"]}"#, None),
        (r#"{"deps": "a:f"}"#, None),
        (r#"{"deps": null}"#, None),
    ] {
        assert_eq!(plain::keyword_text(object).as_deref(), text, "{object}");
    }
}

/// Objects as documents have them, more or less plain.
fn object() -> impl Strategy<Value = String> {
    let key = prop::sample::select(vec!["deps", "n", "prompt", "targets", "\\u0061", ""]);
    let blank = || prop::sample::select(vec!["", "", " ", "\n\t"]);
    let spec = prop_oneof!["[a-c]{1,2}:[fg]", "[a-c]\\.[fg]", "[ a-c:\u{7f}\u{e9}]{0,3}"];
    let text = move || spec.clone().prop_map(|text| format!("\"{text}\""));
    let list = prop::collection::vec((text(), blank()), 0..4).prop_map(|items| {
        let items: Vec<String> =
            items.into_iter().map(|(item, blank)| format!("{blank}{item}{blank}")).collect();
        format!("[{}]", items.join(","))
    });
    let other = prop::sample::select(vec![
        "null", "true", "0", "-0", "17", "-3", "1.5", "[]", "{}", "[1]", "\"\\n\"",
    ]);
    let value = prop_oneof![3 => list, 1 => text(), 1 => other.prop_map(str::to_owned)];
    let member = (key, blank(), value);
    prop::collection::vec(member, 0..4).prop_map(|members| {
        let members: Vec<String> = members
            .into_iter()
            .map(|(key, blank, value)| format!("{blank}\"{key}\"{blank}:{value}{blank}"))
            .collect();
        format!("{{{}}}", members.join(","))
    })
}

proptest! {
    #[test]
    fn the_fast_path_agrees_with_the_slow_path(object in object()) {
        let raw: &RawValue = serde_json::from_str(&object).unwrap();
        if let Some(text) = plain::keyword_text(&object) {
            prop_assert_eq!(text, canonical::keyword_text(raw).unwrap());
        }
    }
}

#[test]
fn refs_become_a_sorted_list() {
    for (value, list) in [
        (json!(null), "[]"),
        (json!([]), "[]"),
        (json!("a.b:f"), r#"["a.b:f"]"#),
        (json!(" a.b.f\n"), r#"["a.b:f"]"#),
        (json!(["b:f", "a.f", "a:f", "B.f"]), r#"["B:f","a:f","a:f","b:f"]"#),
        (json!(["a:C.m.<locals>.f", "a.<locals>"]), r#"["a:<locals>","a:C.m.<locals>.f"]"#),
    ] {
        assert_eq!(text(json!({ "deps": value })), format!("{{\"deps\":{list}}}"));
        assert_eq!(text(json!({ "targets": value })), format!("{{\"targets\":{list}}}"));
    }
    assert_eq!(text(json!({"other": "a.b"})), r#"{"other":"a.b"}"#);
}

#[test]
fn one_item_that_is_not_a_ref_leaves_all_as_they_are() {
    for (value, list) in [
        (json!(["b.f", "nodots"]), r#"["b.f","nodots"]"#),
        (json!(["b.f", "a:b:c"]), r#"["a:b:c","b.f"]"#),
        (json!([" b.f", ""]), r#"[""," b.f"]"#),
        (json!("x.:y"), r#"["x.:y"]"#),
        (json!(["a.f", 1, true, null, 1e16]), r#"["1","1e+16","None","True","a.f"]"#),
        (json!({"a": 1}), r#"["{\"a\":1}"]"#),
    ] {
        assert_eq!(text(json!({ "deps": value })), format!("{{\"deps\":{list}}}"));
    }
}
