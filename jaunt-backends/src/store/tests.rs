use std::io::Write as _;

use insta::assert_snapshot;
use jaunt_digest::normalize_body;
use proptest::prelude::*;

use super::*;
use crate::store::recording::{MARKER, MAX_FILE};
use crate::testing::{cart, chain, directory};

const SOURCE: &str = "class Cart: ...\n\n\ntotal = 1\n";

/// A store in an empty directory, called `recordings`.
fn store() -> (tempfile::TempDir, Store) {
    let (dir, root) = directory();
    let store = Store::create(&root, "recordings".into()).unwrap();
    (dir, store)
}

fn context() -> Digest {
    canonical_digest(&cart())
}

impl Store {
    /// The file of a recording of [`cart`].
    fn file(&self) -> Utf8PathBuf {
        self.place.join(file_name(context()))
    }

    /// Changes that file behind the store's back.
    fn edit(&self, change: impl FnOnce(String) -> String) {
        let text = change(fs::read_to_string(self.file()).unwrap());
        let mut file = fs::OpenOptions::new().write(true).truncate(true).open(self.file()).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    /// Why the recording of [`cart`] is refused.
    fn refusal(&self) -> RecordingFault {
        match self.get(&cart()) {
            Err(StoreError::Refused { fault, .. }) => fault,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_recording_can_be_reviewed() {
    let (_dir, store) = store();
    store.put(&cart(), SOURCE).unwrap();
    assert_snapshot!(fs::read_to_string(store.file()).unwrap(), @r##"
    # jaunt:recording/1
    # jaunt:kind=build
    # jaunt:spec_module=shop.cart
    # jaunt:context=sha256:92142ec8592d144497df09394c24d73e63667ae523512836b953e5cd5fffc5e4
    # jaunt:source=sha256:5a451ec5e81234de81ef625de5cd83ddb38f1cdaa0ed62a696a86fabd98ac913
    # jaunt:generated_module=shop.__generated__.cart
    # jaunt:expected_names=["Cart","total"]
    # jaunt:spec_sources={"shop.cart:Cart.add":"d5fdcf6eebeeb133","shop.cart:total":"7310e362596002c6"}
    # jaunt:decorator_prompts={"shop.cart:total":"8bfed31647f806c4"}
    # jaunt:dependency_apis={"shop.price:Price":"2f87c974f2cac8af"}
    # jaunt:dependency_generated_modules={"shop.price":"7981016b6ceb1b13"}

    class Cart: ...


    total = 1
    "##);
}

#[test]
fn what_was_recorded_comes_back() {
    let (_dir, store) = store();
    assert_eq!(store.get(&cart()).unwrap(), None);
    store.put(&cart(), SOURCE).unwrap();
    assert_eq!(store.get(&cart()).unwrap().as_deref(), Some(SOURCE));
    let root = store.place.parent().unwrap();
    let reader = Store::open(root, "recordings".into()).unwrap();
    assert_eq!(reader.get(&cart()).unwrap().as_deref(), Some(SOURCE));
}

#[test]
fn the_same_answer_is_not_written_again_and_another_replaces_it() {
    let (_dir, store) = store();
    let identity = || std::os::unix::fs::MetadataExt::ino(&fs::metadata(store.file()).unwrap());
    store.put(&cart(), SOURCE).unwrap();
    let first = identity();
    store.put(&cart(), SOURCE).unwrap();
    // With another end of lines, and white space at the end, it is the same.
    store.put(&cart(), &format!("{}\r\n \n", SOURCE.replace('\n', "\r\n"))).unwrap();
    assert_eq!(identity(), first);
    store.put(&cart(), "Cart = total = 2\n").unwrap();
    assert_eq!(store.get(&cart()).unwrap().as_deref(), Some("Cart = total = 2\n"));
    assert_eq!(fs::read_dir(&store.place).unwrap().count(), 1);
}

#[test]
fn an_edited_recording_is_refused_by_name() {
    let (_dir, store) = store();
    store.put(&cart(), SOURCE).unwrap();
    store.edit(|text| text.replace("total = 1", "total = 2"));
    let err = store.get(&cart()).unwrap_err();
    assert_eq!(
        err.to_string(),
        format!(
            "refusing the recording `recordings/{}.py`: its source was changed or cut after it \
             was recorded",
            context()
        )
    );
}

#[test]
fn every_kind_of_damage_is_told_apart() {
    let (_dir, store) = store();
    let refusal = |change: &dyn Fn(String) -> String| {
        store.put(&cart(), SOURCE).unwrap();
        store.edit(change);
        store.refusal()
    };
    assert_eq!(refusal(&|_| String::new()), RecordingFault::NoMarker);
    assert_eq!(
        refusal(&|text| text.replace("recording/1", "recording/2")),
        RecordingFault::NoMarker
    );
    assert_eq!(refusal(&|text| text[..text.len() - 9].to_owned()), RecordingFault::OtherSource);
    assert_eq!(refusal(&|text| text + "x = 1\n"), RecordingFault::OtherSource);
    assert_eq!(
        refusal(&|text| text.replace("kind=build", "kind=x")),
        RecordingFault::BadField("kind")
    );
    assert_eq!(refusal(&|text| text.replace(".cart\n", "\n")), RecordingFault::OtherContext);
    assert_eq!(
        refusal(&|text| text.replace(&format!("context=sha256:{}", context()), "context=")),
        RecordingFault::BadField("context")
    );
}

#[test]
fn a_recording_under_another_name_is_refused() {
    let (_dir, store) = store();
    store.put(&ModuleSpecContext { expected_names: vec![], ..cart() }, SOURCE).unwrap();
    let other = fs::read_dir(&store.place).unwrap().next().unwrap().unwrap().path();
    fs::hard_link(other, store.file()).unwrap();
    assert_eq!(store.refusal(), RecordingFault::OtherContext);
}

#[test]
fn a_checkout_that_changes_line_ends_does_no_harm() {
    let (_dir, store) = store();
    store.put(&cart(), SOURCE).unwrap();
    store.edit(|text| text.replace('\n', "\r\n"));
    assert_eq!(store.get(&cart()).unwrap().as_deref(), Some(SOURCE));
}

#[test]
fn only_regular_files_are_read() {
    let (_dir, store) = store();
    rustix::fs::mkfifoat(rustix::fs::CWD, store.file().as_str(), 0o600.into()).unwrap();
    assert_eq!(store.refusal(), RecordingFault::NotAFile);
    let (_dir, store) = self::store();
    fs::create_dir(store.file()).unwrap();
    assert_eq!(store.refusal(), RecordingFault::NotAFile);
}

#[test]
fn a_recording_of_any_size_is_not_read_into_memory() {
    let (_dir, store) = store();
    fs::File::create_new(store.file()).unwrap().set_len(MAX_FILE + 1).unwrap();
    assert_eq!(store.refusal(), RecordingFault::TooLarge);
}

#[test]
fn a_store_that_cannot_be_used_says_why() {
    let (_dir, root) = directory();
    fs::File::create_new(root.join("file")).unwrap();
    let open = |dir: &str| chain(&Store::open(&root, dir.into()).unwrap_err());
    let create = |dir: &str| chain(&Store::create(&root, dir.into()).unwrap_err());
    let reader = Store::open(&root, ".".into()).unwrap();
    assert_snapshot!(
        [
            open("none"),
            open("file"),
            create("none/recordings"),
            create("file"),
            create("/"),
            chain(&reader.put(&cart(), SOURCE).unwrap_err()),
        ]
        .join("\n"),
        @"
    there is no directory `none` with recordings
    there is no directory `file` with recordings
    cannot make `none/recordings`
      caused by: No such file or directory (os error 2)
    cannot record in `file`
      caused by: refusing to create `file`: `file` is a file, not a directory; move it away
    cannot record in `/`
      caused by: is a directory
    cannot record in `.`
      caused by: read-only filesystem or storage medium
    "
    );
}

#[test]
fn a_store_may_be_reached_through_a_link() {
    let (_dir, root) = directory();
    fs::create_dir(root.join("real")).unwrap();
    std::os::unix::fs::symlink("real", root.join("link")).unwrap();
    let store = Store::create(&root, "link".into()).unwrap();
    store.put(&cart(), SOURCE).unwrap();
    assert!(root.join("real").join(file_name(context())).is_file());
}

#[test]
fn the_differences_between_contexts_are_named() {
    let header = RecordingHeader::new(&cart(), SOURCE);
    assert!(header.differences(&cart()).is_empty());
    let mut other = cart();
    other.expected_names.pop();
    other.generated_module = "shop.other".parse().unwrap();
    other.spec_sources.first_entry().unwrap().get_mut().push(' ');
    other.decorator_prompts.clear();
    other.dependency_apis.insert("shop.tax:Tax".parse().unwrap(), "".into());
    *other.dependency_generated_modules.first_entry().unwrap().get_mut() = "other".into();
    assert_snapshot!(header.differences(&other).join("\n"), @"
    generated module, `shop.__generated__.cart`
    set of names, Cart, total
    source of `shop.cart:Cart.add`
    prompt of `shop.cart:total`
    interface of `shop.tax:Tax`
    code of `shop.price`
    ");
}

#[test]
fn headers_are_read_from_what_has_one() {
    let (_dir, store) = store();
    store.put(&cart(), SOURCE).unwrap();
    fs::File::create_new(store.place.join("notes.py")).unwrap().write_all(b"# mine\n").unwrap();
    fs::create_dir(store.place.join("dir.py")).unwrap();
    assert_eq!(store.headers(), [RecordingHeader::new(&cart(), SOURCE)]);
}

proptest! {
    #[test]
    fn any_source_comes_back_as_it_is_written_to_disk(source in "(\\PC|[\r\n\t\u{c}\u{feff}#]|# jaunt:){0,60}") {
        let recording = Recording::new(&cart(), &source);
        let read = Recording::parse(&recording.to_string()).unwrap();
        prop_assert_eq!(&read.source, &normalize_body(&source));
        prop_assert_eq!(read, recording);
    }

    #[test]
    fn any_text_is_a_recording_or_a_fault(
        text in "(# jaunt:|recording/1|kind=build|spec_module=a|context=|source=|[0-9a-f]{64}|\\PC|\r?\n){0,40}",
        is_marked: bool,
    ) {
        let text = if is_marked { format!("{MARKER}\n{text}") } else { text };
        if let Ok(recording) = Recording::parse(&text) {
            prop_assert_eq!(Digest::of(&recording.source), recording.header.identity.source);
        }
    }
}
