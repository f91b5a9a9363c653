//! A table of classes and files, and what a pack that changes may do to what is closed.

use jiff::civil::{Date, date};

use super::*;

const CLOSED: Date = date(2026, 8, 3);

fn class(name: &str, keep: (u8, u16), from: From) -> Class {
    Class {
        name: name.to_owned(),
        keep: Period {
            years: keep.0,
            months: keep.1,
        },
        from,
        relations: BTreeSet::new(),
        workflows: BTreeSet::new(),
        reasons: BTreeSet::new(),
        dispose: Dispose::Erase,
    }
}

fn words<T: Ord>(words: impl IntoIterator<Item = T>) -> BTreeSet<T> {
    words.into_iter().collect()
}

fn text(word: &str) -> BTreeSet<String> {
    words([word.to_owned()])
}

/// What the sample pack has, in small.
fn classes() -> Vec<Class> {
    vec![
        class("file", (7, 0), From::Closed),
        Class {
            relations: words([Relation::Child, Relation::Sibling]),
            ..class("children", (25, 0), From::Born)
        },
        Class {
            workflows: words(["safety-escalation", "safety-review"].map(str::to_owned)),
            ..class("safety", (30, 0), From::Closed)
        },
        Class {
            reasons: text("child-entered-care"),
            dispose: Dispose::Transfer,
            ..class("department", (0, 18), From::Closed)
        },
    ]
}

fn facts(persons: &[(Relation, Option<Date>)]) -> Facts {
    Facts {
        closed: CLOSED,
        reasons: text("goals-some"),
        workflows: text("intake"),
        persons: persons.to_vec(),
    }
}

fn kept(kept: &[Kept], now: &[Class], facts: &Facts) -> Option<Date> {
    Standing::of(now, kept.iter(), facts).until
}

#[test]
fn the_longest_of_all_classes_wins() {
    let child = |born| (Relation::Child, Some(born));
    let parent = (Relation::Parent, None);
    let care = |facts: Facts| Facts {
        reasons: text("child-entered-care"),
        ..facts
    };
    let safety = |facts: Facts| Facts {
        workflows: words(["intake".to_owned(), "safety-escalation".to_owned()]),
        ..facts
    };
    let young = child(date(2020, 2, 29));
    let grown = child(date(1998, 5, 1));
    let table: [(&str, Facts, &[&str], Option<Date>); 8] = [
        (
            "a parent alone",
            facts(&[parent]),
            &["file"],
            Some(date(2033, 8, 3)),
        ),
        (
            "a child",
            facts(&[parent, young]),
            &["children", "file"],
            Some(date(2045, 2, 28)),
        ),
        (
            "grown up long ago",
            facts(&[grown]),
            &["children", "file"],
            Some(date(2033, 8, 3)),
        ),
        (
            "the youngest counts",
            facts(&[young, (Relation::Sibling, Some(date(2024, 1, 31))), grown]),
            &["children", "file"],
            Some(date(2049, 1, 31)),
        ),
        (
            "one whose birth nobody knows",
            facts(&[young, (Relation::Sibling, None)]),
            &["children", "file"],
            None,
        ),
        (
            "safety work",
            safety(facts(&[young])),
            &["children", "file", "safety"],
            Some(date(2056, 8, 3)),
        ),
        (
            "months",
            care(facts(&[])),
            &["department", "file"],
            Some(date(2033, 8, 3)),
        ),
        ("nobody", facts(&[]), &["file"], Some(date(2033, 8, 3))),
    ];
    for (what, facts, falls, until) in table {
        let standing = Standing::of(&classes(), std::iter::empty::<&Kept>(), &facts);
        let names: Vec<_> = standing.classes.iter().map(|one| &*one.class).collect();
        assert_eq!(names, falls, "{what}");
        assert_eq!(standing.until, until, "{what}");
        assert_eq!(
            standing.transfers(),
            falls.contains(&"department"),
            "{what}"
        );
    }
}

#[test]
fn a_period_is_one_of_the_calendar_and_ends_with_its_month() {
    let after = |years, months, day| Period { years, months }.after(day);
    assert_eq!(after(1, 0, date(2024, 2, 29)), date(2025, 2, 28));
    assert_eq!(after(4, 0, date(2024, 2, 29)), date(2028, 2, 29));
    assert_eq!(after(0, 1, date(2026, 8, 31)), date(2026, 9, 30));
    assert_eq!(after(0, 18, CLOSED), date(2028, 2, 3));
    let written = |years, months| Period { years, months }.to_string();
    assert_eq!(
        (written(7, 0), written(1, 6), written(0, 18)),
        ("P7Y".into(), "P1Y6M".into(), "P18M".into())
    );
}

#[test]
fn under_no_class_nothing_has_an_end() {
    let safety = &classes()[2..3];
    let standing = Standing::of(safety, std::iter::empty::<&Kept>(), &facts(&[]));
    assert_eq!((standing.classes.len(), standing.until), (0, None));
    assert_eq!(Kept::new(safety.to_vec(), &facts(&[]), "d1").listed, CLOSED);
}

