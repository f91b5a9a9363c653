//! Documents that the reader takes are valid for editors, and under the language's own schema:
//! every case, every document of the sample pack and of the template, every upstream example.

#![expect(
    clippy::unwrap_used,
    reason = "a test says best where it broke by breaking there"
)]

use std::fs;
use std::path::{Path, PathBuf};

use casewright_language::pack_test::Around;
use casewright_language::{Diagnostic, Surroundings, editor, read};
use casewright_tests::case::Case;
use jsonschema::Validator;
use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_path_buf()
}

/// Files below a folder with this ending.
fn below(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_str().unwrap().ends_with(ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Every document that the reader takes, with a name for it.
fn accepted() -> Vec<(String, Value)> {
    taken(|_| true)
}

/// Those whose findings are wanted.
fn taken(wanted: impl Fn(&[Diagnostic]) -> bool) -> Vec<(String, Value)> {
    let root = root();
    let mut texts = Vec::new();
    for path in below(&root.join("tests/cases"), ".case") {
        let case = Case::parse(&fs::read_to_string(&path).unwrap());
        texts.push((path, case.map(|case| case.workflow_text()).unwrap()));
    }
    for folder in ["workflows", "engine/templates", "../shared/dsl/examples"] {
        for path in below(&root.join(folder), ".yaml") {
            let text = fs::read_to_string(&path).unwrap();
            texts.push((path, text.replace("{{name}}", "agency")));
        }
    }
    let read = texts.into_iter().filter_map(|(path, text)| {
        let name = path.display().to_string();
        let reading = read(&name, &text, &Surroundings::default());
        let workflow = reading.workflow.filter(|_| wanted(&reading.diagnostics))?;
        Some((name, workflow.definition))
    });
    read.collect()
}

fn refused(validator: &Validator, documents: &[(String, Value)]) -> Vec<String> {
    let of = |(name, document): &(String, Value)| {
        let errors = validator.iter_errors(document);
        let sentences = errors.map(|error| format!("{name}{}: {error}", error.instance_path()));
        sentences.collect::<Vec<_>>()
    };
    documents.iter().flat_map(of).collect()
}

#[test]
fn whatever_the_reader_takes_an_editor_takes() {
    let documents = accepted();
    assert!(documents.len() > 100, "{}", documents.len());
    let schema = editor::schema(&Surroundings::default());
    let validator = jsonschema::draft7::new(&schema).unwrap();
    let refused = refused(&validator, &documents);
    assert!(refused.is_empty(), "{refused:#?}");
}

#[test]
fn packs_forms_and_tests_of_this_checkout_are_valid_for_editors() {
    let nothing = Surroundings::default();
    let compiled = |schema: &Value| jsonschema::draft7::new(schema).unwrap();
    let form = compiled(&editor::form::schema());
    let pack = compiled(&editor::pack::schema(&nothing));
    let test = compiled(&editor::test::schema(&Around::default()));
    let mut looked_at = 0;
    for folder in ["workflows", "engine/templates"] {
        for path in below(&root().join(folder), ".yaml") {
            let within = |name: &str| path.parent().unwrap().ends_with(name);
            let validator = match path.file_name().unwrap() {
                name if name == "pack.yaml" => &pack,
                _ if within("forms") => &form,
                _ if within("tests") => &test,
                _ => continue,
            };
            let text = fs::read_to_string(&path).unwrap();
            let text = text.replace("{{name}}", "agency");
            let text = text.replace("{{quoted title}}", "Agency");
            // `on` is a name.
            let options = serde_yaml::options! { strict_booleans: true };
            let document = serde_yaml::from_str_with_options::<Value>(&text, options).unwrap();
            let document = [(path.display().to_string(), document)];
            assert_eq!(refused(validator, &document), Vec::<String>::new());
            looked_at += 1;
        }
    }
    assert!(looked_at > 50, "{looked_at}");
    let plainly_wrong: Value = serde_yaml::from_str("{namespace: a, title: A}").unwrap();
    assert!(!pack.is_valid(&plainly_wrong));
}

#[test]
fn whatever_the_reader_takes_is_valid_under_the_official_schema() {
    let Ok(text) = fs::read_to_string(root().join("../shared/dsl/schema.yaml")) else {
        eprintln!("not checked: no official schema in ../shared/dsl");
        return;
    };
    let schema: Value = serde_yaml::from_str(&text).unwrap();
    let validator = jsonschema::draft202012::options()
        .should_validate_formats(true)
        .build(&schema)
        .unwrap();
    // Two warnings say that other engines refuse the document.
    let strict = |found: &[Diagnostic]| {
        let newer = |found: &Diagnostic| matches!(found.code, "CW0209" | "CW0211");
        !found.iter().any(newer)
    };
    let documents = taken(strict);
    assert!(documents.len() > 100, "{}", documents.len());
    let refused = refused(&validator, &documents);
    assert!(refused.is_empty(), "{refused:#?}");
}

#[test]
fn an_editor_sees_what_is_plainly_wrong() {
    let schema = editor::schema(&Surroundings::default());
    let validator = jsonschema::draft7::new(&schema).unwrap();
    let task = |task: &str| {
        let text = format!(
            "{{document: {{dsl: '1.0.3', namespace: a, name: b, version: '1.0.0'}}, \
             do: [{{it: {task}}}]}}"
        );
        serde_yaml::from_str::<Value>(&text).unwrap()
    };
    assert!(validator.is_valid(&task("{set: {a: 1}}")));
    for wrong in [
        "{sett: {a: 1}}",
        "{then: end}",
        "{call: human-task}",
        "{call: human-task, with: {title: Look}}",
        "{call: human-task, with: {title: Look, assign: {role: a, team: b}}}",
        "{call: human-task, with: {title: Look, assign: {role: a}, rules: {approvals: 2}}}",
        "{call: approval, with: {title: Agree, assign: {role: a}, rules: {approvals: 21}}}",
        "{call: fund.reserve, with: {fund: a, money: 12.5}}",
        "{wait: 3 days}",
        "{wait: {hour: 3}}",
        "{switch: [{a: {when: .x}}]}",
        "{try: [{a: {set: {}}}]}",
        "{for: {in: .x}}",
        "{raise: {error: {type: 'https://a.example/b'}}}",
        "{call: http, with: {method: get}}",
    ] {
        assert!(!validator.is_valid(&task(wrong)), "{wrong}");
    }
}
