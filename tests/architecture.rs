//! The arrows between rooms point down: the table of ARCHITECTURE.md, held over `cargo metadata`.
//!
//! A new edge is a decision: it needs a page in `engine/decisions/` and a line here.

#![allow(clippy::unwrap_used, reason = "a panic is how a test reports")]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

/// Who may depend on which of our crates, outside tests.
const EDGES: &[(&str, &[&str])] = &[
    ("casewright-language", &[]),
    ("casewright-machine", &["casewright-language"]),
    ("casewright-casework", &[]),
    ("casewright-store", &["casewright-casework"]),
    (
        "casewright-runtime",
        &[
            "casewright-language",
            "casewright-machine",
            "casewright-casework",
            "casewright-store",
        ],
    ),
    ("casewright-host", &[]),
    (
        "casewright-web",
        &[
            "casewright-runtime",
            "casewright-casework",
            "casewright-language",
        ],
    ),
    ("casewright-sdk", &["casewright-sdk-macros"]),
    ("casewright-sdk-macros", &[]),
];

/// What the pure crates may use of others' code: nothing that reads, waits, locks or rolls dice.
const PURE: &[(&str, &[&str])] = &[
    (
        "casewright-language",
        &[
            "annotate-snippets",
            "dagre",
            "regex",
            "ryu",
            "serde",
            "serde_json",
            "serde-saphyr",
            "sha2",
            "strsim",
        ],
    ),
    (
        "casewright-machine",
        &["jiff", "serde", "serde_json", "sha2"],
    ),
    (
        "casewright-casework",
        &[
            "chrono",
            "cron",
            "icalendar",
            "jiff",
            "serde",
            "serde_json",
            "sha2",
        ],
    ),
];

/// Package name to the names of its normal dependencies.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--no-deps",
            "--format-version",
            "1",
            "--offline",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let packages = metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| {
            let normal = package["dependencies"].as_array().unwrap().iter();
            let normal = normal.filter(|dependency| dependency["kind"].is_null());
            (
                text(&package["name"]),
                normal.map(|dependency| text(&dependency["name"])).collect(),
            )
        });
    packages.collect()
}

fn check(table: &[(&str, &[&str])], concerns: impl Fn(&str) -> bool) {
    let all = dependencies();
    for (name, allowed) in table {
        let found = all
            .get(*name)
            .unwrap_or_else(|| panic!("there is no crate {name}"));
        for dependency in found.iter().filter(|dependency| concerns(dependency)) {
            assert!(
                allowed.contains(&dependency.as_str()),
                "{name} must not use {dependency}"
            );
        }
    }
}

#[test]
fn arrows_only_point_down() {
    check(EDGES, |dependency| dependency.starts_with("casewright"));
}

#[test]
fn core_uses_nothing_that_touches_the_world() {
    check(PURE, |dependency| !dependency.starts_with("casewright"));
}

#[test]
fn every_crate_of_ours_is_in_the_table() {
    let known: BTreeSet<_> = EDGES.iter().map(|(name, _)| *name).collect();
    let top = ["casewright", "casewright-tests"];
    for name in dependencies()
        .keys()
        .filter(|name| !top.contains(&name.as_str()))
    {
        assert!(
            known.contains(name.as_str()),
            "{name} has no line in the table of edges"
        );
    }
}
