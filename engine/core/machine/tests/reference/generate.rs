//! Workflows at random: every construct in every other, three deep, with expressions that mostly
//! hold and sometimes fail.

use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;
use serde_json::json;

use super::plan::{Jq, Kind, Plan, Task, Then, name};

/// Constructs within constructs.
const DEPTH: u32 = 3;

/// What expressions may name at a place beside `.` and `$context`.
#[derive(Clone, Default)]
struct Seen(Vec<Jq>);

impl Seen {
    fn and(&self, more: impl IntoIterator<Item = Jq>) -> Self {
        Self(self.0.iter().cloned().chain(more).collect())
    }

    fn without(&self, gone: impl Fn(&Jq) -> bool) -> Self {
        Self(self.0.iter().filter(|seen| !gone(seen)).cloned().collect())
    }
}

const KEYS: [&str; 3] = ["a", "b", "n"];

pub(crate) fn plans() -> impl Strategy<Value = Plan> {
    let seen = Seen(vec![Jq::Before(0), Jq::Before(1)]);
    let output = Seen::default();
    (
        values(&output),
        tasks(DEPTH, &seen),
        weighted(0.2, values(&output)),
    )
        .prop_map(|(input, mut tasks, output)| {
            name(&mut tasks, &mut 0);
            Plan {
                input: literal(&input),
                tasks,
                output,
            }
        })
}

/// An input without expressions, from one with them.
fn literal(value: &Jq) -> serde_json::Value {
    match value {
        Jq::Literal(value) => value.clone(),
        Jq::Object(members) => members
            .iter()
            .map(|(name, value)| ((*name).to_owned(), literal(value)))
            .collect(),
        _ => json!({ "a": 1, "b": { "n": 2 } }),
    }
}

fn tasks(depth: u32, seen: &Seen) -> BoxedStrategy<Vec<Task>> {
    vec(task(depth, seen), 1..4).boxed()
}

fn task(depth: u32, seen: &Seen) -> BoxedStrategy<Task> {
    let within = seen.and([Jq::Input]);
    let parts = (
        weighted(0.2, conditions(seen)),
        weighted(0.2, values(seen)),
        weighted(0.2, values(&within)),
        weighted(0.2, values(&within)),
        thens(),
        kinds(depth, &within),
    );
    parts
        .prop_map(|(condition, from, transform, export, then, kind)| Task {
            name: String::new(),
            condition,
            from,
            transform,
            export,
            then,
            kind,
        })
        .boxed()
}

fn thens() -> impl Strategy<Value = Then> {
    prop_oneof![
        12 => Just(Then::Unsaid),
        1 => Just(Then::Continue),
        1 => Just(Then::Exit),
        1 => Just(Then::End),
        2 => (0_usize..2).prop_map(Then::Skip),
    ]
}

fn kinds(depth: u32, seen: &Seen) -> BoxedStrategy<Kind> {
    let set = vec((prop::sample::select(&KEYS[..]), values(seen)), 1..3).prop_map(|mut members| {
        members.sort_by_key(|(name, _)| *name);
        members.dedup_by_key(|(name, _)| *name);
        Kind::Set(members)
    });
    let switch = (
        vec((conditions(seen), thens()), 0..3),
        weighted(0.5, thens()),
    )
        .prop_map(|(cases, standard)| {
            let standard = standard.map(|then| (None, then));
            let cases = cases.into_iter().map(|(when, then)| (Some(when), then));
            let mut cases: Vec<_> = cases.chain(standard).collect();
            if cases.is_empty() {
                cases.push((None, Then::Continue));
            }
            Kind::Switch(cases)
        });
    let simple = prop_oneof![
        6 => set,
        2 => switch,
        1 => (400_i64..403).prop_map(Kind::Raise),
        2 => (any::<bool>(), 0_i64..9).prop_map(|(fails, with)| Kind::Call { fails, with }),
        1 => Just(Kind::Wait),
    ];
    if depth == 0 {
        return simple.boxed();
    }
    let inner = seen.without(|seen| matches!(seen, Jq::Input));
    let in_loop = inner.and([Jq::Item]);
    let items = prop_oneof![
        5 => vec(0_i64..4, 0..4).prop_map(|items| Jq::Literal(json!(items))),
        1 => values(seen),
    ];
    let while_seen = seen.and([Jq::Item]);
    let looping = (
        items,
        weighted(0.3, conditions(&while_seen)),
        tasks(depth - 1, &in_loop),
    )
        .prop_map(|(items, condition, tasks)| Kind::For {
            items,
            condition,
            tasks,
        });
    let in_branch = inner.without(|seen| matches!(seen, Jq::Before(_)));
    let branches = vec(task(depth - 1, &in_branch), 1..4);
    let fork = (prop::bool::weighted(0.2), branches)
        .prop_map(|(compete, branches)| Kind::Fork { compete, branches });
    let in_handler = inner.and([Jq::Status]);
    let when = seen.and([Jq::Status]);
    let attempt = (
        tasks(depth - 1, &inner),
        weighted(0.2, 400_i64..403),
        weighted(0.2, conditions(&when)),
        weighted(0.3, 0_u32..3),
        weighted(0.7, tasks(depth - 1, &in_handler)),
    )
        .prop_map(|(tasks, status, when, retries, handler)| Kind::Try {
            tasks,
            status,
            when,
            retries,
            handler,
        });
    prop_oneof![
        4 => simple,
        1 => tasks(depth - 1, &inner).prop_map(Kind::Do),
        1 => looping,
        1 => fork,
        2 => attempt,
    ]
    .boxed()
}

fn conditions(seen: &Seen) -> BoxedStrategy<Jq> {
    let pair = || (values(seen), values(seen));
    prop_oneof![
        3 => pair().prop_map(|(one, other)| Jq::Equal(one.into(), other.into())),
        3 => pair().prop_map(|(one, other)| Jq::Less(one.into(), other.into())),
        1 => any::<bool>().prop_map(|value| Jq::Literal(json!(value))),
        1 => values(seen),
    ]
    .boxed()
}

fn values(seen: &Seen) -> BoxedStrategy<Jq> {
    let mut named = vec![Jq::Dot, Jq::Dot, Jq::Dot, Jq::Context];
    named.extend(seen.0.iter().cloned());
    let key = || prop::sample::select(&KEYS[..]);
    let leaf = prop_oneof![
        2 => (0_i64..5).prop_map(|number| Jq::Literal(json!(number))),
        1 => prop::sample::select(vec![json!("x"), json!(null), json!(true), json!([1])])
            .prop_map(Jq::Literal),
        4 => (prop::sample::select(named.clone()), key())
            .prop_map(|(from, name)| Jq::Field(from.into(), name)),
        2 => prop::sample::select(named),
    ];
    leaf.prop_recursive(2, 6, 2, move |inner| {
        let pair = || (inner.clone(), inner.clone());
        prop_oneof![
            2 => pair().prop_map(|(one, other)| Jq::Add(one.into(), other.into())),
            1 => pair().prop_map(|(one, other)| Jq::Or(one.into(), other.into())),
            2 => (key(), inner.clone(), key(), inner.clone()).prop_map(|(a, one, b, other)| {
                let mut members = vec![(a, one)];
                if a != b {
                    members.push((b, other));
                }
                Jq::Object(members)
            }),
        ]
    })
    .boxed()
}
