//! `casewright test`: what it tells besides passing and failing.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::casewright;

const PACK: &str = "\
namespace: tests
title: Tests
timeZone: Etc/UTC
roles:
  worker: { title: Worker, starts: true }
http: { hosts: [ 'bank.example:443' ] }
";

const WORKFLOW: &str = "\
document: { dsl: 1.0.3, namespace: tests, name: ask, version: 1.0.0 }
do:
  - request:
      call: human-task
      with:
        title: Ask
        assign: { role: worker }
        due: 3 business days
        outcomes: [send, drop]
  - route:
      switch:
        - sent:
            when: ${ $steps.request.outcome == \"send\" }
            then: pay
        - dropped:
            then: end
  - pay:
      try:
        - send:
            call: http
            with: { method: get, endpoint: 'https://bank.example:443/paid' }
      catch:
        do:
          - tell:
              call: human-task
              with: { title: It failed, assign: { role: worker } }
";

const TESTS: &str = "\
# What must hold.
workflow: ask
begins: 2026-03-02 09:00
people: { casey: worker }
http:
  send: [ { returns: { paid: true } } ]
tests:
  - test: It is paid    # the usual way
    steps:
      - { start: ask, as: casey }
      - complete: request     # by hand
        as: casey
        outcome: send

      # Nothing after this.
";

/// A pack with these tests.
pub(super) fn pack(tests: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    fs::create_dir(root.join("tests")).unwrap();
    fs::write(root.join("pack.yaml"), PACK).unwrap();
    fs::write(root.join("ask.yaml"), WORKFLOW).unwrap();
    fs::write(root.join("tests/ask.test.yaml"), tests).unwrap();
    folder
}

fn text_of(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn what_no_test_reaches_is_told_with_its_line() {
    let folder = pack(TESTS);
    let output = casewright(&["test", text_of(folder.path()), "--coverage"], "");
    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert!(
        told.contains("ask: 4 of 5 tasks, 2 of 6 branches\n"),
        "{told}"
    );
    let missed: Vec<_> = told
        .lines()
        .filter_map(|line| Some(line.split_once("ask.yaml:")?.1))
        .collect();
    assert_eq!(
        missed,
        [
            "9: never reached: outcome `drop` of `request`",
            "15: never reached: case `dropped` of `route`",
            "22: never reached: `catch` of `pay`",
            "24: never reached: task `tell`",
        ]
    );
    let output = casewright(
        &["test", text_of(folder.path()), "--json", "--coverage"],
        "",
    );
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    let covered = &printed["coverage"][0];
    assert_eq!(covered["tasks"]["all"], 5);
    assert_eq!(covered["branches"]["reached"], 2);
    assert_eq!(covered["missed"][1]["kind"], "case");
    assert_eq!(covered["missed"][1]["branch"], "dropped");
    assert_eq!(covered["missed"][1]["line"], 15);
}

#[test]
fn what_holds_is_added_and_nothing_else_is_changed() {
    let folder = pack(TESTS);
    let file = folder.path().join("tests/ask.test.yaml");
    let output = casewright(&["test", text_of(&file), "--record"], "");
    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert!(told.contains("5 expectations added to 1 test\n"), "{told}");
    let recorded = fs::read_to_string(&file).unwrap();
    let mut left = recorded.lines();
    for line in TESTS.lines() {
        assert!(left.any(|found| found == line), "{line}: {recorded}");
    }
    for line in [
        "- { task: request, for: worker, title: Ask, due: 2026-03-05, outcomes: [send, drop] }",
        "      - { ended: completed, of: ask, output: { paid: true } }",
        "      - { history: [request, route, pay, send], of: ask }\n\n      # Nothing after this.",
    ] {
        assert!(recorded.contains(line), "{recorded}");
    }
    // It is a test like any other, and recording again leaves it alone.
    let output = casewright(&["test", text_of(&file)], "");
    assert_eq!(output.status.code(), Some(0));
    casewright(&["test", text_of(&file), "--record"], "");
    assert_eq!(fs::read_to_string(&file).unwrap(), recorded);
    let bent = recorded.replace("route, pay, send]", "route, send, pay]");
    fs::write(&file, bent).unwrap();
    let output = casewright(&["test", text_of(&file)], "");
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(
        told.contains("expected `send` as task 3 of `ask`, found `pay`"),
        "{told}"
    );
}

#[test]
fn a_new_file_is_never_written_over_another_and_a_failing_test_is_not_recorded() {
    let folder = pack(TESTS);
    let file = folder.path().join("tests/ask.test.yaml");
    let new = folder.path().join("tests/recorded.test.yaml");
    let to = ["test", text_of(&file), "--record-to", text_of(&new)];
    assert_eq!(casewright(&to, "").status.code(), Some(0));
    assert_eq!(fs::read_to_string(&file).unwrap(), TESTS);
    let recorded = fs::read_to_string(&new).unwrap();
    assert!(recorded.contains("history:"), "{recorded}");
    fs::write(&new, "mine").unwrap();
    let output = casewright(&to, "");
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(fs::read_to_string(&new).unwrap(), "mine");
    fs::remove_file(&new).unwrap();
    let refused = "outcome: send\n        refused: over-limit";
    fs::write(&file, TESTS.replace("outcome: send", refused)).unwrap();
    let output = casewright(&to, "");
    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("nothing was written"), "{told}");
    assert!(!new.exists());
}

#[test]
fn a_test_of_nine_months_is_measured_beside_its_limit() {
    let output = casewright(
        &[
            "bench",
            "--scenario",
            "nine-months",
            "--seconds",
            "1",
            "--json",
        ],
        "",
    );
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    let figure = &printed["nine months"];
    // How fast it is depends on the build and the machine; that it is played does not.
    assert_eq!(figure["limit"], 50.0, "{printed}");
    assert!(figure["value"].as_f64().unwrap() > 0.0, "{printed}");
}

#[test]
fn every_template_is_valid_and_passes_its_tests_whole() {
    for template in ["ask-for-help", "intake", "nightly"] {
        let folder = tempfile::tempdir().unwrap();
        let agency = folder.path().join("north-team");
        let made = casewright(&["init", text_of(&agency), "--template", template], "");
        assert_eq!(made.status.code(), Some(0), "{template}");
        let pack = agency.join("pack");
        let valid = casewright(&["validate", text_of(&pack)], "");
        let told = String::from_utf8(valid.stdout).unwrap();
        assert_eq!(valid.status.code(), Some(0), "{template}: {told}");
        let tested = casewright(&["test", text_of(&pack), "--json", "--coverage"], "");
        assert_eq!(tested.status.code(), Some(0), "{template}");
        let printed: Value = serde_json::from_slice(&tested.stdout).unwrap();
        let tasks = &printed["coverage"][0]["tasks"];
        assert_eq!(tasks["all"], tasks["reached"], "{template}: {printed}");
        let readme = fs::read_to_string(agency.join("README.md")).unwrap();
        assert!(!readme.contains("{{"), "{template}: {readme}");
    }
}

#[test]
fn a_test_answers_for_a_plugin_that_is_not_built_yet() {
    let folder = pack("");
    let document = "\
document: { dsl: 1.0.3, namespace: tests, name: ask, version: 1.0.0 }
do:
  - bond:
      call: rent-bond.ask
      with: { rent: 400 }
";
    fs::write(folder.path().join("ask.yaml"), document).unwrap();
    let file = folder.path().join("tests/ask.test.yaml");
    let tests = |function: &str| {
        format!(
            "workflow: ask\npeople: {{ casey: worker }}\n\
             plugins: {{ {function}: [ {{ returns: {{ bond: 1600 }} }} ] }}\n\
             tests:\n  - test: The bond is known\n    steps:\n\
             \x20     - {{ start: ask, as: casey }}\n\
             \x20     - {{ ended: completed, output: {{ bond: 1600 }} }}\n"
        )
    };
    fs::write(&file, tests("rent-bond.ask")).unwrap();
    let output = casewright(&["test", text_of(folder.path())], "");
    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{told}");
    // What no test answers is still not there.
    fs::write(&file, tests("rent-bond.other")).unwrap();
    let output = casewright(&["test", text_of(folder.path())], "");
    assert_eq!(output.status.code(), Some(1));
}
