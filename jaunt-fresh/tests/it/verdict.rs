//! A verdict from the cache is never different from that of a full load.

use std::fs::{self, File, FileTimes};
use std::time::UNIX_EPOCH;

use camino::Utf8PathBuf;
use jaunt_builder::{Plan, PlanOptions};
use jaunt_digest::{Digest, Kind};
use jaunt_fresh::{FreshCache, IndexTexts, ProjectIndex, RegistryState, Verified};
use jaunt_write::Time;
use proptest::prelude::*;

use crate::support::{FakeBackend, Fixture};

const SHOP: &str = "
    shop.price:price
    shop.cart:total <- shop.price:price
    shop.sub.page:page <- shop.cart:total
";

const SOURCE: &str = "src/shop/price.py";
const OUTPUT: &str = "src/shop/__generated__/price.py";

/// Returns the time by the clock of the file system: that of a file which is written now.
fn now(fixture: &Fixture) -> Time {
    fixture.write("clock", "");
    let modified = fixture.root().join("clock").metadata().unwrap().modified().unwrap();
    Time::try_from(modified.duration_since(UNIX_EPOCH).unwrap().as_nanos()).unwrap()
}

/// Waits until the clock of the file system has advanced, so that the next change has another time.
fn tick(fixture: &Fixture) {
    let before = now(fixture);
    while now(fixture) == before {}
}

fn key(fixture: &Fixture) -> Digest {
    Digest::of(format!("{}", fixture.modules))
}

/// Loads everything, and returns the cache of it; `None` if something is stale.
fn load(fixture: &Fixture) -> Option<FreshCache> {
    load_since(fixture, now(fixture))
}

fn load_since(fixture: &Fixture, taken: Time) -> Option<FreshCache> {
    let project = fixture.load().ok()?;
    let on_disk = project.read_on_disk();
    let plan = Plan::new(&project, Kind::Build, &on_disk, &PlanOptions::default());
    let registry = RegistryState::of_bytes(fixture.document().as_bytes());
    let cache = FreshCache::of(&project, &plan, &on_disk, &registry, &key(fixture), taken);
    assert_eq!(cache.is_some(), plan.is_empty(), "a cache is of a plan with nothing to do");
    cache
}

/// Verifies a cache, or returns the files that changed.
fn verify(fixture: &Fixture, cache: &mut FreshCache) -> Result<Verified, Vec<Utf8PathBuf>> {
    let registry = RegistryState::of_bytes(fixture.document().as_bytes());
    if !cache.has_key(&key(fixture)) || !cache.is_about(&registry) {
        return Err(Vec::new());
    }
    cache.verify(fixture.root(), now(fixture))
}

fn index_of(fixture: &Fixture) -> IndexTexts {
    IndexTexts::of(&fixture.load().unwrap(), &fixture.registry()).unwrap()
}

/// Plans the modules that these files can affect.
fn plan_of_affected(
    fixture: &Fixture,
    texts: &IndexTexts,
    changed: &[Utf8PathBuf],
) -> Option<Plan> {
    if changed.is_empty() {
        return None;
    }
    let index = ProjectIndex::from_text(texts.index.clone()).unwrap();
    let read = |at: usize, len| texts.records.get(at..at + len).map(<[u8]>::to_vec);
    let project = index.load_affected(fixture.root(), changed, read)?;
    let on_disk = project.read_on_disk();
    Some(Plan::new(&project, Kind::Build, &on_disk, &PlanOptions::default()))
}

#[test]
fn a_change_affects_dependents_and_loads_their_dependencies() {
    let fixture = Fixture::new(
        "app.a:a\n app.b:b <- app.a:a\n app.c:c <- app.b:b\n app.d:d <- app.c:c app.e:e\n app.e:e\n app.f:f <- app.e:e",
    );
    fixture.build(&FakeBackend::new());
    let texts = index_of(&fixture);
    let cache = load(&fixture).unwrap();
    fixture.edit("src/app/c.py", "Spec", "A better spec");
    let plan = plan_of_affected(&fixture, &texts, &["src/app/c.py".into()]).unwrap();
    let states: Vec<String> =
        plan.modules().iter().map(|(name, it)| format!("{name} {}", it.is_stale())).collect();
    assert_eq!(states, ["app.b false", "app.c true", "app.d true", "app.e false"]);
    let (_, whole) = fixture.plan(Kind::Build, &PlanOptions::default());
    assert!(plan.stale().eq(whole.stale()));
    assert!(plan_of_affected(&fixture, &texts, &["src/app/unknown.py".into()]).is_none());

    let mut damaged = index_of(&fixture);
    damaged.records.fill(b' ');
    assert!(plan_of_affected(&fixture, &damaged, &["src/app/c.py".into()]).is_none());
    let mut cache = cache;
    cache.bind(&damaged.index);
    assert!(cache.is_bound_to(&damaged.index));
    damaged.index.pop();
    assert!(!cache.is_bound_to(&damaged.index));
    damaged.index.remove(0);
    assert!(ProjectIndex::from_text(damaged.index).is_none());
}

