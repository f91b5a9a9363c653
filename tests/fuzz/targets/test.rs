//! Any text is read as the tests of a pack.

#![no_main]

use std::sync::LazyLock;

use casewright_fuzz::bounded;
use casewright_language::diagnostic::draw;
use casewright_language::pack_test::{Around, read};
use libfuzzer_sys::fuzz_target;

/// What the tests of the sample pack name, in part: what is missing is reported.
static AROUND: LazyLock<Around> = LazyLock::new(|| {
    let texts = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    let tasks = [
        ("request".to_owned(), vec!["done".to_owned()]),
        (
            "decision".to_owned(),
            vec!["approve".to_owned(), "decline".to_owned()],
        ),
    ];
    Around {
        roles: texts(&["case-worker", "team-leader"]),
        funds: texts(&["qld-fs-2026"]),
        functions: None,
        workflows: [("brokerage".to_owned(), tasks.into())].into(),
        refusals: texts(&["self-approval", "form-invalid", "over-limit"]),
        actions: texts(&["work-item.completed"]),
    }
});

fuzz_target!(|text: &str| {
    bounded(|| {
        let (_, findings) = read("any.test.yaml", text, &AROUND);
        draw(&findings, text, false);
    });
});
