//! What may stand on a bank statement: codes such as `FS-2026-00417-B3`. Statements are read by
//! people who must not learn from them which family is supported.

/// What banks carry (ISO 20022, end-to-end reference).
const CHARS_MAX: usize = 35;
/// Codes of agencies and funds are shorter than nearly every name.
const LETTERS_MAX: usize = 4;

/// `Err` says what is wrong, without repeating the text.
pub(crate) fn check(reference: &str, payee: &str) -> Result<(), &'static str> {
    let plain = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'-' || b == b'/';
    if reference.is_empty() || reference.len() > CHARS_MAX || !reference.bytes().all(plain) {
        return Err("must be 1 to 35 of A-Z, 0-9, `-` and `/`, such as FS-2026-00417-B3");
    }
    if !reference.bytes().any(|b| b.is_ascii_digit()) {
        return Err("must contain a number; a word alone may be a name");
    }
    let mut words = reference.split(|c: char| !c.is_ascii_uppercase());
    if words.any(|word| word.len() > LETTERS_MAX) {
        return Err("contains a word that may be a name; write codes only");
    }
    let parts: Vec<_> = reference.split(['-', '/']).collect();
    let mut names = payee
        .split(|c: char| !c.is_alphanumeric())
        .filter(|name| name.len() > 2);
    if names.any(|name| parts.iter().any(|part| part.eq_ignore_ascii_case(name))) {
        return Err("contains a part of the payee's name; write codes only");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn codes_pass_and_names_do_not() {
        for good in ["FS-2026-00417-B3", "IFS-2026-00001", "417", "QLD/FS/2026-1"] {
            assert_eq!(check(good, "Ridgeview Beds"), Ok(()), "{good}");
        }
        for bad in [
            "",
            "Nguyen 417",
            "nguyen-417",
            "NGUYEN-417",
            "MARIA",
            "FS-LEE-1",
            "FS 2026",
            "FS-2026-ä",
            "FS-2026\n",
            "FS",
            "00000000000000000000000000000000000-",
            "FS-2026-\u{202e}1",
        ] {
            assert!(check(bad, "Lee Beds").is_err(), "{bad}");
        }
    }
}
