//! Any text is read as a form, and one that is taken checks what nobody has filled in.

#![no_main]

use casewright_fuzz::{bounded, told};
use casewright_language::pack::read_form;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|text: &str| {
    bounded(|| {
        let (form, findings) = read_form("any", "forms/any.yaml", text);
        told(&findings, text, form.is_some());
        if let Some(form) = form {
            form.check(&Value::Null);
            let gathered = form.gather(&[]);
            form.check(&gathered);
            form.spread(&gathered);
        }
    });
});
