//! A form on a page: its fields with what was typed and what is wrong, and the value that came
//! back. The engine checks; here it is drawn.

use std::collections::{BTreeMap, BTreeSet};

use askama::Template;
use casewright_language::Form;
use casewright_language::form::{Control, Field, ROWS_MAX};
use serde_json::{Map, Value};

use crate::console::money;

/// Options beyond this are a list to choose from instead of buttons.
const RADIOS_MAX: usize = 6;

/// A form ready to be drawn.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filled {
    pub(crate) fields: Vec<FieldView>,
    /// Anchor and sentence, in the order of the page.
    pub(crate) errors: Vec<(String, String)>,
}

/// One field. Drawn by its own template, groups within groups.
#[derive(Debug, Clone, Template)]
#[template(path = "field.html")]
pub(crate) struct FieldView {
    id: String,
    name: String,
    label: String,
    hint: Option<String>,
    error: Option<String>,
    optional: bool,
    control: ControlView,
}

#[derive(Debug, Clone)]
enum ControlView {
    Line {
        value: String,
        mode: &'static str,
        prefix: Option<String>,
        narrow: bool,
    },
    Area {
        value: String,
    },
    Date {
        value: String,
    },
    Radios(Vec<OptionView>),
    Select(Vec<OptionView>),
    Checks(Vec<OptionView>),
    Group(Vec<Row>),
}

#[derive(Debug, Clone)]
struct OptionView {
    id: String,
    value: String,
    title: String,
    chosen: bool,
}

#[derive(Debug, Clone)]
struct Row {
    number: usize,
    fields: Vec<FieldView>,
}

impl FieldView {
    /// Ids of what describes the control, for `aria-describedby`.
    fn described_by(&self) -> Option<String> {
        let hint = self.hint.as_ref().map(|_| format!("{}-hint", self.id));
        let error = self.error.as_ref().map(|_| format!("{}-error", self.id));
        let ids: Vec<_> = [hint, error].into_iter().flatten().collect();
        (!ids.is_empty()).then(|| ids.join(" "))
    }
}

/// A form with values and errors; `more` names a group that gets an empty row more.
pub(crate) fn fill(
    form: &Form,
    value: &Value,
    errors: &[(String, String)],
    more: Option<&str>,
) -> Filled {
    let errors = Errors::new(errors);
    let fields: Vec<_> = form
        .fields
        .iter()
        .map(|field| view(field, "", lookup(value, &field.name), &errors, more))
        .collect();
    let mut anchors = BTreeMap::new();
    for field in &fields {
        field.anchors(&mut anchors);
    }
    let errors = errors.in_order(&fields, &anchors);
    Filled { fields, errors }
}

/// The value that posted pairs stand for; rows of groups that were left empty are gone.
pub(crate) fn gather(form: &Form, pairs: &[(String, String)]) -> Value {
    form.gather(&without_blank_rows(form, pairs))
}

/// What a form starts with: an object among what the work item shows that would fit it, such as the
/// request that somebody asked to change; else nothing.
pub(crate) fn first_value(form: &Form, show: &Value) -> Value {
    let inside = show.as_object().into_iter().flat_map(|map| map.values());
    std::iter::once(show)
        .chain(inside)
        .find(|value| fits(form, value))
        .map_or_else(
            || Value::Object(Map::new()),
            |value| known_part(form, value),
        )
}

/// Of a value that comes from elsewhere, the members that this form asks for and would take.
pub(crate) fn fitting(form: &Form, value: &Value) -> Value {
    let mut part = known_part(form, value);
    let wrong = form.check(&part);
    if let Value::Object(members) = &mut part {
        for error in wrong {
            members.remove(error.field.split('.').next().unwrap_or_default());
        }
    }
    part
}

fn fits(form: &Form, value: &Value) -> bool {
    let mut owed = form.fields.iter().filter(|field| field.required).peekable();
    owed.peek().is_some() && owed.all(|field| lookup(value, &field.name).is_some())
}

