//! Amounts as people type them, exactly: `1300`, `1,300.00`, `$1300.50`, `AUD 12.5`.

use serde_json::{Value, json};

use crate::expression::money_digits;

/// What was typed as `{minor, currency}`; `None` when it is no amount of this currency.
pub(super) fn read(typed: &str, currency: &str) -> Option<Value> {
    let mut text = typed.trim();
    let negative = text.strip_prefix(['-', '\u{2212}']);
    text = negative.unwrap_or(text).trim_start();
    let dollars = matches!(currency, "AUD" | "USD" | "NZD" | "CAD" | "SGD");
    text = match text.strip_prefix('$').filter(|_| dollars) {
        Some(rest) => rest,
        None => text.strip_prefix(currency).unwrap_or(text),
    };
    text = text.trim_start();
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
        Some(_) => return None,
        None => (text, ""),
    };
    let digits = money_digits(currency);
    if fraction.len() > digits || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let whole = ungrouped(whole)?;
    let written = format!("{whole}{fraction:0<digits$}");
    let minor: i64 = written.parse().ok()?;
    let minor = if negative.is_some() { -minor } else { minor };
    Some(json!({"minor": minor, "currency": currency}))
}

/// Digits without the commas or spaces between groups of three.
pub(super) fn ungrouped(text: &str) -> Option<String> {
    let separator = |c: char| c == ',' || c == ' ' || c == '\u{a0}';
    let mut groups = text.split(separator);
    let first = groups.next()?;
    let plain = |group: &str| !group.is_empty() && group.bytes().all(|byte| byte.is_ascii_digit());
    if !plain(first) {
        return None;
    }
    let mut digits = first.to_owned();
    for group in groups {
        if first.len() > 3 || group.len() != 3 || !plain(group) {
            return None;
        }
        digits.push_str(group);
    }
    Some(digits)
}

/// An amount as it stands in a field: `1300.50`. `None` for what is no amount.
pub(super) fn write(value: &Value, currency: &str) -> Option<String> {
    let minor = value.get("minor")?.as_i64()?;
    if value.get("currency")?.as_str()? != currency {
        return None;
    }
    let digits = money_digits(currency);
    let text = format!("{:0>width$}", minor.unsigned_abs(), width = digits + 1);
    let (whole, fraction) = text.split_at(text.len() - digits);
    let sign = if minor < 0 { "-" } else { "" };
    let point = if digits > 0 { "." } else { "" };
    Some(format!("{sign}{whole}{point}{fraction}"))
}
