//! Formats of text that are checked: date, date-time, email, uuid.

/// A format; those that only describe are not here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Date,
    DateTime,
    Email,
    Uuid,
}

/// What a document may name as a format.
pub(super) enum Known {
    Checked(Format),
    /// Sizes of numbers and other hints, which say nothing that other keywords do not.
    Annotation,
}

pub(super) fn named(name: &str) -> Option<Known> {
    Some(match name {
        "date" => Known::Checked(Format::Date),
        "date-time" => Known::Checked(Format::DateTime),
        "email" => Known::Checked(Format::Email),
        "uuid" => Known::Checked(Format::Uuid),
        "int8" | "int16" | "int32" | "int64" | "int128" | "int" | "uint8" | "uint16" | "uint32"
        | "uint64" | "uint128" | "uint" | "float" | "double" | "char" | "phone" => {
            Known::Annotation
        }
        _ => return None,
    })
}

impl Format {
    pub(crate) fn accepts(self, text: &str) -> bool {
        match self {
            Self::Date => date(text),
            Self::DateTime => date_time(text),
            Self::Email => email(text),
            Self::Uuid => uuid(text),
        }
    }

    /// With its article, for "expected ...".
    pub(crate) fn described(self) -> &'static str {
        match self {
            Self::Date => "a date such as 2026-11-23",
            Self::DateTime => "a date and time such as 2026-11-23T09:30:00Z",
            Self::Email => "an email address",
            Self::Uuid => "a UUID",
        }
    }
}

/// Digits of a fixed width.
fn digits(text: &str, width: usize) -> Option<u32> {
    let plain = text.len() == width && text.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

/// Whether this is a day of the calendar, written `2026-11-23`.
pub(crate) fn date(text: &str) -> bool {
    let mut parts = text.splitn(3, '-');
    let mut part = |width| digits(parts.next()?, width);
    let (Some(year), Some(month), Some(day)) = (part(4), part(2), part(2)) else {
        return false;
    };
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let last = match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        1..=12 => 31,
        _ => return false,
    };
    (1..=last).contains(&day)
}

fn date_time(text: &str) -> bool {
    let Some((day, rest)) = text.split_once(['T', 't']) else {
        return false;
    };
    let Some((clock, rest)) = rest.split_at_checked(8) else {
        return false;
    };
    let rest = match rest.strip_prefix('.') {
        None => rest,
        Some(fraction) => {
            let rest = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
            if rest.len() == fraction.len() {
                return false;
            }
            rest
        }
    };
    let offset = matches!(rest, "Z" | "z")
        || rest
            .strip_prefix(['+', '-'])
            .is_some_and(|offset| time(offset, &[23, 59]));
    date(day) && time(clock, &[23, 59, 60]) && offset
}

fn time(text: &str, limits: &[u32]) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    parts.len() == limits.len()
        && parts
            .iter()
            .zip(limits)
            .all(|(part, limit)| digits(part, 2).is_some_and(|value| value <= *limit))
}

/// One `@` with something sensible on both sides: a letter to it is the only real check.
fn email(text: &str) -> bool {
    let plain = |c: char| !c.is_whitespace() && !c.is_control() && !"@<>()[],;:\\\"".contains(c);
    let Some((local, host)) = text.rsplit_once('@') else {
        return false;
    };
    let labels = || host.split('.');
    text.len() <= 254
        && !local.is_empty()
        && local.len() <= 64
        && local.chars().all(plain)
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
        && labels().count() >= 2
        && labels().all(|label| {
            !label.is_empty()
                && label.len() <= 63
                && label.chars().all(|c| c.is_alphanumeric() || c == '-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        })
}

fn uuid(text: &str) -> bool {
    let lengths = [8, 4, 4, 4, 12];
    let parts: Vec<&str> = text.split('-').collect();
    parts.len() == lengths.len()
        && parts.iter().zip(lengths).all(|(part, length)| {
            part.len() == length && part.bytes().all(|b| b.is_ascii_hexdigit())
        })
}
