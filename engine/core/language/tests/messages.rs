//! Every broken document beside this file with what an author is shown, compared whole.
//!
//! `UPDATE=1` writes what is shown at present; read the difference before keeping it.

#![allow(
    clippy::disallowed_methods,
    reason = "tests read their data from files; the crate itself may not"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use casewright_language::diagnostic::draw;
use casewright_language::pack::{self, Aspect};
use casewright_language::pack_test::{self, Around};
use casewright_language::read::outline::outline;
use casewright_language::surroundings::PackNames;
use casewright_language::{Outline, Schema, Signature, Surroundings, read};
use serde_json::json;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/messages")
}

fn names<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.map(str::to_owned).into()
}

fn surroundings() -> Surroundings {
    let input = json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["payee", "money"],
        "properties": {
            "payee": { "type": "string" },
            "money": {
                "type": "object",
                "required": ["minor", "currency"],
                "properties": {
                    "minor": { "type": "integer" },
                    "currency": { "type": "string" },
                },
            },
        },
    });
    let pay = Signature {
        title: "Pay".to_owned(),
        input: Schema::new(input).expect("a schema of the subset"),
        output: Schema::new(json!({ "type": "object" })).expect("a schema of the subset"),
        errors: vec!["declined".to_owned()],
        pays: Some("/money".to_owned()),
        discloses: Vec::new(),
    };
    let apply = Signature {
        title: "Apply".to_owned(),
        input: Schema::new(json!({ "type": "object" })).expect("a schema of the subset"),
        output: Schema::new(json!({ "type": "object" })).expect("a schema of the subset"),
        errors: Vec::new(),
        pays: None,
        discloses: vec!["income".to_owned(), "dates-of-birth".to_owned()],
    };
    Surroundings {
        functions: BTreeMap::from([
            ("payment-issue.pay".to_owned(), pay),
            ("homes.apply".to_owned(), apply),
        ]),
        functions_known: true,
        workflows: Some(workflows()),
        pack: Some(PackNames {
            forms: BTreeMap::new(),
            forms_broken: BTreeSet::new(),
            tables: BTreeMap::from([("needs".to_owned(), needs())]),
            tables_broken: BTreeSet::new(),
            messages: BTreeMap::from([("visit".to_owned(), visit())]),
            messages_broken: BTreeSet::new(),
            namespace: "agency".to_owned(),
            roles: names(["case-worker", "team-leader", "service-manager"]),
            teams: names(["north", "south"]),
            funds: names(["brokerage"]),
            calendars: names(["statewide", "brisbane"]),
            petty_cash: false,
            policies: BTreeMap::from([
                ("brokerage-limits".to_owned(), BTreeSet::new()),
                (
                    "summed-limits".to_owned(),
                    BTreeSet::from([Aspect::Goal, Aspect::Supplier]),
                ),
            ]),
            purposes: names(["housing"]),
            recipients: names(["housing-register"]),
            bases: names(["child-safety"]),
            closing_reasons: names(["goals-some", "moved"]),
        }),
    }
}

fn needs() -> casewright_language::decision::Table {
    let text = "title: What a request needs\ninputs:\n  amount: { type: money, currency: AUD }\n  \
                category: { type: word, words: [household, rent] }\n\
                outputs: { quotes: { type: number } }\nversions:\n  - from: 2026-07-01\n    \
                rows: [ { then: { quotes: 1 } } ]\n";
    let (table, found) = pack::read_table("needs", "decisions/needs.yaml", text);
    table.unwrap_or_else(|| panic!("{found:?}"))
}

fn visit() -> casewright_language::Message {
    let text = "text: We come on {day}.\ndata: [day]\n";
    let (message, found) = pack::read_message("visit", "messages/visit.yaml", text);
    message.unwrap_or_else(|| panic!("{found:?}"))
}

fn workflows() -> BTreeMap<String, Outline> {
    let review = "document: { namespace: agency, name: review, version: '1.2.0' }\n\
                  input: { schema: { document: { type: object, required: [ plan ], properties: { \
                  plan: { type: string }, days: { type: integer } } } } }\n";
    let closure = "document: { namespace: agency, name: closure, version: '1.0.0' }\n";
    BTreeMap::from([review, closure].map(|text| outline(text).expect("a document with a header")))
}

/// What files of tests may name; those of the corpus begin with `tests-`, decision tables with
/// `table-`, messages with `message-`.
fn around() -> Around {
    let outcomes = |outcomes: &[&str]| outcomes.iter().map(|&one| one.to_owned()).collect();
    let tasks = BTreeMap::from([
        ("request".to_owned(), outcomes(&["done"])),
        ("decision".to_owned(), outcomes(&["approve", "decline"])),
    ]);
    Around {
        roles: names(["case-worker", "team-leader", "service-manager"]),
        calendars: BTreeSet::new(),
        funds: names(["brokerage"]),
        functions: Some(names(["payment-issue.pay"])),
        workflows: BTreeMap::from([("brokerage".to_owned(), tasks)]),
        refusals: names(["self-approval", "form-invalid"]),
        actions: names(["refused", "work-item-offered"]),
    }
}

#[test]
fn every_broken_document_is_explained() {
    let surroundings = surroundings();
    let mut different = Vec::new();
    let mut count = 0;
    let mut paths: Vec<PathBuf> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "yaml")
        })
        .collect();
    paths.sort();
    for path in paths {
        let text = fs::read_to_string(&path).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap();
        let diagnostics = if name.starts_with("tests-") {
            pack_test::read(name, &text, &around()).1
        } else if name.starts_with("table-") {
            pack::read_table("sample", name, &text).1
        } else if name.starts_with("message-") {
            pack::read_message("sample", name, &text).1
        } else {
            read(name, &text, &surroundings).diagnostics
        };
        assert!(!diagnostics.is_empty(), "{name} has no mistake");
        let shown = draw(&diagnostics, &text, false);
        let expected = path.with_extension("txt");
        if std::env::var_os("UPDATE").is_some() {
            fs::write(&expected, &shown).unwrap();
        } else if fs::read_to_string(&expected).unwrap_or_default() != shown {
            different.push(format!("{name} shows\n{shown}"));
        }
        count += 1;
    }
    assert!(count >= 80, "only {count} documents");
    assert!(different.is_empty(), "{}", different.join("\n"));
}
