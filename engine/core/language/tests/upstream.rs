//! The examples of the language's own repository: each is read, or refused since a part of the
//! language is not available, which its code (CW09..) says.

#![allow(
    clippy::disallowed_methods,
    reason = "tests read their data from files; the crate itself may not"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use casewright_language::{Severity, Surroundings, read};

/// Examples that this engine runs.
const READ: [&str; 46] = [
    "accumulate-room-readings",
    "authentication-bearer",
    "authentication-bearer-uri-format",
    "authentication-oauth2",
    "authentication-oauth2-secret",
    "authentication-oidc",
    "authentication-oidc-secret",
    "authentication-reusable",
    "call-custom-function-inline",
    "call-http-endpoint-interpolation",
    "call-http-endpoint-interpolation-shorthand",
    "call-http-query-headers-expressions",
    "call-http-query-parameters",
    "call-http-redirect",
    "call-openapi",
    "call-openapi-redirect",
    "conditional-task",
    "do-multiple",
    "do-single",
    "emit",
    "for",
    "fork",
    "listen-to-all",
    "listen-to-all read-envelope",
    "listen-to-any",
    "listen-to-any-filter",
    "listen-to-any-forever-foreach",
    "listen-to-any-until-condition",
    "listen-to-any-until-consumed",
    "listen-to-one",
    "mock-service-extension",
    "raise-inline",
    "raise-reusable",
    "run-subflow",
    "schedule-cron",
    "schedule-event-driven",
    "set",
    "set-expression",
    "star-wars-homeworld",
    "switch-then-string",
    "try-catch",
    "try-catch-retry-inline",
    "try-catch-retry-reusable",
    "try-catch-then",
    "wait-duration-inline",
    "wait-duration-iso8601",
];

#[test]
fn every_upstream_example_is_read_or_refused_with_its_reason() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../../shared/dsl/examples");
    let Ok(folder) = fs::read_dir(&examples) else {
        eprintln!("not checked: no upstream examples in ../shared/dsl");
        return;
    };
    let mut outcome: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for entry in folder {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let text = fs::read_to_string(&path).unwrap();
        let reading = read(&name, &text, &Surroundings::default());
        let errors = reading
            .diagnostics
            .iter()
            .filter(|found| found.severity == Severity::Error);
        let errors: Vec<String> = errors
            .map(|found| format!("{} {}", found.code, found.message))
            .collect();
        assert_eq!(reading.workflow.is_some(), errors.is_empty(), "{name}");
        assert!(
            errors.iter().all(|error| error.starts_with("CW09")),
            "{name}: {errors:#?}"
        );
        outcome.insert(name, errors);
    }
    let read: Vec<&str> = outcome
        .iter()
        .filter(|(_, errors)| errors.is_empty())
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(read, READ, "{outcome:#?}");
}
