//! Evidence as people read it: JSON of any shape becomes a list of names and values, never JSON.
//! Where a form asked for it, it has the form's titles and order.

use std::collections::BTreeSet;

use askama::Template;
use casewright_language::Origin;
use casewright_language::form::Control;
use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::{Map, Value};

use crate::console::when::{Wall, civil};
use crate::console::{money, words};

/// Lists inside lists beyond this are cut: nobody reads them, and pages stay small.
const DEPTH_MAX: usize = 8;
const ITEMS_MAX: usize = 200;

/// A value, ready to be drawn.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "shown.html")]
pub(crate) enum Shown {
    Text(String),
    Nothing,
    List(Vec<Shown>),
    Rows(Vec<(String, Shown)>),
}

impl Shown {
    /// A value that comes from there.
    pub(crate) fn of(value: &Value, origin: &Origin, wall: &Wall) -> Self {
        Self::at(value, origin, wall, 0)
    }

    fn at(value: &Value, origin: &Origin, wall: &Wall, depth: usize) -> Self {
        if depth == DEPTH_MAX {
            return Self::Text("…".to_owned());
        }
        if let Some(title) = origin.title(value) {
            return Self::Text(title);
        }
        if let Some(amount) = money::of_value(value) {
            return Self::Text(amount);
        }
        match value {
            Value::Null => Self::Nothing,
            Value::Bool(true) => Self::Text("Yes".to_owned()),
            Value::Bool(false) => Self::Text("No".to_owned()),
            Value::Number(number) => Self::Text(number.to_string()),
            Value::String(text) if typed(origin) => Self::verbatim(text),
            Value::String(text) => Self::text(text, wall),
            Value::Array(items) if items.is_empty() => Self::Nothing,
            Value::Array(items) => {
                let (shown, origin) = (items.iter().take(ITEMS_MAX), origin.item());
                let mut list: Vec<_> = shown
                    .map(|item| Self::at(item, &origin, wall, depth + 1))
                    .collect();
                if items.len() > ITEMS_MAX {
                    list.push(Self::Text(format!("and {} more", items.len() - ITEMS_MAX)));
                }
                Self::List(list)
            }
            Value::Object(map) if map.is_empty() => Self::Nothing,
            Value::Object(map) => Self::Rows(
                rows(map, origin)
                    .into_iter()
                    .take(ITEMS_MAX)
                    .map(|(label, item, origin)| (label, Self::at(item, &origin, wall, depth + 1)))
                    .collect(),
            ),
        }
    }

    /// What people typed stays as they typed it.
    fn verbatim(text: &str) -> Self {
        if text.trim().is_empty() {
            return Self::Nothing;
        }
        Self::Text(text.to_owned())
    }

    fn text(text: &str, wall: &Wall) -> Self {
        if text.trim().is_empty() {
            return Self::Nothing;
        }
        let dated = text.len() == 10 && text.as_bytes()[4] == b'-';
        if let (true, Ok(date)) = (dated, text.parse::<Date>()) {
            return Self::Text(civil(date));
        }
        let timed = text.len() >= 20 && text.as_bytes()[10] == b'T';
        if let (true, Ok(at)) = (timed, text.parse::<Timestamp>()) {
            return Self::Text(wall.moment(at));
        }
        Self::Text(text.to_owned())
    }

    /// The rows at the top; a value without names gets one.
    pub(crate) fn into_rows(self) -> Vec<(String, Self)> {
        match self {
            Self::Rows(mut rows) => {
                rows.retain(|(_, shown)| *shown != Self::Nothing);
                rows
            }
            Self::Nothing => Vec::new(),
            other @ (Self::Text(_) | Self::List(_)) => vec![("Details".to_owned(), other)],
        }
    }
}

/// Whether people typed it freely.
fn typed(origin: &Origin) -> bool {
    matches!(
        origin,
        Origin::Answer(Control::Text { .. } | Control::LongText { .. })
    )
}

/// The members of an object with their labels: in the order of its form or its author, then
/// whatever else there is.
fn rows<'v>(map: &'v Map<String, Value>, origin: &Origin) -> Vec<(String, &'v Value, Origin)> {
    let mut rows = Vec::new();
    let mut known = BTreeSet::new();
    match origin {
        Origin::Fields(fields) => {
            for field in fields {
                known.insert(field.name.split('.').next().unwrap_or_default());
                let mut way = field.name.split('.');
                let first = way.next().and_then(|key| map.get(key));
                let value = way.fold(first, |value, key| value?.get(key));
                let origin = way_to(origin, &field.name);
                rows.extend(value.map(|value| (field.label.clone(), value, origin)));
            }
        }
        Origin::Members(members) => {
            for (key, origin) in members {
                known.insert(key.as_str());
                let value = map.get(key);
                rows.extend(value.map(|value| (words::humanize(key), value, origin.clone())));
            }
        }
        Origin::Unknown | Origin::Answer(_) | Origin::Outcome | Origin::Items(_) => {}
    }
    let others = map.iter().filter(|(key, _)| !known.contains(key.as_str()));
    rows.extend(others.map(|(key, value)| (words::humanize(key), value, Origin::Unknown)));
    rows
}

fn way_to(origin: &Origin, name: &str) -> Origin {
    let mut way = name.split('.');
    let first = origin.member(way.next().unwrap_or_default());
    way.fold(first, |origin, key| origin.member(key))
}

