//! Checks a value against the nodes of a schema.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::fmt;

use serde_json::{Number, Value};

use super::VIOLATIONS_MAX;
use super::compile::{Bound, Kind, Node, NodeId, under};
use super::format::Format;

/// What is wrong at one place.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Breach {
    /// A member that must be there is not; its name.
    Missing(String),
    NotAllowed,
    Kind {
        expected: Vec<Kind>,
        found: &'static str,
    },
    /// Not one of the values; they are listed when they are texts.
    NotAmong(Vec<String>),
    NotConstant(Option<String>),
    Bound(Bound, Number),
    NotMultiple(u64),
    TooShort(u64),
    TooLong(u64),
    TooFew(u64),
    TooMany(u64),
    Repeated,
    Pattern,
    Format(Format),
    NoAlternative,
    SeveralAlternatives,
}

type Found = Vec<(String, Breach)>;

/// Everything wrong with a value, in the order of the value.
pub(super) fn check(nodes: &[Node], value: &Value) -> Found {
    let mut checker = Checker {
        nodes,
        found: Vec::new(),
    };
    checker.node(0, "", value);
    let mut found = checker.found;
    found.truncate(VIOLATIONS_MAX);
    found
}

struct Checker<'n> {
    nodes: &'n [Node],
    found: Found,
}

