//! A form as its questions, in the order in which people are asked.
//!
//! It says what is asked, not how an answer is checked beyond kind and length.

use casewright_language::Form;
use casewright_language::form::{Control, Field};
use serde_json::Value;

/// A form of the page.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) anchor: String,
    pub(super) title: String,
    pub(super) questions: Vec<Question>,
    /// Whether an answer may make others necessary.
    pub(super) depends: bool,
}

#[derive(Debug, Clone)]
pub(super) struct Question {
    /// Of what it belongs to, for a question within a list.
    pub(super) of: Option<String>,
    pub(super) label: String,
    pub(super) hint: Option<String>,
    pub(super) kind: String,
    /// What may be chosen.
    pub(super) choices: Vec<String>,
    pub(super) required: &'static str,
}

impl Asked {
    pub(super) fn of(form: &Form, anchor: String) -> Self {
        let depends = has_conditions(form.schema.document());
        let mut questions = Vec::new();
        gather(&form.fields, None, depends, &mut questions);
        Self {
            anchor,
            title: form.title.clone(),
            questions,
            depends,
        }
    }
}

/// Whether a schema says `if`.
fn has_conditions(schema: &Value) -> bool {
    match schema {
        Value::Object(members) => {
            let said = |word| members.contains_key(word);
            said("if") && (said("then") || said("else")) || members.values().any(has_conditions)
        }
        Value::Array(items) => items.iter().any(has_conditions),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

fn gather(fields: &[Field], of: Option<&str>, depends: bool, found: &mut Vec<Question>) {
    for field in fields {
        let (kind, choices) = kind(&field.control);
        found.push(Question {
            of: of.map(str::to_owned),
            label: field.label.clone(),
            hint: field.hint.clone(),
            kind,
            choices,
            required: match (field.required, of, depends) {
                (true, None, _) => "Yes",
                (true, Some(_), _) => "Yes, in each entry",
                (false, _, true) => "Not always",
                (false, _, false) => "No",
            },
        });
        if let Control::Group(fields) = &field.control {
            gather(fields, Some(&field.label), depends, found);
        }
    }
}

fn kind(control: &Control) -> (String, Vec<String>) {
    let titles = |choices: &[(String, String)]| {
        let titles = choices.iter().map(|(_, title)| title.clone());
        titles.collect::<Vec<_>>()
    };
    let text = |words: &str, length_max: &Option<u64>| match length_max {
        Some(most) => format!("{words}, up to {most} characters"),
        None => words.to_owned(),
    };
    match control {
        Control::Text { length_max } => (text("A line of text", length_max), Vec::new()),
        Control::LongText { length_max } => (text("Text", length_max), Vec::new()),
        Control::Integer => ("A whole number".to_owned(), Vec::new()),
        Control::Money { currency } => (format!("An amount of money ({currency})"), Vec::new()),
        Control::Date => ("A date".to_owned(), Vec::new()),
        Control::YesNo => ("Yes or no".to_owned(), Vec::new()),
        Control::Choice(choices) => ("One of these:".to_owned(), titles(choices)),
        Control::Choices(choices) => ("Any of these:".to_owned(), titles(choices)),
        Control::Group(_) => ("A list of entries; each has:".to_owned(), Vec::new()),
    }
}
