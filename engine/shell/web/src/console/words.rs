//! Names as words, as the pictures of workflows write them too.

pub(crate) use casewright_language::words::{humanize, phrase};

/// A term as people say it, and whether it runs by the clock: `P3D` is three days, `PT24H` are 24
/// hours.
pub(crate) fn term(written: &str) -> (String, bool) {
    let counted = |count: &str, unit: &str| {
        let many = if count == "1" { "" } else { "s" };
        let number = !count.is_empty() && count.bytes().all(|byte| byte.is_ascii_digit());
        number.then(|| format!("{count} {unit}{many}"))
    };
    let words = if let Some(time) = written.strip_prefix("PT") {
        let hours = time.strip_suffix('H');
        let minutes = time.strip_suffix('M');
        let hours = hours.and_then(|count| counted(count, "hour"));
        hours.or_else(|| counted(minutes?, "minute"))
    } else {
        let days = written.strip_prefix('P');
        days.and_then(|days| counted(days.strip_suffix('D')?, "day"))
    };
    let by_the_clock = written.starts_with("PT") || written.contains("hour");
    let words = words.unwrap_or_else(|| written.to_owned());
    (words, by_the_clock)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_term_is_said_in_words() {
        for (written, words, by_the_clock) in [
            ("3 business days", "3 business days", false),
            ("4 business hours", "4 business hours", true),
            ("P3D", "3 days", false),
            ("P1D", "1 day", false),
            ("PT24H", "24 hours", true),
            ("PT30M", "30 minutes", true),
            ("PT1H30M", "PT1H30M", true),
        ] {
            assert_eq!(term(written), (words.to_owned(), by_the_clock));
        }
    }
}