impl Checker<'_> {
    fn add(&mut self, pointer: &str, breach: Breach) {
        // `allOf` and references may say the same twice.
        if self.found.len() <= VIOLATIONS_MAX
            && !self
                .found
                .iter()
                .any(|(at, known)| at == pointer && *known == breach)
        {
            self.found.push((pointer.to_owned(), breach));
        }
    }

    /// What a node alone finds.
    fn apart(&self, id: NodeId, pointer: &str, value: &Value) -> Found {
        let mut checker = Checker {
            nodes: self.nodes,
            found: Vec::new(),
        };
        checker.node(id, pointer, value);
        checker.found
    }

    fn node(&mut self, id: NodeId, pointer: &str, value: &Value) {
        let node = &self.nodes[id];
        if node.refused {
            self.add(pointer, Breach::NotAllowed);
            return;
        }
        if let Some(kinds) = &node.kinds
            && !kinds.iter().any(|kind| is(*kind, value))
        {
            self.add(
                pointer,
                Breach::Kind {
                    expected: kinds.clone(),
                    found: described(value),
                },
            );
            // Whatever else is wrong follows from this.
            return;
        }
        if let Some(values) = &node.values
            && !values.iter().any(|allowed| equal(allowed, value))
        {
            let texts = values.iter().filter_map(Value::as_str).map(str::to_owned);
            let texts: Vec<String> = texts.collect();
            let listed = texts.len() == values.len();
            self.add(
                pointer,
                Breach::NotAmong(if listed { texts } else { Vec::new() }),
            );
        }
        if let Some(constant) = &node.constant
            && !equal(constant, value)
        {
            self.add(
                pointer,
                Breach::NotConstant(constant.as_str().map(str::to_owned)),
            );
        }
        match value {
            Value::Number(number) => self.number(node, pointer, number),
            Value::String(text) => self.text(node, pointer, text),
            Value::Array(items) => self.array(node, pointer, items),
            Value::Object(_) => self.object(node, pointer, value),
            Value::Null | Value::Bool(_) => {}
        }
        self.combined(node, pointer, value);
    }

    fn number(&mut self, node: &Node, pointer: &str, number: &Number) {
        for (bound, limit) in &node.bounds {
            let ordering = compare(number, limit);
            let kept = match bound {
                Bound::Minimum => ordering.is_ge(),
                Bound::Maximum => ordering.is_le(),
                Bound::Above => ordering.is_gt(),
                Bound::Below => ordering.is_lt(),
            };
            if !kept {
                self.add(pointer, Breach::Bound(*bound, limit.clone()));
            }
        }
        if let Some(divisor) = node.multiple_of
            && whole(number).is_none_or(|whole| whole % i128::from(divisor) != 0)
        {
            self.add(pointer, Breach::NotMultiple(divisor));
        }
    }

    fn text(&mut self, node: &Node, pointer: &str, text: &str) {
        if node.length_min.is_some() || node.length_max.is_some() {
            let length = text.chars().count() as u64;
            if let Some(min) = node.length_min.filter(|min| length < *min) {
                self.add(pointer, Breach::TooShort(min));
            }
            if let Some(max) = node.length_max.filter(|max| length > *max) {
                self.add(pointer, Breach::TooLong(max));
            }
        }
        if let Some(pattern) = &node.pattern
            && !pattern.is_match(text)
        {
            self.add(pointer, Breach::Pattern);
        }
        if let Some(format) = node.format
            && !format.accepts(text)
        {
            self.add(pointer, Breach::Format(format));
        }
    }

    fn array(&mut self, node: &Node, pointer: &str, items: &[Value]) {
        let length = items.len() as u64;
        if let Some(min) = node.items_min.filter(|min| length < *min) {
            self.add(pointer, Breach::TooFew(min));
        }
        if let Some(max) = node.items_max.filter(|max| length > *max) {
            self.add(pointer, Breach::TooMany(max));
        }
        if node.unique {
            let mut seen = BTreeSet::new();
            if !items.iter().all(|item| seen.insert(canonical(item))) {
                self.add(pointer, Breach::Repeated);
            }
        }
        if let Some(schema) = node.items {
            for (index, item) in items.iter().enumerate() {
                if self.found.len() > VIOLATIONS_MAX {
                    return;
                }
                self.node(schema, &format!("{pointer}/{index}"), item);
            }
        }
    }

    fn object(&mut self, node: &Node, pointer: &str, value: &Value) {
        let Value::Object(members) = value else {
            return;
        };
        for name in &node.required {
            if !members.contains_key(name) {
                self.add(pointer, Breach::Missing(name.clone()));
            }
        }
        if node.properties.is_empty() && node.others.is_none() {
            return;
        }
        for (name, member) in members {
            if self.found.len() > VIOLATIONS_MAX {
                return;
            }
            if let Some(schema) = node.properties.get(name).or(node.others.as_ref()) {
                self.node(*schema, &under(pointer, name), member);
            }
        }
    }

    fn combined(&mut self, node: &Node, pointer: &str, value: &Value) {
        for id in &node.all {
            self.node(*id, pointer, value);
        }
        if !node.any.is_empty() {
            self.alternatives(&node.any, pointer, value, false);
        }
        if !node.one.is_empty() {
            self.alternatives(&node.one, pointer, value, true);
        }
        if let Some(condition) = node.condition {
            let holds = self.apart(condition, pointer, value).is_empty();
            if let Some(id) = if holds { node.then } else { node.otherwise } {
                self.node(id, pointer, value);
            }
        }
    }

    fn alternatives(&mut self, ids: &[NodeId], pointer: &str, value: &Value, single: bool) {
        let mut fitting = 0;
        let mut likely = Vec::new();
        for id in ids {
            let found = self.apart(*id, pointer, value);
            if found.is_empty() {
                fitting += 1;
                if !single || fitting > 1 {
                    break;
                }
            } else if !found
                .iter()
                .any(|(at, breach)| decisive(pointer, at, breach))
            {
                likely.push(found);
            }
        }
        match (fitting, likely.as_mut_slice()) {
            (0, [found]) => {
                for (at, breach) in std::mem::take(found) {
                    self.add(&at, breach);
                }
            }
            (0, _) => self.alternative_values(ids, pointer, value),
            (1, _) => {}
            _ if single => self.add(pointer, Breach::SeveralAlternatives),
            _ => {}
        }
    }

    /// None fits: where all alternatives are single texts, they are listed.
    fn alternative_values(&mut self, ids: &[NodeId], pointer: &str, value: &Value) {
        let texts: Option<Vec<String>> = ids
            .iter()
            .map(|id| {
                let constant = self.nodes[*id].constant.as_ref()?;
                constant.as_str().map(str::to_owned)
            })
            .collect();
        self.add(
            pointer,
            match texts {
                Some(_) if !value.is_string() => Breach::Kind {
                    expected: vec![Kind::Text],
                    found: described(value),
                },
                Some(texts) => Breach::NotAmong(texts),
                None => Breach::NoAlternative,
            },
        );
    }
}

/// Whether a breach shows that this alternative was not meant: another kind of value, or another
/// constant in a member that tells alternatives apart.
fn decisive(pointer: &str, at: &str, breach: &Breach) -> bool {
    match breach {
        Breach::Kind { .. } | Breach::NotAmong(_) | Breach::NotAllowed => at == pointer,
        Breach::NotConstant(_) => true,
        _ => false,
    }
}

