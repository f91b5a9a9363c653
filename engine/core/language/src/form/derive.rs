//! From the YAML of a form to fields: what the schema says, in the order and the words of the
//! layout.

use serde_json::Value;

use super::{Control, Field, Form};
use crate::diagnostic::{Findings, suggestion};
use crate::yaml::{self, Entry, Fields, Node};
use crate::{Diagnostic, Schema};

/// Text longer than this gets several lines.
const LINE_LENGTH_MAX: u64 = 120;
/// Deepest nesting of objects and groups in a form.
const DEPTH_MAX: usize = 8;

/// Reads a form; `None` when a diagnostic is an error.
pub(crate) fn read(name: &str, file: &str, text: &str) -> (Option<Form>, Vec<Diagnostic>) {
    let mut findings = Findings::new(file);
    let form = yaml::parse(text, &mut findings).and_then(|root| form(&mut findings, name, &root));
    let form = form.filter(|_| !findings.has_errors());
    (form, findings.into_list())
}

fn form(findings: &mut Findings, name: &str, root: &Node) -> Option<Form> {
    let keys = Fields::open(
        findings,
        root,
        root.place,
        "the form",
        &["title", "schema", "layout"],
    )?;
    let title = keys
        .required(findings, "title", "title: Brokerage request")
        .and_then(|entry| keys.text(findings, entry));
    let schema = keys.required(
        findings,
        "schema",
        "schema: { type: object, properties: ... }",
    );
    let node = &schema?.value;
    let schema = match Schema::new(node.to_json()) {
        Ok(schema) => schema,
        Err(violation) => {
            findings.error(
                "CW0511",
                node.nearest(&violation.pointer).place,
                format!("the schema is refused: {}", violation.message),
            );
            return None;
        }
    };
    let properties = node.get("properties").and_then(Node::as_map);
    let object = node.get("type").and_then(Node::as_text) == Some("object");
    if !object || properties.is_none_or(<[Entry]>::is_empty) {
        findings
            .error(
                "CW0512",
                schema_place(node),
                "the schema of a form describes an object with properties",
            )
            .help("write `type: object` and at least one entry under `properties`");
        return None;
    }
    let mut deriver = Deriver {
        findings,
        root: node,
        constants: Vec::new(),
    };
    let drafts = deriver.members(node, "", Within::Form { required: true }, 0);
    let constants = deriver.constants;
    let drafts = match keys.get("layout") {
        Some(layout) => arranged(findings, layout, drafts),
        None => drafts,
    };
    let fields = drafts
        .into_iter()
        .filter_map(|draft| draft.labelled(findings))
        .collect();
    Some(Form {
        name: name.to_owned(),
        title: title?.to_owned(),
        schema,
        fields,
        constants,
    })
}

fn schema_place(node: &Node) -> yaml::Place {
    node.as_map()
        .and_then(<[Entry]>::first)
        .map_or(node.place, |entry| entry.key.place)
}

/// A field whose label may still come from the layout.
struct Draft {
    field: Field,
    /// Where the property is declared.
    place: yaml::Place,
}

impl Draft {
    fn labelled(self, findings: &mut Findings) -> Option<Field> {
        if self.field.label.is_empty() {
            findings
                .error(
                    "CW0513",
                    self.place,
                    format!("the field `{}` has no label", self.field.name),
                )
                .help("add `title: ...` to the property, or `label: ...` in the layout");
            return None;
        }
        Some(self.field)
    }
}

#[derive(Clone, Copy)]
enum Within {
    /// The form itself or an object of it.
    Form { required: bool },
    /// A row of a group.
    Group,
}

struct Deriver<'a, 'f> {
    findings: &'f mut Findings,
    root: &'a Node,
    constants: Vec<(String, Value)>,
}

