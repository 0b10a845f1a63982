//! The shipped example, from its recordings.

use insta::assert_snapshot;

use crate::support::{Project, filters, pytest};

#[test]
fn the_shop_is_generated_tested_changed_and_generated_again() {
    let _filters = filters();
    let shop = Project::copy_of("examples/shop");
    let python = pytest();
    let test = ["test", "--json", "--python", &python];
    let document = shop.jaunt_with(&test).expect(0).json();
    assert_eq!(document["pytest"]["counts"]["passed"], 15);
    assert_snapshot!(shop.generated().join("\n"), @r"
    src/__generated__/__init__.py
    src/__generated__/money.py
    src/shop/__generated__/__init__.py
    src/shop/__generated__/cart.py
    src/shop/__generated__/checkout.py
    src/shop/__generated__/price.py
    src/shop/__generated__/shipping.py
    src/shop/__generated__/tax/__init__.py
    src/shop/__generated__/tax/rates.py
    tests/__generated__/__init__.py
    tests/__generated__/test_cart.py
    tests/__generated__/test_checkout.py
    ");
    assert_eq!(shop.jaunt("check").code(), 0);

    shop.edit("src/shop/shipping.py", "Goods worth 50.00 EUR", "Goods worth 75.00 EUR");
    assert_snapshot!(shop.jaunt("status"), @r"
    stale  shop.checkout  (src/shop/__generated__/checkout.py)
             a spec it depends on changed: `shop.shipping`
    stale  shop.shipping  (src/shop/__generated__/shipping.py)
             spec changed: `shop.shipping:shipping_cost`
    stale  tests.test_checkout  (tests/__generated__/test_checkout.py)
             the specs of `shop.checkout` changed since
             the specs of `shop.shipping` changed since
    9 modules: 6 fresh, 3 stale.
    [exit status: 0]
    ");
    let document = shop.jaunt_with(&test).expect(0).json();
    assert_eq!(
        document["build"]["generated"],
        serde_json::json!(["shop.checkout", "shop.shipping"])
    );
    assert_eq!(document["pytest"]["counts"]["passed"], 15);
}

#[test]
fn a_recording_that_was_tampered_with_is_refused_by_name() {
    let shop = Project::copy_of("examples/shop");
    let recordings: Vec<String> =
        shop.files().into_iter().filter(|path| path.starts_with("recordings/")).collect();
    for path in &recordings {
        shop.write(path, &format!("{}\nevil = 1\n", shop.read(path)));
    }
    let ran = shop.jaunt("build --target money").expect(3);
    assert!(ran.stderr().contains("recordings/"), "{ran}");
    assert_eq!(shop.generated(), Vec::<String>::new());
}

#[test]
fn a_store_without_an_answer_fails_the_module_by_name() {
    let shop = Project::copy_of("examples/shop");
    shop.edit("src/money.py", "Read an amount", "Read some amount");
    let document = shop.jaunt("build --json").expect(3).json();
    let failed = &document["failed"]["money"][0];
    assert!(failed.as_str().unwrap().contains("money"), "{document}");
    assert_eq!(document["blocked"]["shop.cart"]["cause"], "money");
    assert_eq!(document["generated"], serde_json::json!(["shop.tax.rates"]));
}

#[test]
fn a_recorded_build_can_be_replayed() {
    let shop = Project::copy_of("examples/shop");
    assert_eq!(shop.jaunt("build --record again --progress none").code(), 0);
    let names = |dir: &str| -> Vec<String> {
        let files = shop.files();
        files.iter().filter_map(|path| path.strip_prefix(dir)).map(str::to_owned).collect()
    };
    let again = names("again/");
    assert_eq!(again.len(), 7);
    assert!(again.iter().all(|name| names("recordings/").contains(name)));
    assert_eq!(shop.jaunt("clean --all").code(), 0);
    assert_eq!(shop.jaunt("build --store again").code(), 0);
}
