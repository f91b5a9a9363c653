//! What each target of the fuzzer reads a text as, and what must hold of it then.
//!
//! The workspace compiles this too, as a test (`tests/fuzz.rs`), so that it follows the readers.
//! The bounds of time and memory and the fuzzer itself are not here.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use casewright_language::diagnostic::{Diagnostic, Severity, draw};
use casewright_language::diff::diff;
use casewright_language::pack::{Aspect, read_form, read_pack};
use casewright_language::pack_test::Around;
use casewright_language::picture::Marks;
use casewright_language::surroundings::PackNames;
use casewright_language::{
    Answers, Expression, Picture, Schema, Signature, Surroundings, pack_test, read,
};
use serde_json::{Value, json};

/// A pack with one of everything, and one function of a plugin.
static NAMES: LazyLock<Surroundings> = LazyLock::new(|| {
    let schema = |document| Schema::new(document).expect("the schema is in the subset");
    let signature = Signature {
        title: "Pays".to_owned(),
        input: schema(json!({
            "type": "object",
            "required": ["payee"],
            "properties": {"payee": {"type": "string"}, "money": {"type": "object"}},
        })),
        output: schema(json!({})),
        errors: vec!["declined".to_owned()],
        discloses: vec!["income".to_owned()],
        pays: Some("/money".to_owned()),
    };
    let pack = PackNames {
        namespace: "family-services".to_owned(),
        roles: ["case-worker", "team-leader"].map(str::to_owned).into(),
        teams: ["north".to_owned()].into(),
        funds: ["brokerage".to_owned()].into(),
        policies: [("brokerage-limits".to_owned(), [Aspect::Supplier].into())].into(),
        ..PackNames::default()
    };
    Surroundings {
        functions: [("payment-issue.pay".to_owned(), signature)].into(),
        functions_known: true,
        workflows: None,
        pack: Some(pack),
    }
});

/// Any text is read as a workflow, and one that is taken is drawn and compared with itself.
pub fn workflow(text: &str) {
    // A comment in front: nobody knows what there is around it.
    let nothing = Surroundings::default();
    let around = if text.starts_with('#') {
        &nothing
    } else {
        &*NAMES
    };
    let reading = read("any.yaml", text, around);
    told(&reading.diagnostics, text, reading.workflow.is_some());
    if let Some(workflow) = &reading.workflow {
        Picture::of(workflow).mermaid(&Marks::default());
        assert!(diff(workflow, workflow).tasks.is_empty());
    }
}

/// Any text is read as `pack.yaml`.
pub fn pack(text: &str) {
    let (pack, findings) = read_pack("pack.yaml", text);
    told(&findings, text, pack.is_some());
}

/// Any text is read as a form, and one that is taken checks what nobody has filled in.
pub fn form(text: &str) {
    let (form, findings) = read_form("any", "forms/any.yaml", text);
    told(&findings, text, form.is_some());
    if let Some(form) = form {
        form.check(&Value::Null);
        let gathered = form.gather(&[]);
        form.check(&gathered);
        form.spread(&gathered);
    }
}

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
        calendars: texts(&["au-qld"]),
        functions: None,
        workflows: [("brokerage".to_owned(), tasks.into())].into(),
        refusals: texts(&["self-approval", "form-invalid", "over-limit"]),
        actions: texts(&["work-item.completed"]),
    }
});

/// Any text is read as the tests of a pack.
pub fn test(text: &str) {
    let (_, findings) = pack_test::read("any.test.yaml", text, &AROUND);
    draw(&findings, text, false);
}

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

/// Any text is read as an expression, and evaluated where that needs no jq.
pub fn expression(text: &str) {
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
}

/// Draws findings; their places are within the text, and they say whether it was refused.
fn told(findings: &[Diagnostic], text: &str, accepted: bool) {
    let mut refused = false;
    for found in findings {
        refused |= found.severity == Severity::Error;
        let (start, end) = (
            (found.line, found.column),
            (found.end_line, found.end_column),
        );
        assert!(
            found.line >= 1 && found.column >= 1 && start <= end,
            "{found:?}"
        );
        // At the latest behind the last line.
        let lines = text.split(['\n', '\r']).count();
        assert!(found.line <= lines + 1, "{found:?}");
    }
    assert_eq!(refused, !accepted, "{findings:?}");
    draw(findings, text, false);
}