impl<'a> Deriver<'a, '_> {
    fn members(
        &mut self,
        schema: &'a Node,
        prefix: &str,
        within: Within,
        depth: usize,
    ) -> Vec<Draft> {
        let required: Vec<&str> = schema
            .get("required")
            .and_then(Node::as_list)
            .unwrap_or_default()
            .iter()
            .filter_map(Node::as_text)
            .collect();
        let properties = schema.get("properties").and_then(Node::as_map);
        let mut drafts = Vec::new();
        for entry in properties.unwrap_or_default() {
            let key = entry.key.text.as_str();
            let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
            if !key.starts_with(|c: char| c.is_ascii_alphabetic()) || !key.chars().all(allowed) {
                self.findings
                    .error(
                        "CW0519",
                        entry.key.place,
                        format!("`{key}` cannot name a field"),
                    )
                    .help("begin with a letter and use letters, digits, `-` and `_`");
                continue;
            }
            let asked = required.contains(&key);
            let asked = match within {
                Within::Form { required } => required && asked,
                Within::Group => asked,
            };
            drafts.extend(self.property(entry, &format!("{prefix}{key}"), asked, within, depth));
        }
        drafts
    }

    fn property(
        &mut self,
        entry: &'a Entry,
        name: &str,
        required: bool,
        within: Within,
        depth: usize,
    ) -> Vec<Draft> {
        let node = self.resolved(&entry.value);
        if node.get("readOnly").and_then(Node::as_bool) == Some(true) {
            return Vec::new();
        }
        if let Some(constant) = node.get("const")
            && matches!(within, Within::Form { .. })
        {
            if required {
                self.constants.push((name.to_owned(), constant.to_json()));
            }
            return Vec::new();
        }
        if depth >= DEPTH_MAX {
            self.no_control(entry, name, "it is nested too deep");
            return Vec::new();
        }
        let kind = kind(node);
        if kind == Some("object") && !is_money(node) && node.get("properties").is_some() {
            let within = match within {
                Within::Form { .. } => Within::Form { required },
                Within::Group => Within::Group,
            };
            return self.members(node, &format!("{name}."), within, depth + 1);
        }
        let control = match self.control(node, kind, depth) {
            Ok(control) => control,
            Err(reason) => {
                self.no_control(entry, name, &reason);
                return Vec::new();
            }
        };
        let words = |key: &str| {
            entry
                .value
                .get(key)
                .or_else(|| node.get(key))
                .and_then(Node::as_text)
                .map(str::to_owned)
        };
        vec![Draft {
            field: Field {
                name: name.to_owned(),
                label: words("title").unwrap_or_default(),
                hint: words("description"),
                required,
                control,
                error: None,
            },
            place: entry.key.place,
        }]
    }

    fn no_control(&mut self, entry: &Entry, name: &str, reason: &str) {
        self.findings.error(
            "CW0515",
            entry.key.place,
            format!("the field `{name}` cannot be asked in a form: {reason}"),
        );
    }

    /// Behind `$ref`, and without the alternative of being null.
    fn resolved(&self, node: &'a Node) -> &'a Node {
        let mut node = node;
        // The schema was accepted, so references are acyclic.
        for _ in 0..64 {
            if let Some(target) = node.get("$ref").and_then(Node::as_text) {
                node = self.root.nearest(target.trim_start_matches('#'));
                continue;
            }
            let alternatives = node.get("anyOf").or_else(|| node.get("oneOf"));
            let real: Vec<&Node> = alternatives
                .and_then(Node::as_list)
                .unwrap_or_default()
                .iter()
                .filter(|node| kind(node) != Some("null"))
                .collect();
            match real.as_slice() {
                [only] if only.get("const").is_none() => node = only,
                _ => return node,
            }
        }
        node
    }

    fn control(
        &mut self,
        node: &'a Node,
        kind: Option<&str>,
        depth: usize,
    ) -> Result<Control, String> {
        let text = |key: &str| node.get(key).and_then(Node::as_text);
        let number = |key: &str| node.get(key).and_then(Node::as_integer);
        if let Some(choices) = choices(node) {
            return choices.map(Control::Choice);
        }
        match kind {
            Some("string") if text("format") == Some("date") => Ok(Control::Date),
            Some("string") => {
                let length_max = number("maxLength").and_then(|length| u64::try_from(length).ok());
                let long = text("x-ui") == Some("long")
                    || length_max.is_some_and(|length| length > LINE_LENGTH_MAX);
                Ok(if long {
                    Control::LongText { length_max }
                } else {
                    Control::Text { length_max }
                })
            }
            Some("boolean") => Ok(Control::YesNo),
            Some("integer") => Ok(Control::Integer),
            Some("number") => Err(
                "numbers with a fraction are not exact; use `integer`, or an object of `minor` and \
                 `currency` for money"
                    .to_owned(),
            ),
            Some("object") if is_money(node) => {
                let currency = node.get("properties").and_then(|p| p.get("currency"));
                let currency = currency.map(|currency| self.resolved(currency));
                match currency.and_then(single_text) {
                    Some(currency) => Ok(Control::Money { currency }),
                    None => Err("money needs one currency: `currency: { const: AUD }`".to_owned()),
                }
            }
            Some("array") => {
                let items = node.get("items").map(|items| self.resolved(items));
                let Some(items) = items else {
                    return Err("a list needs `items`".to_owned());
                };
                if let Some(choices) = choices(items) {
                    return choices.map(Control::Choices);
                }
                if items.get("properties").is_none() {
                    return Err(
                        "a list holds choices (`enum`) or objects with `properties`".to_owned()
                    );
                }
                let drafts = self.members(items, "", Within::Group, depth + 1);
                let fields = drafts
                    .into_iter()
                    .filter_map(|draft| draft.labelled(self.findings))
                    .collect();
                Ok(Control::Group(fields))
            }
            Some("object") => Err("an object needs `properties`".to_owned()),
            Some(_) => Err("there is nothing to ask".to_owned()),
            None => Err("it needs one `type`".to_owned()),
        }
    }
}

