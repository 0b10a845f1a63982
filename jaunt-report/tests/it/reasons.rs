//! Every reason to be stale has a form in the documents.

use std::iter;

use insta::assert_snapshot;
use jaunt_builder::Staleness;
use jaunt_digest::{Digest, Kind};
use jaunt_report::{Reason, render};

use crate::support::name;

/// Returns an example of the variant after that of `previous`, and that of the first one after `None`.
///
/// A new variant of `Staleness` does not compile here until it has a place in this row.
fn next(previous: Option<&Staleness>) -> Option<Staleness> {
    let (was, now) = (Digest::of("was"), Digest::of("now"));
    let Some(previous) = previous else { return Some(Staleness::Missing) };
    let next = match previous {
        Staleness::Missing => Staleness::Moved { from: "src/app/__generated__/a.py".into() },
        Staleness::Moved { .. } => {
            Staleness::Unreadable { message: "it is a symbolic link".to_owned() }
        }
        Staleness::Unreadable { .. } => Staleness::NotUtf8,
        Staleness::NotUtf8 => Staleness::Truncated,
        Staleness::Truncated => Staleness::Foreign,
        Staleness::Foreign => {
            Staleness::WrongKind { was: Some("test".to_owned()), now: Kind::Build }
        }
        Staleness::WrongKind { .. } => Staleness::WrongModule { was: None, now: name("app.a") },
        Staleness::WrongModule { .. } => Staleness::UnknownScheme { scheme: 3 },
        Staleness::UnknownScheme { .. } => Staleness::OutdatedScheme { scheme: 2 },
        Staleness::OutdatedScheme { .. } => Staleness::SpecsChanged {
            was: Some(format!("sha256:{was}")),
            now,
            changed: vec!["app.a:f".parse().unwrap()],
            added: vec!["app.a:g".parse().unwrap()],
            removed: vec!["app.a:h".to_owned()],
            via: vec![name("app.b")],
        },
        Staleness::SpecsChanged { .. } => Staleness::BodyEdited { was, now },
        Staleness::BodyEdited { .. } => {
            Staleness::DependencyRegenerated { module: name("app.b"), was: Some(was), now: None }
        }
        Staleness::DependencyRegenerated { .. } => {
            Staleness::DependencySpecsChanged { module: name("app.b"), was: None, now }
        }
        Staleness::DependencySpecsChanged { .. } => Staleness::Upstream { via: name("app.b") },
        Staleness::Upstream { .. } => Staleness::Unfinished,
        Staleness::Unfinished => Staleness::Forced,
        Staleness::Forced => return None,
    };
    Some(next)
}

#[test]
fn every_reason_to_be_stale_has_a_form() {
    let all = iter::successors(next(None), |it| next(Some(it)));
    let reasons: Vec<Reason> = all.map(|it| Reason::from(&it)).collect();
    insta::with_settings!({filters => vec![
        (Digest::of("was").to_string().as_str(), "[was]"),
        (Digest::of("now").to_string().as_str(), "[now]"),
    ]}, {
        assert_snapshot!("reasons", render(&reasons));
    });
}
