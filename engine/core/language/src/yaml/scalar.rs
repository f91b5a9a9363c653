//! What an unquoted word stands for: the core schema of YAML 1.2, nothing of YAML 1.1.

use super::Content;

/// Why an unquoted word is refused although YAML would take it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// `007`: the zeros would be lost.
    LeadingZero,
    /// Beyond 64 bits: digits would be lost.
    TooLarge,
    /// `.inf`, `.nan`: JSON has no such number.
    NotFinite,
}

/// `None` means that the word is text.
pub(super) fn resolve(word: &str) -> Result<Option<Content>, Refusal> {
    match word {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Some(Content::Null)),
        "true" | "True" | "TRUE" => return Ok(Some(Content::Bool(true))),
        "false" | "False" | "FALSE" => return Ok(Some(Content::Bool(false))),
        _ => {}
    }
    let unsigned = word.strip_prefix(['-', '+']).unwrap_or(word);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(word, ".nan" | ".NaN" | ".NAN") {
        return Err(Refusal::NotFinite);
    }
    if let Some(digits) = word.strip_prefix("0x") {
        return radix(digits, 16);
    }
    if let Some(digits) = word.strip_prefix("0o") {
        return radix(digits, 8);
    }
    if is_digits(unsigned) {
        return integer(word, unsigned);
    }
    if is_float(unsigned) {
        return float(word);
    }
    Ok(None)
}

fn is_digits(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit())
}

fn radix(digits: &str, radix: u32) -> Result<Option<Content>, Refusal> {
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
        return Ok(None);
    }
    i64::from_str_radix(digits, radix)
        .map(|value| Some(Content::Integer(value)))
        .map_err(|_| Refusal::TooLarge)
}

fn integer(word: &str, unsigned: &str) -> Result<Option<Content>, Refusal> {
    if unsigned.len() > 1 && unsigned.starts_with('0') {
        return Err(Refusal::LeadingZero);
    }
    word.parse()
        .map(|value| Some(Content::Integer(value)))
        .map_err(|_| Refusal::TooLarge)
}

/// `( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?`
fn is_float(unsigned: &str) -> bool {
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let exponent_well = exponent
        .is_none_or(|exponent| is_digits(exponent.strip_prefix(['-', '+']).unwrap_or(exponent)));
    let mantissa_well = match mantissa.split_once('.') {
        Some(("", fraction)) => is_digits(fraction),
        Some((whole, "")) => is_digits(whole),
        Some((whole, fraction)) => is_digits(whole) && is_digits(fraction),
        None => is_digits(mantissa),
    };
    exponent_well && mantissa_well
}

fn float(word: &str) -> Result<Option<Content>, Refusal> {
    match word.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(Some(Content::Float(value))),
        Ok(_) => Err(Refusal::NotFinite),
        Err(_) => Ok(None),
    }
}
