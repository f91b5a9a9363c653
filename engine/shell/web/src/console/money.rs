//! Amounts as people write them, from minor units and back to text for a field.

use serde_json::Value;

/// `{minor, currency}` as `$1,300.00`; nothing for values of another shape.
pub(crate) fn of_value(value: &Value) -> Option<String> {
    let (minor, currency) = parts(value)?;
    Some(written(minor, currency))
}

pub(crate) fn parts(value: &Value) -> Option<(i64, &str)> {
    let map = value.as_object().filter(|map| map.len() == 2)?;
    let minor = map.get("minor")?.as_i64()?;
    let currency = map.get("currency")?.as_str()?;
    let fits = currency.len() == 3 && currency.bytes().all(|byte| byte.is_ascii_uppercase());
    fits.then_some((minor, currency))
}

/// `$1,300.00`, `€12.50`, `CHF 7.00`.
pub(crate) fn written(minor: i64, currency: &str) -> String {
    let sign = if minor < 0 { "−" } else { "" };
    let digits = plain(minor.unsigned_abs(), currency);
    let (whole, fraction) = match digits.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (digits.as_str(), None),
    };
    let mut text = format!("{sign}{}{}", symbol(currency), grouped(whole));
    if let Some(fraction) = fraction {
        text.push('.');
        text.push_str(fraction);
    }
    text
}

/// `1300.00`: what stands in a field.
pub(crate) fn plain(minor: u64, currency: &str) -> String {
    let places = decimals(currency);
    let unit = 10_u64.pow(places);
    if places == 0 {
        return minor.to_string();
    }
    let width = places as usize;
    format!("{}.{:0width$}", minor / unit, minor % unit)
}

/// What stands before an amount.
pub(crate) fn symbol(currency: &str) -> String {
    match currency {
        "AUD" | "USD" | "NZD" | "CAD" => "$".to_owned(),
        "EUR" => "€".to_owned(),
        "GBP" => "£".to_owned(),
        _ => format!("{currency} "),
    }
}

fn decimals(currency: &str) -> u32 {
    match currency {
        "JPY" | "KRW" | "VND" | "CLP" | "ISK" | "XAF" | "XOF" | "XPF" | "UGX" | "VUV" => 0,
        "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
        _ => 2,
    }
}

fn grouped(digits: &str) -> String {
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn amounts_read_as_people_write_them() {
        for (minor, currency, expected) in [
            (130_000, "AUD", "$1,300.00"),
            (5, "USD", "$0.05"),
            (0, "AUD", "$0.00"),
            (-123_456_789, "EUR", "−€1,234,567.89"),
            (1_300, "JPY", "JPY 1,300"),
            (1_234, "KWD", "KWD 1.234"),
            (i64::MIN, "USD", "−$92,233,720,368,547,758.08"),
        ] {
            assert_eq!(written(minor, currency), expected);
        }
        assert_eq!(plain(130_000, "AUD"), "1300.00");
    }

    #[test]
    fn only_money_is_money() {
        let money = json!({"minor": 130_000, "currency": "AUD"});
        assert_eq!(of_value(&money), Some("$1,300.00".into()));
        for other in [
            json!({"minor": 1.5, "currency": "AUD"}),
            json!({"minor": 1, "currency": "dollars"}),
            json!({"minor": 1}),
            json!({"minor": 1, "currency": "AUD", "note": "x"}),
            json!(1300),
        ] {
            assert_eq!(of_value(&other), None);
        }
    }
}