#[test]
fn a_pack_lengthens_what_is_closed_and_never_shortens_it() {
    let ended = Kept::new(classes(), &facts(&[]), "d1");
    assert_eq!(
        (ended.until, ended.listed),
        (Some(date(2033, 8, 3)), date(2033, 8, 3))
    );
    let ended = [ended];
    let facts = facts(&[]);
    let shorter = [class("file", (1, 0), From::Closed)];
    assert_eq!(kept(&ended, &shorter, &facts), Some(date(2033, 8, 3)));
    assert_eq!(
        kept(&ended, &[], &facts),
        Some(date(2033, 8, 3)),
        "the class is gone"
    );
    let longer = [class("file", (10, 0), From::Closed)];
    assert_eq!(kept(&ended, &longer, &facts), Some(date(2036, 8, 3)));
    let other = [class("all", (10, 0), From::Closed)];
    assert_eq!(kept(&ended, &other, &facts), Some(date(2036, 8, 3)));
    // A child who is written down later is bound by what held then.
    let child = Facts {
        persons: vec![(Relation::Child, Some(date(2022, 1, 1)))],
        ..facts.clone()
    };
    assert_eq!(kept(&ended, &shorter, &child), Some(date(2047, 1, 1)));
    // One who was written down with another birth keeps the day that was told.
    let before = [Kept::new(classes(), &child, "d1")];
    assert_eq!(kept(&before, &classes(), &facts), Some(date(2047, 1, 1)));
    // So is what is to be handed over first, also where the class is only to be erased by now.
    let care = Facts {
        reasons: text("child-entered-care"),
        ..facts.clone()
    };
    let before = [Kept::new(classes(), &care, "d1")];
    assert!(Standing::of(&shorter, before.iter(), &care).transfers());
    let mut erased = classes();
    erased[3].dispose = Dispose::Erase;
    assert!(Standing::of(&erased, before.iter(), &care).transfers());
}

#[test]
fn of_one_class_in_two_packs_what_is_not_known_keeps_the_file() {
    let unborn = facts(&[(Relation::Child, None)]);
    let born = [Class {
        relations: words([Relation::Child]),
        ..class("file", (7, 0), From::Born)
    }];
    let ended = [Kept::new(born.to_vec(), &unborn, "d1")];
    assert_eq!(kept(&ended, &classes()[..1], &unborn), None);
    let ended = [Kept::new(classes(), &unborn, "d1")];
    assert_eq!(kept(&ended, &born, &unborn), None);
}

#[test]
fn a_file_is_listed_under_the_longest_that_is_known() {
    let listed = |born| {
        let facts = facts(&[(Relation::Child, born)]);
        Kept::new(classes(), &facts, "d1").listed
    };
    assert_eq!(listed(Some(date(2020, 2, 29))), date(2045, 2, 28));
    assert_eq!(listed(None), date(2033, 8, 3));
}

#[test]
fn what_was_kept_is_read_back_as_it_was_written() {
    let ended = Kept::new(classes(), &facts(&[]), "d1");
    let written = serde_json::to_value(&ended).unwrap();
    assert_eq!(written["classes"][3]["dispose"], "transfer");
    assert_eq!(serde_json::from_value::<Kept>(written).unwrap(), ended);
}

#[test]
fn a_shorter_narrower_or_missing_class_is_told() {
    let same = classes();
    let told = |change: fn(&mut Vec<Class>)| {
        let mut after = classes();
        change(&mut after);
        shortened(&same, &after)
    };
    let none: Vec<String> = Vec::new();
    assert_eq!(told(|_| {}), none);
    assert_eq!(told(|all| all[0].keep.years = 8), none);
    assert_eq!(
        told(|all| all[3].keep = Period {
            years: 1,
            months: 6
        }),
        none,
        "18 months too"
    );
    assert_eq!(
        told(|all| all[2].workflows = BTreeSet::new()),
        none,
        "wider"
    );
    assert_eq!(
        told(|all| all.push(class("more", (1, 0), From::Closed))),
        none
    );
    assert_eq!(told(|all| all[0].keep.years = 6), ["file"]);
    assert_eq!(told(|all| all[3].keep.months = 17), ["department"]);
    assert_eq!(told(|all| all[0].from = From::Born), ["file"]);
    assert_eq!(
        told(|all| all[1].relations = words([Relation::Child])),
        ["children"]
    );
    assert_eq!(
        told(|all| all[0].relations = words([Relation::Child])),
        ["file"]
    );
    assert_eq!(told(|all| all[0].reasons = text("moved")), ["file"]);
    assert_eq!(told(|all| all[2].workflows = text("intake")), ["safety"]);
    assert_eq!(told(|all| all[3].dispose = Dispose::Erase), ["department"]);
    assert_eq!(told(|all| drop(all.remove(1))), ["children"]);
}