fn built() -> Fixture {
    let fixture = Fixture::new(SHOP);
    fixture.build(&FakeBackend::new());
    fixture
}

#[test]
fn nothing_is_read_again_while_nothing_changes() {
    let fixture = built();
    tick(&fixture);
    let mut cache = load(&fixture).unwrap();
    let before = cache.as_bytes().to_vec();
    let found = verify(&fixture, &mut cache).unwrap();
    assert_eq!(found, Verified { n_modules: 3, touched_dirs: vec![], is_worth_keeping: false });
    assert!(cache.as_bytes() == before);
    assert_eq!(cache.modules().collect::<Vec<_>>(), ["shop.cart", "shop.price", "shop.sub.page"]);
}

#[test]
fn a_file_that_was_written_while_it_was_read_is_read_again() {
    let fixture = built();
    let text = fixture.read(OUTPUT);
    tick(&fixture);
    // The clock cannot tell whether the file was written before or after it was read.
    let taken = now(&fixture);
    fixture.write("src/shop/__generated__/price.py", &text);
    let mut cache = load_since(&fixture, taken).unwrap();
    let before = cache.as_bytes().to_vec();
    tick(&fixture);
    verify(&fixture, &mut cache).unwrap();
    assert!(cache.as_bytes() != before, "now it is old enough");

    let kept = cache.as_bytes().to_vec();
    verify(&fixture, &mut cache).unwrap();
    assert!(cache.as_bytes() == kept, "it was not read again");
}

#[test]
fn an_edit_within_one_tick_of_the_clock_is_noticed() {
    let fixture = built();
    tick(&fixture);
    let mut cache = load(&fixture).unwrap();
    let text = fixture.read(SOURCE);
    let other = text.replace("Spec", "Spoc");
    for _ in 0..100 {
        fixture.write(SOURCE, &text);
        assert!(verify(&fixture, &mut cache).is_ok());
        fixture.write(SOURCE, &other);
        assert!(verify(&fixture, &mut cache).is_err());
    }
}

#[test]
fn a_touched_file_is_read_and_a_changed_one_is_noticed() {
    let fixture = built();
    tick(&fixture);
    let mut cache = load(&fixture).unwrap();
    for path in [SOURCE, OUTPUT] {
        let text = fixture.read(path);
        fixture.write(path, &text);
        assert!(verify(&fixture, &mut cache).is_ok(), "`{path}` is what it was");
        fixture.write(path, &format!("{text}\n# one more line\n"));
        assert!(verify(&fixture, &mut cache).is_err(), "`{path}` is not what it was");
        fixture.write(path, &text);
    }
}

#[test]
fn a_link_in_place_of_generated_code_or_its_folder_is_noticed() {
    let fixture = built();
    tick(&fixture);
    let mut cache = load(&fixture).unwrap();
    let generated = fixture.root().join("src/shop/__generated__");
    let moved = fixture.root().join("elsewhere");
    fs::rename(&generated, &moved).unwrap();
    std::os::unix::fs::symlink(&moved, &generated).unwrap();
    assert!(verify(&fixture, &mut cache).is_err());
    fs::remove_file(&generated).unwrap();
    fs::rename(&moved, &generated).unwrap();
    assert!(verify(&fixture, &mut cache).is_ok());

    fs::rename(generated.join("price.py"), &moved).unwrap();
    std::os::unix::fs::symlink(&moved, generated.join("price.py")).unwrap();
    assert!(verify(&fixture, &mut cache).is_err());
}

#[test]
fn a_folder_with_a_new_file_beside_generated_code_is_reported() {
    let fixture = built();
    tick(&fixture);
    let mut cache = load(&fixture).unwrap();
    fixture.write("src/shop/__generated__/sub/other.txt", "");
    let found = verify(&fixture, &mut cache).unwrap();
    assert_eq!(found.touched_dirs, ["src/shop/__generated__/sub"]);
}

#[test]
fn a_damaged_cache_is_ignored() {
    let fixture = built();
    let bytes = load(&fixture).unwrap().as_bytes().to_vec();
    assert!(FreshCache::from_bytes(bytes.clone()).is_some());
    for len in 0..bytes.len() {
        assert!(FreshCache::from_bytes(bytes[..len].to_vec()).is_none(), "cut off at {len}");
    }
    for at in 0..bytes.len() {
        let mut bytes = bytes.clone();
        bytes[at] ^= 1;
        assert!(FreshCache::from_bytes(bytes).is_none(), "damaged at {at}");
    }
}

#[test]
fn a_planted_cache_does_no_harm() {
    let fixture = built();
    let bytes = load(&fixture).unwrap().as_bytes().to_vec();
    for at in (48..bytes.len()).step_by(3) {
        let mut bytes = bytes.clone();
        bytes[at] = 0xff;
        let digest = Digest::of(&bytes[48..]);
        bytes[16..48].copy_from_slice(digest.as_bytes());
        if let Some(mut cache) = FreshCache::from_bytes(bytes) {
            cache.modules().count();
            cache.verify(fixture.root(), now(&fixture)).ok();
        }
    }
}

