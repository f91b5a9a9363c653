//! A length of working time, as documents write it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A length of working time; the same shapes as in documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Term {
    BusinessDays(u32),
    BusinessHours(u32),
    CalendarDays(u32),
    ExactMs(u64),
}

/// As an author would write it: `3 business days`, `P3D`, `PT24H`.
impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::BusinessDays(1) => f.write_str("1 business day"),
            Self::BusinessDays(count) => write!(f, "{count} business days"),
            Self::BusinessHours(1) => f.write_str("1 business hour"),
            Self::BusinessHours(count) => write!(f, "{count} business hours"),
            Self::CalendarDays(count) => write!(f, "P{count}D"),
            Self::ExactMs(length) => exact(f, length),
        }
    }
}

fn exact(f: &mut fmt::Formatter<'_>, length: u64) -> fmt::Result {
    let (minutes, rest) = (length / 60_000, length % 60_000);
    let (hours, minutes) = (minutes / 60, minutes % 60);
    let (seconds, thousandths) = (rest / 1_000, rest % 1_000);
    f.write_str("PT")?;
    if hours > 0 {
        write!(f, "{hours}H")?;
    }
    if minutes > 0 {
        write!(f, "{minutes}M")?;
    }
    if thousandths > 0 {
        write!(f, "{seconds}.{thousandths:03}S")
    } else if seconds > 0 || length == 0 {
        write!(f, "{seconds}S")
    } else {
        Ok(())
    }
}