fn known_part(form: &Form, value: &Value) -> Value {
    let keys = form.fields.iter().filter_map(|field| {
        let key = field.name.split('.').next()?;
        Some((key.to_owned(), value.get(key)?.clone()))
    });
    Value::Object(keys.collect())
}

struct Errors<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Errors<'a> {
    fn new(errors: &'a [(String, String)]) -> Self {
        Self(
            errors
                .iter()
                .map(|(field, text)| (field.as_str(), text.as_str()))
                .collect(),
        )
    }

    fn of(&self, name: &str) -> Option<String> {
        let found = self.0.iter().find(|(field, _)| *field == name);
        found.map(|(_, text)| (*text).to_owned())
    }

    /// Those with a place on the page in the order of the page, then the others.
    fn in_order(
        &self,
        fields: &[FieldView],
        anchors: &BTreeMap<String, String>,
    ) -> Vec<(String, String)> {
        let mut names = Vec::new();
        for field in fields {
            field.names(&mut names);
        }
        let placed = names.iter().filter_map(|name| {
            let text = self.of(name)?;
            Some((anchors.get(name)?.clone(), text))
        });
        let homeless = self
            .0
            .iter()
            .filter(|(field, _)| !anchors.contains_key(*field))
            .map(|(_, text)| ("answer".to_owned(), (*text).to_owned()));
        placed.chain(homeless).collect()
    }
}

impl FieldView {
    fn names(&self, names: &mut Vec<String>) {
        names.push(self.name.clone());
        if let ControlView::Group(rows) = &self.control {
            for field in rows.iter().flat_map(|row| &row.fields) {
                field.names(names);
            }
        }
    }

    /// Where a link to this field leads: the first thing that can be typed in or chosen.
    fn anchors(&self, anchors: &mut BTreeMap<String, String>) {
        let first = match &self.control {
            ControlView::Radios(options) | ControlView::Checks(options) => {
                options.first().map(|option| option.id.clone())
            }
            ControlView::Group(rows) => {
                for field in rows.iter().flat_map(|row| &row.fields) {
                    field.anchors(anchors);
                }
                let first = rows.first().and_then(|row| row.fields.first());
                first.and_then(|field| anchors.get(&field.name).cloned())
            }
            ControlView::Line { .. }
            | ControlView::Area { .. }
            | ControlView::Date { .. }
            | ControlView::Select(_) => None,
        };
        anchors.insert(self.name.clone(), first.unwrap_or_else(|| self.id.clone()));
    }
}

fn view(
    field: &Field,
    prefix: &str,
    value: Option<&Value>,
    errors: &Errors<'_>,
    more: Option<&str>,
) -> FieldView {
    let name = format!("{prefix}{}", field.name);
    let id = format!("f-{name}");
    FieldView {
        control: control(field, &name, &id, value, errors, more),
        label: field.label.clone(),
        hint: field.hint.clone(),
        error: errors.of(&name),
        optional: !field.required,
        name,
        id,
    }
}

fn control(
    field: &Field,
    name: &str,
    id: &str,
    value: Option<&Value>,
    errors: &Errors<'_>,
    more: Option<&str>,
) -> ControlView {
    let line = |mode, prefix, narrow| ControlView::Line {
        value: text(value),
        mode,
        prefix,
        narrow,
    };
    match &field.control {
        Control::Text { .. } => line("text", None, false),
        Control::LongText { .. } => ControlView::Area { value: text(value) },
        Control::Integer => line("numeric", None, true),
        Control::Money { currency } => {
            let symbol = money::symbol(currency).trim().to_owned();
            line("decimal", Some(symbol), true)
        }
        Control::Date => ControlView::Date { value: text(value) },
        Control::YesNo => {
            let chosen = value.and_then(Value::as_bool);
            ControlView::Radios(vec![
                option(id, 0, "yes", "Yes", chosen == Some(true)),
                option(id, 1, "no", "No", chosen == Some(false)),
            ])
        }
        Control::Choice(choices) => {
            let chosen = value.and_then(Value::as_str);
            let options = options(id, choices, |value| chosen == Some(value));
            if options.len() <= RADIOS_MAX {
                ControlView::Radios(options)
            } else {
                ControlView::Select(options)
            }
        }
        Control::Choices(choices) => {
            let chosen = value.and_then(Value::as_array);
            ControlView::Checks(options(id, choices, |value| {
                chosen.is_some_and(|list| list.iter().any(|item| item == value))
            }))
        }
        Control::Group(fields) => {
            let rows = value
                .and_then(Value::as_array)
                .map_or(&[][..], Vec::as_slice);
            let added = usize::from(more == Some(name));
            let count = (rows.len() + added).clamp(1, ROWS_MAX);
            let rows = (0..count).map(|index| Row {
                number: index + 1,
                fields: group_row(fields, name, index, rows.get(index), errors, more),
            });
            ControlView::Group(rows.collect())
        }
    }
}

