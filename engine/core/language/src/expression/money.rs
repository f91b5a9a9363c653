//! `money`: an amount for people, as a helper of ours that jq does not have.
//!
//! `{minor: 130000, currency: AUD}` is written `$1,300.00`. Dollars of Australia and of the United
//! States have the sign, all other currencies their code and a space (`EUR 1,300.00`); an agency
//! works in one currency, and where it does not, the code says which. A minus stands in front.

use serde_json::Value;

use super::evaluate::Stop;

/// The same function for jq; put in front of programs that name it.
pub(super) const DEFINITION: &str = "def money: \
if type != \"object\" or (.minor | type) != \"number\" or (.currency | type) != \"string\" \
or (.minor | floor) != .minor \
then error(\"money is written as {minor, currency}\") else \
(.minor | floor) as $whole \
| ({JPY: 0, KRW: 0, VND: 0, CLP: 0, BHD: 3, JOD: 3, KWD: 3, OMR: 3, TND: 3}[.currency] // 2) \
as $digits \
| (if $whole < 0 then -$whole else $whole end | tostring) as $text \
| (\"0000\"[:(if ($text | length) > $digits then 0 else $digits + 1 - ($text | length) end)] \
+ $text) as $text \
| (($text | length) - $digits) as $point \
| def group: if length > 3 then (.[:-3] | group) + \",\" + .[-3:] end; \
(if $whole < 0 then \"-\" else \"\" end) \
+ (if .currency == \"AUD\" or .currency == \"USD\" then \"$\" else .currency + \" \" end) \
+ ($text[:$point] | group) \
+ (if $digits > 0 then \".\" + $text[$point:] else \"\" end) end; ";

/// How many digits the minor unit of a currency takes.
pub fn digits(currency: &str) -> usize {
    match currency {
        "JPY" | "KRW" | "VND" | "CLP" => 0,
        "BHD" | "JOD" | "KWD" | "OMR" | "TND" => 3,
        _ => 2,
    }
}

/// Writes an amount for people.
pub fn amount(minor: i64, currency: &str) -> String {
    let digits = digits(currency);
    let text = format!("{:0>width$}", minor.unsigned_abs(), width = digits + 1);
    let (whole, fraction) = text.split_at(text.len() - digits);
    let mut grouped = String::new();
    for (index, digit) in whole.char_indices() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let sign = if minor < 0 { "-" } else { "" };
    let symbol = match currency {
        "AUD" | "USD" => "$".to_owned(),
        other => format!("{other} "),
    };
    let point = if digits > 0 { "." } else { "" };
    format!("{sign}{symbol}{grouped}{point}{fraction}")
}

pub(super) fn write(value: &Value) -> Result<String, Stop> {
    let (minor, currency) = (&value["minor"], &value["currency"]);
    match (minor, currency) {
        (Value::Number(number), Value::String(currency)) => match number.as_i64() {
            Some(minor) => Ok(amount(minor, currency)),
            // Floats and whole numbers beyond ours.
            None => Err(Stop::Ask),
        },
        _ => Err(Stop::Failed("money is written as {minor, currency}".into())),
    }
}
