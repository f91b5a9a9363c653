//! Numbers as jaq has them: whole ones stay whole under `+ - * %`, everything else is a float.

use std::cmp::Ordering;

use serde_json::{Number, Value};

use super::super::term::Operator;
use super::{Stop, text};

#[derive(Clone, Copy)]
enum Figure {
    Whole(i128),
    Float(f64),
}

fn figure(number: &Number) -> Figure {
    number.as_i128().map_or_else(
        || Figure::Float(number.as_f64().unwrap_or(f64::NAN)),
        Figure::Whole,
    )
}

#[expect(
    clippy::cast_precision_loss,
    reason = "as jq: whole numbers round to floats"
)]
fn float(figure: Figure) -> f64 {
    match figure {
        Figure::Whole(whole) => whole as f64,
        Figure::Float(float) => float,
    }
}

/// A whole result; beyond what JSON values here hold, jq is asked, which knows big integers.
pub(super) fn whole(result: Option<i128>) -> Result<Value, Stop> {
    result
        .and_then(Number::from_i128)
        .map(Value::Number)
        .ok_or(Stop::Ask)
}

/// A float result; jq also has infinite ones and NaN.
pub(super) fn finite(result: f64) -> Result<Value, Stop> {
    Number::from_f64(result).map(Value::Number).ok_or(Stop::Ask)
}

/// `+` of two numbers, and the other operators of any two values.
pub(super) fn calculate(left: &Value, operator: Operator, right: &Value) -> Result<Value, Stop> {
    let (Value::Number(a), Value::Number(b)) = (left, right) else {
        return Err(mismatch(left, operator, right));
    };
    match (figure(a), operator, figure(b)) {
        (Figure::Whole(a), Operator::Add, Figure::Whole(b)) => whole(a.checked_add(b)),
        (Figure::Whole(a), Operator::Subtract, Figure::Whole(b)) => whole(a.checked_sub(b)),
        (Figure::Whole(a), Operator::Multiply, Figure::Whole(b)) => whole(a.checked_mul(b)),
        (Figure::Whole(_), Operator::Remainder, Figure::Whole(0)) => Err(Stop::Failed(
            "cannot take the remainder of a division by zero".into(),
        )),
        (Figure::Whole(a), Operator::Remainder, Figure::Whole(b)) => whole(a.checked_rem(b)),
        (a, operator, b) => {
            let (a, b) = (float(a), float(b));
            finite(match operator {
                Operator::Add => a + b,
                Operator::Subtract => a - b,
                Operator::Multiply => a * b,
                Operator::Divide => a / b,
                Operator::Remainder => a % b,
            })
        }
    }
}

fn mismatch(left: &Value, operator: Operator, right: &Value) -> Stop {
    let (first, between) = match operator {
        Operator::Add => ("add", "and"),
        Operator::Subtract => match (left, right) {
            (Value::Array(_), Value::Array(_)) => return Stop::Ask,
            _ => ("calculate", "minus"),
        },
        Operator::Multiply => match (left, right) {
            (Value::Object(_), Value::Object(_))
            | (Value::String(_), Value::Number(_))
            | (Value::Number(_), Value::String(_)) => return Stop::Ask,
            _ => ("multiply", "and"),
        },
        Operator::Divide | Operator::Remainder => ("divide", "by"),
    };
    Stop::Failed(format!(
        "cannot {first} {} {between} {}",
        text::kind(left),
        text::kind(right)
    ))
}

pub(super) fn negate(value: &Value) -> Result<Value, Stop> {
    let Value::Number(number) = value else {
        return Err(not_a_number(value));
    };
    match figure(number) {
        Figure::Whole(number) => whole(number.checked_neg()),
        Figure::Float(number) => finite(-number),
    }
}

/// `length` of a number.
pub(super) fn magnitude(number: &Number) -> Result<Value, Stop> {
    match figure(number) {
        Figure::Whole(number) if number == i128::from(i64::MIN) => Err(Stop::Ask),
        Figure::Whole(number) => whole(number.checked_abs()),
        Figure::Float(number) => finite(number.abs()),
    }
}

/// `floor`, `round`, `ceil`: whole numbers stay, floats become whole.
pub(super) fn rounded(value: &Value, round: fn(f64) -> f64) -> Result<Value, Stop> {
    let Value::Number(number) = value else {
        return Err(not_a_number(value));
    };
    match figure(number) {
        Figure::Whole(_) => Ok(value.clone()),
        Figure::Float(number) => {
            let rounded = round(number);
            if rounded.abs() >= 9.0e18 {
                return Err(Stop::Ask);
            }
            #[expect(clippy::cast_possible_truncation, reason = "checked above")]
            Ok(Value::from(rounded as i64))
        }
    }
}

fn not_a_number(value: &Value) -> Stop {
    Stop::Failed(format!("expected a number, found {}", text::kind(value)))
}

pub(super) fn compare(left: &Number, right: &Number) -> Ordering {
    match (figure(left), figure(right)) {
        (Figure::Whole(left), Figure::Whole(right)) => left.cmp(&right),
        // Positive and negative zero are equal; NaN cannot be here.
        (left, right) => float(left)
            .partial_cmp(&float(right))
            .unwrap_or(Ordering::Equal),
    }
}

/// A whole number that may index; `None` for a float, which may not.
pub(super) fn position(number: &Number) -> Result<Option<i64>, Stop> {
    match figure(number) {
        Figure::Whole(whole) => i64::try_from(whole).map(Some).map_err(|_| Stop::Ask),
        Figure::Float(_) => Ok(None),
    }
}

/// The index that a position means, counted from the end when negative; `None` when outside.
pub(super) fn wrap(position: i64, length: usize) -> Option<usize> {
    let distance = usize::try_from(position.unsigned_abs()).ok()?;
    if position >= 0 {
        (distance < length).then_some(distance)
    } else {
        length.checked_sub(distance)
    }
}

/// Start and end of a slice, clipped, start never behind end.
pub(super) fn bounds(from: Option<i64>, to: Option<i64>, length: usize) -> (usize, usize) {
    let clip = |position: i64| {
        let distance = usize::try_from(position.unsigned_abs()).unwrap_or(usize::MAX);
        if position >= 0 {
            distance.min(length)
        } else {
            length.saturating_sub(distance)
        }
    };
    let from = from.map_or(0, clip);
    let to = to.map_or(length, clip);
    (from, to.max(from))
}
