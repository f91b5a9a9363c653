//! What the values of a column are, and which whole number stands for each.

use serde_json::{Number, Value, json};

use super::{Column, Day};
use crate::expression::{money_digits, money_text};

/// Digits behind the point that a number may have.
pub(super) const DECIMALS_MAX: u32 = 6;
/// Digits in front of it: no number of JSON loses one.
const WHOLE_DIGITS_MAX: usize = 15;

/// The type of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// With this many digits behind the point.
    Number {
        /// 0 for whole numbers.
        decimals: u32,
    },
    /// `{minor, currency}`, of this currency alone.
    Money {
        /// ISO 4217.
        currency: String,
    },
    /// `true` or `false`.
    YesNo,
    /// `2026-07-01`
    Day,
    /// One of these.
    Word(Vec<String>),
    /// Any text; these are named in conditions, in order.
    Text(Vec<String>),
}

impl Kind {
    /// As authors write it.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Number { .. } => "number",
            Self::Money { .. } => "money",
            Self::YesNo => "yes-no",
            Self::Day => "day",
            Self::Word(_) => "word",
            Self::Text(_) => "text",
        }
    }

    /// Whether its values have an order that people know.
    pub(super) fn ordered(&self) -> bool {
        match self {
            Self::Number { .. } | Self::Money { .. } | Self::Day => true,
            Self::YesNo | Self::Word(_) | Self::Text(_) => false,
        }
    }

    /// The least and the most where the author sets none.
    pub(super) fn bounds(&self) -> (i128, i128) {
        match self {
            Self::Number { decimals } => {
                let most = 10_i128.pow(15 + decimals) - 1;
                (-most, most)
            }
            Self::Money { .. } => (0, i128::from(i64::MAX)),
            Self::YesNo => (0, 1),
            Self::Day => (Day::LEAST.number(), Day::MOST.number()),
            Self::Word(words) => (0, words.len() as i128 - 1),
            // The last one is every text that no condition names.
            Self::Text(words) => (0, words.len() as i128),
        }
    }

    /// What an author wrote, as a number: amounts with a point, as people write them.
    pub(super) fn point(&self, written: &str) -> Option<i128> {
        match self {
            Self::Number { decimals } => scaled(written, *decimals),
            Self::Money { currency } => scaled(written, digits(currency)),
            Self::YesNo => match written {
                "false" => Some(0),
                "true" => Some(1),
                _ => None,
            },
            Self::Day => Day::parse(written).map(Day::number),
            Self::Word(words) | Self::Text(words) => {
                let place = words.iter().position(|word| word == written);
                place.map(|place| place as i128)
            }
        }
    }

    /// A point as an author writes it.
    pub(super) fn written(&self, point: i128) -> String {
        match self {
            Self::Number { decimals } => unscaled(point, *decimals),
            Self::Money { currency } => unscaled(point, digits(currency)),
            Self::YesNo => (point == 1).to_string(),
            Self::Day => Day::of_number(point).to_string(),
            Self::Word(words) | Self::Text(words) => {
                let word = usize::try_from(point).ok().and_then(|at| words.get(at));
                word.cloned().unwrap_or_else(|| "anything else".to_owned())
            }
        }
    }

    /// A point as people read it.
    pub(super) fn shown(&self, point: i128) -> String {
        match (self, i64::try_from(point)) {
            (Self::Money { currency }, Ok(minor)) => money_text(minor, currency),
            _ => self.written(point),
        }
    }

    /// A value of a workflow as a number. The error says what is wanted, and nothing of the value.
    pub(super) fn of_value(&self, value: &Value) -> Result<i128, Wrong> {
        let point = match self {
            Self::Number { decimals } => match value {
                Value::Number(number) => scaled(&number.to_string(), *decimals),
                _ => None,
            },
            Self::Money { currency } => return money(value, currency),
            Self::YesNo => value.as_bool().map(i128::from),
            Self::Day => value.as_str().and_then(Day::parse).map(Day::number),
            Self::Word(_) => value.as_str().and_then(|word| self.point(word)),
            Self::Text(words) => {
                let text = value.as_str();
                text.map(|text| self.point(text).unwrap_or(words.len() as i128))
            }
        };
        point.ok_or(Wrong::Value)
    }

    /// What a row gives, from what its author wrote; money is written as an amount.
    pub(super) fn value(&self, written: &str) -> Option<Value> {
        if let Self::Text(_) = self {
            return Some(written.into());
        }
        let point = self.point(written)?;
        let (least, most) = self.bounds();
        if !(least..=most).contains(&point) {
            return None;
        }
        Some(match self {
            Self::Number { decimals: 0 } => i64::try_from(point).ok()?.into(),
            Self::Number { decimals } => {
                let number: f64 = unscaled(point, *decimals).parse().ok()?;
                Number::from_f64(number)?.into()
            }
            Self::Money { currency } => {
                json!({"minor": i64::try_from(point).ok()?, "currency": currency})
            }
            Self::YesNo => (point == 1).into(),
            Self::Day | Self::Word(_) | Self::Text(_) => self.written(point).into(),
        })
    }

    /// A value of a row for people.
    pub(super) fn told(&self, value: &Value) -> String {
        match self.of_value(value) {
            Ok(_) if matches!(self, Self::Text(_)) => value.as_str().unwrap_or("").to_owned(),
            Ok(point) if *self == Self::YesNo => yes_or_no(point).to_owned(),
            Ok(point) => self.shown(point),
            Err(_) => value.to_string(),
        }
    }

    /// What it must be, for sentences.
    pub(crate) fn wanted(&self) -> String {
        match self {
            Self::Number { decimals: 0 } => "a whole number".to_owned(),
            Self::Number { decimals } => {
                format!("a number with at most {decimals} digits behind the point")
            }
            Self::Money { currency } => {
                format!("an amount `{{ minor: 130000, currency: {currency} }}`")
            }
            Self::YesNo => "true or false".to_owned(),
            Self::Day => "a day such as 2026-07-01".to_owned(),
            Self::Word(words) => {
                let words = words.iter().map(String::as_str);
                format!("one of {}", crate::diagnostic::listed(words))
            }
            Self::Text(_) => "text".to_owned(),
        }
    }
}

