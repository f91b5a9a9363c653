//! Any text is read as a workflow, and one that is taken is drawn and compared with itself.

#![no_main]

use std::sync::LazyLock;

use casewright_fuzz::{bounded, told};
use casewright_language::diff::diff;
use casewright_language::picture::Marks;
use casewright_language::pack::Aspect;
use casewright_language::surroundings::PackNames;
use casewright_language::{Picture, Schema, Signature, Surroundings, read};
use libfuzzer_sys::fuzz_target;
use serde_json::json;

/// A pack with one of everything, and one function of a plugin.
static AROUND: LazyLock<Surroundings> = LazyLock::new(|| {
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

fuzz_target!(|text: &str| {
    bounded(|| {
        // A comment in front: nobody knows what there is around it.
        let nothing = Surroundings::default();
        let around = if text.starts_with('#') {
            &nothing
        } else {
            &*AROUND
        };
        let reading = read("any.yaml", text, around);
        told(&reading.diagnostics, text, reading.workflow.is_some());
        if let Some(workflow) = &reading.workflow {
            Picture::of(workflow).mermaid(&Marks::default());
            assert!(diff(workflow, workflow).tasks.is_empty());
        }
    });
});
