//! The order of all values: null, booleans, numbers, texts, arrays, objects.

use std::cmp::Ordering;

use serde_json::{Map, Value};

use super::{Stop, Work, number};

/// How two values compare; equal values are those that `==` calls so.
pub(super) fn compare(work: &mut Work, left: &Value, right: &Value) -> Result<Ordering, Stop> {
    work.spend(1)?;
    match (left, right) {
        (Value::Bool(left), Value::Bool(right)) => Ok(left.cmp(right)),
        (Value::Number(left), Value::Number(right)) => Ok(number::compare(left, right)),
        (Value::String(left), Value::String(right)) => {
            work.bytes(left.len().min(right.len()))?;
            Ok(left.as_bytes().cmp(right.as_bytes()))
        }
        (Value::Array(left), Value::Array(right)) => sequences(work, left.iter(), right.iter()),
        (Value::Object(left), Value::Object(right)) => objects(work, left, right),
        _ => Ok(rank(left).cmp(&rank(right))),
    }
}

fn rank(value: &Value) -> u8 {
    match value {
        Value::Null => 0,
        Value::Bool(_) => 1,
        Value::Number(_) => 2,
        Value::String(_) => 3,
        Value::Array(_) => 4,
        Value::Object(_) => 5,
    }
}

fn sequences<'v>(
    work: &mut Work,
    mut left: impl Iterator<Item = &'v Value>,
    mut right: impl Iterator<Item = &'v Value>,
) -> Result<Ordering, Stop> {
    loop {
        match (left.next(), right.next()) {
            (None, None) => return Ok(Ordering::Equal),
            (None, Some(_)) => return Ok(Ordering::Less),
            (Some(_), None) => return Ok(Ordering::Greater),
            (Some(left), Some(right)) => match compare(work, left, right)? {
                Ordering::Equal => {}
                decided => return Ok(decided),
            },
        }
    }
}

/// First by sorted keys, then by values in the order of keys; the empty object is the smallest.
fn objects(
    work: &mut Work,
    left: &Map<String, Value>,
    right: &Map<String, Value>,
) -> Result<Ordering, Stop> {
    work.spend(1 + left.len().min(right.len()))?;
    match left.keys().cmp(right.keys()) {
        Ordering::Equal => sequences(work, left.values(), right.values()),
        decided => Ok(decided),
    }
}