fn is(kind: Kind, value: &Value) -> bool {
    match (kind, value) {
        (Kind::Null, Value::Null)
        | (Kind::Boolean, Value::Bool(_))
        | (Kind::Number, Value::Number(_))
        | (Kind::Text, Value::String(_))
        | (Kind::Array, Value::Array(_))
        | (Kind::Object, Value::Object(_)) => true,
        (Kind::Integer, Value::Number(number)) => whole(number).is_some(),
        _ => false,
    }
}

/// A number without fraction, in whatever way it is written.
fn whole(number: &Number) -> Option<i128> {
    number.as_i128().or_else(|| {
        let float = number.as_f64()?;
        #[expect(clippy::cast_possible_truncation, reason = "within the range of i128")]
        (float.fract() == 0.0 && float.abs() < 1e30).then_some(float as i128)
    })
}

fn compare(left: &Number, right: &Number) -> Ordering {
    match (left.as_i128(), right.as_i128()) {
        (Some(left), Some(right)) => left.cmp(&right),
        _ => left
            .as_f64()
            .partial_cmp(&right.as_f64())
            .unwrap_or(Ordering::Equal),
    }
}

/// Equality of JSON values, where `1` and `1.0` are the same number.
fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => compare(left, right).is_eq(),
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(l, r)| equal(l, r))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left
                    .iter()
                    .zip(right)
                    .all(|((lk, lv), (rk, rv))| lk == rk && equal(lv, rv))
        }
        _ => left == right,
    }
}

/// Text that is the same for equal values.
fn canonical(value: &Value) -> String {
    match value {
        Value::Number(number) => match whole(number) {
            Some(whole) => whole.to_string(),
            None => number.to_string(),
        },
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(canonical).collect();
            format!("[{}]", items.join(","))
        }
        Value::Object(members) => {
            let members: Vec<String> = members
                .iter()
                .map(|(key, member)| format!("{}:{}", Value::from(key.as_str()), canonical(member)))
                .collect();
            format!("{{{}}}", members.join(","))
        }
        other => other.to_string(),
    }
}

/// What a value is, with its article.
pub(super) fn described(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(number) if whole(number).is_some() => "a whole number",
        Value::Number(_) => "a number with a fraction",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

impl Kind {
    fn described(self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Boolean => "true or false",
            Self::Integer => "a whole number",
            Self::Number => "a number",
            Self::Text => "text",
            Self::Array => "a list",
            Self::Object => "an object",
        }
    }
}

fn items(count: u64) -> String {
    if count == 1 {
        "1 item".to_owned()
    } else {
        format!("{count} items")
    }
}

fn characters(count: u64) -> String {
    if count == 1 {
        "1 character".to_owned()
    } else {
        format!("{count} characters")
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(name) => write!(f, "`{name}` is missing"),
            Self::NotAllowed => f.write_str("this is not allowed here"),
            Self::Kind { expected, found } => {
                let expected: Vec<&str> = expected.iter().map(|kind| kind.described()).collect();
                write!(f, "expected {}, found {found}", expected.join(" or "))
            }
            Self::NotAmong(texts) if texts.is_empty() || texts.len() > 20 => {
                f.write_str("expected one of the values that are allowed here")
            }
            Self::NotAmong(texts) => write!(f, "expected one of: {}", texts.join(", ")),
            Self::NotConstant(Some(text)) => write!(f, "expected `{text}`"),
            Self::NotConstant(None) => f.write_str("expected the one value that is allowed here"),
            Self::Bound(Bound::Minimum, limit) => write!(f, "must be {limit} or more"),
            Self::Bound(Bound::Maximum, limit) => write!(f, "must be {limit} or less"),
            Self::Bound(Bound::Above, limit) => write!(f, "must be more than {limit}"),
            Self::Bound(Bound::Below, limit) => write!(f, "must be less than {limit}"),
            Self::NotMultiple(divisor) => write!(f, "must be a multiple of {divisor}"),
            Self::TooShort(min) => write!(f, "must have at least {}", characters(*min)),
            Self::TooLong(max) => write!(f, "must have at most {}", characters(*max)),
            Self::TooFew(min) => write!(f, "must have at least {}", items(*min)),
            Self::TooMany(max) => write!(f, "must have at most {}", items(*max)),
            Self::Repeated => f.write_str("must not name anything twice"),
            Self::Pattern => f.write_str("does not have the form that is asked for"),
            Self::Format(format) => write!(f, "expected {}", format.described()),
            Self::NoAlternative => f.write_str("fits none of the forms that are allowed here"),
            Self::SeveralAlternatives => {
                f.write_str("fits several forms, of which only one is allowed")
            }
        }
    }
}