/// The type besides null; choices without a type are texts.
fn kind(node: &Node) -> Option<&str> {
    let declared = node.get("type")?;
    if let Some(kind) = declared.as_text() {
        return Some(kind);
    }
    let mut kinds = declared
        .as_list()?
        .iter()
        .filter_map(Node::as_text)
        .filter(|kind| *kind != "null");
    let first = kinds.next();
    if kinds.next().is_none() { first } else { None }
}

fn is_money(node: &Node) -> bool {
    let member = |name: &str| node.get("properties").and_then(|p| p.get(name)).is_some();
    member("minor") && member("currency")
}

fn single_text(node: &Node) -> Option<String> {
    if let Some(constant) = node.get("const") {
        return constant.as_text().map(str::to_owned);
    }
    match node.get("enum")?.as_list()? {
        [only] => only.as_text().map(str::to_owned),
        _ => None,
    }
}

/// What there is to choose from; `None` where nothing is listed.
fn choices(node: &Node) -> Option<Result<Vec<(String, String)>, String>> {
    let only_text = || "choices are texts".to_owned();
    if let Some(values) = node.get("enum").and_then(Node::as_list) {
        let choices = values.iter().filter(|value| !value.is_null()).map(|value| {
            let value = value.as_text().ok_or_else(only_text)?;
            Ok((value.to_owned(), readable(value)))
        });
        return Some(choices.collect());
    }
    let alternatives = node.get("oneOf").or_else(|| node.get("anyOf"))?.as_list()?;
    if !alternatives.iter().any(|one| one.get("const").is_some()) {
        return Some(Err("alternatives need `const` and `title` each".to_owned()));
    }
    let choices = alternatives
        .iter()
        .filter(|one| kind(one) != Some("null"))
        .map(|one| {
            let value = one
                .get("const")
                .and_then(Node::as_text)
                .ok_or_else(only_text)?;
            let title = one.get("title").and_then(Node::as_text);
            let title = title.map_or_else(|| readable(value), str::to_owned);
            Ok((value.to_owned(), title))
        });
    Some(choices.collect())
}

/// `ask-for-changes` as "Ask for changes".
fn readable(value: &str) -> String {
    let spaced = value.replace(['-', '_'], " ");
    let mut letters = spaced.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().collect::<String>() + letters.as_str()
    })
}

/// Fields in the order and the words of the layout.
fn arranged(findings: &mut Findings, layout: &Entry, drafts: Vec<Draft>) -> Vec<Draft> {
    let Some(lines) = layout.value.as_list() else {
        yaml::expected(
            findings,
            layout.place(),
            "`layout` of the form",
            "a list of fields",
            &layout.value,
        );
        return drafts;
    };
    let mut left: Vec<Option<Draft>> = drafts.into_iter().map(Some).collect();
    let known: Vec<String> = left
        .iter()
        .flatten()
        .map(|draft| draft.field.name.clone())
        .collect();
    let mut arranged = Vec::new();
    for line in lines {
        let Some(line) = line_of(findings, line) else {
            continue;
        };
        let under = format!("{}.", line.name);
        let meant = |name: &str| name == line.name || name.starts_with(&under);
        if !known.iter().any(|name| meant(name)) {
            findings
                .error(
                    "CW0514",
                    line.place,
                    format!("the schema has no property `{}` to ask for", line.name),
                )
                .help(suggestion(
                    &line.name,
                    known.iter().map(String::as_str),
                    "there is none",
                ));
            continue;
        }
        let mut found = false;
        for slot in &mut left {
            if slot.as_ref().is_some_and(|draft| meant(&draft.field.name))
                && let Some(mut draft) = slot.take()
            {
                found = true;
                line.apply(findings, &mut draft.field);
                arranged.push(draft);
            }
        }
        if !found {
            findings
                .error(
                    "CW0518",
                    line.place,
                    format!("the field `{}` stands in the layout twice", line.name),
                )
                .help("remove one of the two");
        }
    }
    for draft in left.into_iter().flatten() {
        if draft.field.required {
            findings
                .error(
                    "CW0516",
                    layout.key.place,
                    format!(
                        "the layout leaves out `{}`, which the schema requires: nobody could \
                         submit the form",
                        draft.field.name
                    ),
                )
                .help(format!("add `- {}`", draft.field.name));
        }
    }
    arranged
}