/// Something that happens to a project between two builds.
#[derive(Clone, Debug)]
enum Edit {
    Rewrite,
    SameSize,
    /// As `SameSize`, and the time of modification is what it was.
    Hidden,
    /// A file with the same size and times takes its place.
    Replace,
    Grow,
    Delete,
    Link,
    Registry,
    Key,
    Wait,
    Build,
}

fn edit(fixture: &mut Fixture, edit: &Edit, path: &str) {
    let full = fixture.root().join(path);
    if let Edit::Build = edit {
        if fixture.load().is_ok() {
            fixture.build(&FakeBackend::new());
        }
        return;
    }
    let Ok(text) = fs::read_to_string(&full) else { return };
    let times = || {
        let metadata = full.metadata().unwrap();
        let time = metadata.modified().unwrap();
        FileTimes::new().set_modified(time).set_accessed(time)
    };
    let other = || {
        // A change of one letter, in a source or in code.
        let at = text.rfind("e").unwrap_or(0);
        let was = &text[at..=at];
        format!("{}{}{}", &text[..at], if was == "e" { "a" } else { "e" }, &text[at + 1..])
    };
    match edit {
        Edit::Rewrite => fixture.write(path, &text),
        Edit::SameSize => fixture.write(path, &other()),
        Edit::Hidden => {
            let times = times();
            fixture.write(path, &other());
            File::options().write(true).open(&full).unwrap().set_times(times).unwrap();
        }
        Edit::Replace => {
            let times = times();
            fixture.write("new", &other());
            let new = fixture.root().join("new");
            File::options().write(true).open(&new).unwrap().set_times(times).unwrap();
            fs::rename(new, &full).unwrap();
        }
        Edit::Grow => fixture.write(path, &format!("{text}\n# more\n")),
        Edit::Delete => fs::remove_file(&full).unwrap(),
        Edit::Link => {
            // A link that is moved onto its own target would lead nowhere.
            let target = fixture.root().join(format!("moved-{}", path.replace('/', "-")));
            if !full.is_symlink() {
                fs::rename(&full, &target).unwrap();
                std::os::unix::fs::symlink(&target, &full).unwrap();
            }
        }
        Edit::Registry => fixture.respec(&format!("{SHOP}\n app.more:more")),
        Edit::Key => fixture.modules = serde_json::json!({"x.y": {"kind": "magic"}}),
        Edit::Wait => tick(fixture),
        Edit::Build => {}
    }
}

fn edits() -> impl Strategy<Value = Vec<(Edit, &'static str)>> {
    let edit = prop_oneof![
        4 => Just(Edit::Rewrite),
        4 => Just(Edit::SameSize),
        1 => Just(Edit::Hidden),
        1 => Just(Edit::Replace),
        1 => Just(Edit::Grow),
        1 => Just(Edit::Delete),
        1 => Just(Edit::Link),
        1 => Just(Edit::Registry),
        1 => Just(Edit::Key),
        3 => Just(Edit::Wait),
        4 => Just(Edit::Build),
    ];
    let path = prop::sample::select(vec![
        SOURCE,
        OUTPUT,
        "src/shop/cart.py",
        "src/shop/__generated__/sub/page.py",
    ]);
    prop::collection::vec((edit, path), 1..10)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    /// Whatever happened in between, and however fast: a cache holds only if a full load finds everything
    /// fresh, and the plan of the part that a change affects is the plan of the whole.
    #[test]
    fn with_and_without_a_cache_the_plan_is_the_same(edits in edits()) {
        let mut fixture = built();
        let mut cache = load(&fixture);
        let mut index = index_of(&fixture);
        for (what, path) in edits {
            edit(&mut fixture, &what, path);
            let verdict = cache.as_mut().map(|it| verify(&fixture, it));
            let loaded = load(&fixture);
            match verdict {
                Some(Ok(found)) => {
                    prop_assert!(loaded.is_some(), "{what:?} of `{path}` was not noticed");
                    prop_assert_eq!(fixture.load().unwrap().modules().len(), found.n_modules);
                }
                Some(Err(changed)) => {
                    if let Some(part) = plan_of_affected(&fixture, &index, &changed) {
                        let (_, whole) = fixture.plan(Kind::Build, &PlanOptions::default());
                        for (name, planned) in whole.modules() {
                            match part.modules().get(name) {
                                Some(in_part) => prop_assert_eq!(planned, in_part),
                                None => prop_assert!(!planned.is_stale(), "{} is stale", name),
                            }
                        }
                    }
                }
                None => {}
            }
            if loaded.is_some() {
                cache = loaded;
                index = index_of(&fixture);
            }
        }
    }
}
