//! Any text is read as an expression, and evaluated where that needs no jq.

#![no_main]

use std::collections::BTreeMap;
use std::sync::LazyLock;

use casewright_fuzz::bounded;
use casewright_language::{Answers, Expression};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

static INPUT: LazyLock<Value> = LazyLock::new(|| {
    json!({
        "money": {"minor": 130_000, "currency": "AUD"},
        "items": [{"name": "bed", "n": 1.5}, {"name": "chair", "n": -2}, null, "é\u{1F46A}"],
        "name": "Aster, the first",
        "yes": true,
        "day": "2026-11-25",
    })
});

static VARIABLES: LazyLock<BTreeMap<String, Value>> = LazyLock::new(|| {
    let input = &*INPUT;
    let named = [
        "context", "input", "output", "steps", "case", "workflow", "task", "item",
    ];
    named.map(|name| (name.to_owned(), input.clone())).into()
});

fuzz_target!(|text: &str| {
    bounded(|| {
        let expression = match Expression::new(text) {
            Ok(expression) => expression,
            Err(problem) => {
                assert!(problem.offset <= text.len(), "{problem:?}");
                return;
            }
        };
        let answers = Answers::default();
        let value = expression.evaluate(&INPUT, &*VARIABLES, &answers);
        let holds = expression.holds(&INPUT, &*VARIABLES, &answers);
        // What is simple gives the same each time it is asked.
        assert_eq!(value, expression.evaluate(&INPUT, &*VARIABLES, &answers));
        drop((value, holds));
    });
});