fn group_row(
    fields: &[Field],
    group: &str,
    index: usize,
    value: Option<&Value>,
    errors: &Errors<'_>,
    more: Option<&str>,
) -> Vec<FieldView> {
    let prefix = format!("{group}.{index}.");
    fields
        .iter()
        .map(|field| {
            let value = value.and_then(|value| lookup(value, &field.name));
            view(field, &prefix, value, errors, more)
        })
        .collect()
}

fn options(
    id: &str,
    choices: &[(String, String)],
    chosen: impl Fn(&str) -> bool,
) -> Vec<OptionView> {
    choices
        .iter()
        .enumerate()
        .map(|(index, (value, title))| option(id, index, value, title, chosen(value)))
        .collect()
}

fn option(id: &str, index: usize, value: &str, title: &str, chosen: bool) -> OptionView {
    OptionView {
        id: format!("{id}-{index}"),
        value: value.to_owned(),
        title: title.to_owned(),
        chosen,
    }
}

/// What stands in a field for a value: also what could not be read, as it was typed.
fn text(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(value) => match money::parts(value) {
            Some((minor, currency)) if minor >= 0 => money::plain(minor.unsigned_abs(), currency),
            Some((minor, currency)) => {
                format!("-{}", money::plain(minor.unsigned_abs(), currency))
            }
            None if value.is_number() || value.is_boolean() => value.to_string(),
            None => String::new(),
        },
    }
}

/// `parent.child` within a value.
fn lookup<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    name.split('.').try_fold(value, |value, key| value.get(key))
}

/// Drops the rows of a group in which nothing was typed, and closes the gaps.
fn without_blank_rows(form: &Form, pairs: &[(String, String)]) -> Vec<(String, String)> {
    let groups: Vec<&str> = form
        .fields
        .iter()
        .filter(|field| matches!(field.control, Control::Group(_)))
        .map(|field| field.name.as_str())
        .collect();
    let mut kept: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
    for (name, value) in pairs {
        if let Some((group, index, _)) = row_of(&groups, name)
            && !value.trim().is_empty()
        {
            kept.entry(group).or_default().insert(index);
        }
    }
    pairs
        .iter()
        .filter_map(|(name, value)| {
            let Some((group, index, rest)) = row_of(&groups, name) else {
                return Some((name.clone(), value.clone()));
            };
            let place = kept.get(group)?.iter().position(|kept| *kept == index)?;
            Some((format!("{group}.{place}.{rest}"), value.clone()))
        })
        .collect()
}

/// `quotes.1.amount` -> (`quotes`, 1, `amount`).
fn row_of<'a>(groups: &[&'a str], name: &'a str) -> Option<(&'a str, usize, &'a str)> {
    groups.iter().find_map(|group| {
        let rest = name.strip_prefix(*group)?.strip_prefix('.')?;
        let (index, rest) = rest.split_once('.')?;
        Some((
            *group,
            index.parse().ok().filter(|index| *index < ROWS_MAX)?,
            rest,
        ))
    })
}