/// One entry of the layout.
struct Line {
    name: String,
    place: yaml::Place,
    label: Option<String>,
    hint: Option<String>,
    error: Option<String>,
    control: Option<(String, yaml::Place)>,
}

fn line_of(findings: &mut Findings, node: &Node) -> Option<Line> {
    if let Some(name) = node.as_text() {
        return Some(Line {
            name: name.to_owned(),
            place: node.place,
            label: None,
            hint: None,
            error: None,
            control: None,
        });
    }
    let known = ["field", "label", "hint", "control", "error"];
    let keys = Fields::open(findings, node, node.place, "the layout's entry", &known)?;
    let entry = keys.required(findings, "field", "field: name")?;
    let name = keys.text(findings, entry)?.to_owned();
    let mut words = |key: &str| {
        let entry = keys.get(key)?;
        keys.text(findings, entry).map(str::to_owned)
    };
    let (label, hint, error) = (words("label"), words("hint"), words("error"));
    let control = words("control");
    Some(Line {
        name,
        place: entry.value.place,
        label,
        hint,
        error,
        control: control.zip(keys.get("control").map(|entry| entry.value.place)),
    })
}

impl Line {
    fn apply(&self, findings: &mut Findings, field: &mut Field) {
        // Words for an object as a whole fit none of its members.
        if field.name == self.name {
            if let Some(label) = &self.label {
                field.label.clone_from(label);
            }
            field.hint = self.hint.clone().or(field.hint.take());
            field.error.clone_from(&self.error);
        }
        let Some((name, place)) = &self.control else {
            return;
        };
        let control = match (name.as_str(), &field.control) {
            ("long", Control::Text { length_max } | Control::LongText { length_max }) => {
                Control::LongText {
                    length_max: *length_max,
                }
            }
            ("text", Control::Text { length_max } | Control::LongText { length_max }) => {
                Control::Text {
                    length_max: *length_max,
                }
            }
            ("radio" | "select", Control::Choice(_))
            | ("radio" | "yes-no", Control::YesNo)
            | ("checkboxes", Control::Choices(_))
            | ("money", Control::Money { .. })
            | ("date", Control::Date)
            | ("number", Control::Integer)
            | ("group", Control::Group(_)) => return,
            (other, _) => {
                let fitting = fitting(&field.control);
                let message = if CONTROLS.contains(&other) {
                    format!(
                        "the control `{other}` does not fit the field `{}`",
                        field.name
                    )
                } else {
                    format!("there is no control `{other}`")
                };
                findings.error("CW0517", *place, message).help(suggestion(
                    other,
                    fitting.iter().copied(),
                    "remove it",
                ));
                return;
            }
        };
        field.control = control;
    }
}

pub(crate) const CONTROLS: [&str; 10] = [
    "text",
    "long",
    "radio",
    "select",
    "yes-no",
    "checkboxes",
    "money",
    "date",
    "number",
    "group",
];

fn fitting(control: &Control) -> &'static [&'static str] {
    match control {
        Control::Text { .. } | Control::LongText { .. } => &["text", "long"],
        Control::Integer => &["number"],
        Control::Money { .. } => &["money"],
        Control::Date => &["date"],
        Control::YesNo => &["radio", "yes-no"],
        Control::Choice(_) => &["radio", "select"],
        Control::Choices(_) => &["checkboxes"],
        Control::Group(_) => &["group"],
    }
}