/// The first amount in what is shown, for the budget line.
pub(crate) fn amount(value: &Value) -> Option<(i64, String)> {
    if let Some((minor, currency)) = money::parts(value) {
        return Some((minor, currency.to_owned()));
    }
    let map = value.as_object()?;
    if let Some(found) = map.get("money").and_then(money::parts) {
        return Some((found.0, found.1.to_owned()));
    }
    map.values()
        .find_map(money::parts)
        .map(|(minor, currency)| (minor, currency.to_owned()))
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;
    use serde_json::json;

    use super::*;

    fn wall() -> Wall {
        let zone = TimeZone::get("Australia/Brisbane").unwrap();
        Wall::new(zone, "2026-11-22T00:00:00Z".parse().unwrap())
    }

    #[track_caller]
    fn check(value: &Value, html: &str) {
        let drawn = Shown::of(value, &Origin::Unknown, &wall())
            .render()
            .unwrap();
        let squeezed: String = drawn.split('\n').map(str::trim).collect();
        assert_eq!(squeezed, html);
    }

    #[test]
    fn ordinary_values_are_never_json() {
        check(
            &json!({"minor": 130_000, "currency": "AUD"}),
            "<bdi>$1,300.00</bdi>",
        );
        check(&json!(true), "<bdi>Yes</bdi>");
        check(&json!("2026-11-27"), "<bdi>Fri 27 Nov 2026</bdi>");
        check(
            &json!("2026-11-27T13:59:59Z"),
            "<bdi>Fri 27 Nov 2026, 11:59 pm</bdi>",
        );
        check(&json!(null), "<span class=\"quiet\">Not given</span>");
        check(&json!("ääääääääää-"), "<bdi>ääääääääää-</bdi>");
        check(
            &json!({"needBy": "2026-12-01", "quotes": [{"supplier": "A & B"}]}),
            "<dl class=\"nested\"><div><dt>Need by</dt><dd><bdi>Tue 1 Dec 2026</bdi></dd></div>\
             <div><dt>Quotes</dt><dd><ul><li><dl class=\"nested\"><div><dt>Supplier</dt>\
             <dd><bdi>A &#38; B</bdi></dd></div></dl></li></ul></dd></div></dl>",
        );
    }

    #[test]
    fn hostile_values_stay_text_and_small() {
        check(
            &json!("<img src=x onerror=alert(1)>"),
            "<bdi>&#60;img src=x onerror=alert(1)&#62;</bdi>",
        );
        let many = Value::Array(vec![json!(1); 10_000]);
        let Shown::List(list) = Shown::of(&many, &Origin::Unknown, &wall()) else {
            panic!("a list stays a list");
        };
        assert_eq!(list.last(), Some(&Shown::Text("and 9800 more".into())));
        let mut deep = json!("end");
        for _ in 0..100 {
            deep = json!([deep]);
        }
        assert!(
            Shown::of(&deep, &Origin::Unknown, &wall())
                .render()
                .unwrap()
                .contains('…')
        );
    }

    const FORM: &str = "
title: Attempt
schema:
  type: object
  properties:
    ways:
      title: Which ways are safe?
      type: array
      uniqueItems: true
      items: { oneOf: [ { const: phone, title: By phone }, { const: visit, title: By a visit } ] }
    note: { title: What happened?, type: string }
    supplier:
      type: object
      properties: { name: { title: Name of the supplier, type: string } }
";

    #[test]
    fn what_a_form_asked_for_has_its_titles_and_its_order() {
        let (form, _) = casewright_language::pack::read_form("attempt", "attempt.yaml", FORM);
        let origin = Origin::Members(vec![
            ("result".to_owned(), Origin::Outcome),
            ("attempt".to_owned(), Origin::Fields(form.unwrap().fields)),
        ]);
        let value = json!({
            "attempt": {
                "note": "2026-11-27",
                "ways": ["visit", "phone", "pigeon"],
                "supplier": { "name": "A" },
                "added": "text-message",
            },
            "also": 1,
            "result": "not-reached",
        });
        let drawn = Shown::of(&value, &origin, &wall()).render().unwrap();
        let squeezed: String = drawn.split('\n').map(str::trim).collect();
        let row = |label: &str, value: &str| {
            let class = if label.ends_with('?') {
                " class=\"ask\""
            } else {
                ""
            };
            format!("<div><dt{class}>{label}</dt><dd><bdi>{value}</bdi></dd></div>")
        };
        let ways = "<ul><li><bdi>By a visit</bdi></li><li><bdi>By phone</bdi></li>\
                    <li><bdi>pigeon</bdi></li></ul>";
        let attempt = [
            format!("<div><dt class=\"ask\">Which ways are safe?</dt><dd>{ways}</dd></div>"),
            row("What happened?", "2026-11-27"),
            row("Name of the supplier", "A"),
            row("Added", "text-message"),
        ]
        .concat();
        let attempt = format!("<dl class=\"nested\">{attempt}</dl>");
        let whole = [
            row("Result", "Not reached"),
            format!("<div><dt>Attempt</dt><dd>{attempt}</dd></div>"),
            row("Also", "1"),
        ]
        .concat();
        assert_eq!(squeezed, format!("<dl class=\"nested\">{whole}</dl>"));
    }

    #[test]
    fn the_amount_is_found_by_name_first() {
        let aud = |minor: i64| json!({"minor": minor, "currency": "AUD"});
        assert_eq!(
            amount(&json!({"bond": aud(1), "money": aud(2)})),
            Some((2, "AUD".into()))
        );
        assert_eq!(amount(&json!({"cost": aud(3)})), Some((3, "AUD".into())));
        assert_eq!(amount(&json!({"cost": 3})), None);
    }
}