/// Why a value is none of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrong {
    Value,
    Currency,
}

impl Column {
    /// A value of a workflow as a number within the bounds.
    pub(super) fn point(&self, value: &Value) -> Result<i128, Wrong> {
        let point = self.kind.of_value(value)?;
        let (least, most) = self.bounds;
        let within = (least..=most).contains(&point);
        within.then_some(point).ok_or(Wrong::Value)
    }

    /// Whether a value is one of it.
    pub(crate) fn takes(&self, value: &Value) -> bool {
        self.point(value).is_ok()
    }

    /// What it must be, with its bounds where the author set them.
    pub(crate) fn wanted(&self) -> String {
        let wanted = self.kind.wanted();
        if self.bounds == self.kind.bounds() && !matches!(self.kind, Kind::Money { .. }) {
            return wanted;
        }
        let (least, most) = self.bounds;
        let (_, most_of_kind) = self.kind.bounds();
        let from = format!("{wanted} of at least {}", self.kind.shown(least));
        if most == most_of_kind {
            return from;
        }
        format!("{from} and at most {}", self.kind.shown(most))
    }
}

fn yes_or_no(point: i128) -> &'static str {
    if point == 1 { "yes" } else { "no" }
}

fn digits(currency: &str) -> u32 {
    u32::try_from(money_digits(currency)).unwrap_or(2)
}

fn money(value: &Value, wanted: &str) -> Result<i128, Wrong> {
    let members = value.as_object().ok_or(Wrong::Value)?;
    let (minor, currency) = (members.get("minor"), members.get("currency"));
    let (Some(Value::Number(minor)), Some(Value::String(currency)), 2) =
        (minor, currency, members.len())
    else {
        return Err(Wrong::Value);
    };
    if currency != wanted {
        return Err(Wrong::Currency);
    }
    scaled(&minor.to_string(), 0).ok_or(Wrong::Value)
}

/// A decimal number as a whole number of its last places; `None` also where it has more places, so
/// that nothing is ever rounded.
fn scaled(text: &str, decimals: u32) -> Option<i128> {
    let (sign, body) = match text.strip_prefix('-') {
        Some(body) => (-1, body),
        None => (1, text),
    };
    let (whole, fraction) = match body.split_once('.') {
        Some((_, "")) => return None,
        Some((whole, fraction)) => (whole, fraction.trim_end_matches('0')),
        None => (body, ""),
    };
    let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let width = decimals as usize;
    // An amount of an `i64` has more digits than a number that JSON keeps.
    let whole_max = WHOLE_DIGITS_MAX + 4;
    if whole.is_empty() || !plain(whole) || !plain(fraction) || fraction.len() > width {
        return None;
    }
    if whole.len() > whole_max {
        return None;
    }
    let all = format!("{whole}{fraction:0<width$}");
    all.parse::<i128>().ok().map(|number| sign * number)
}

fn unscaled(point: i128, decimals: u32) -> String {
    let width = decimals as usize;
    let text = format!("{:0>width$}", point.unsigned_abs(), width = width + 1);
    let (whole, fraction) = text.split_at(text.len() - width);
    let sign = if point < 0 { "-" } else { "" };
    if fraction.bytes().all(|digit| digit == b'0') {
        return format!("{sign}{whole}");
    }
    format!("{sign}{whole}.{fraction}")
}
