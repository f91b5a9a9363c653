//! The header `Retry-After` of RFC 9110: seconds, or a date of the form servers write today.

use std::time::Duration;

use crate::{Date, world};

/// A server cannot put a step off for longer than this.
const PAUSE_MAX: Duration = Duration::from_hours(24);

pub(super) fn read(text: &str) -> Option<Duration> {
    let text = text.trim();
    let pause = if let Ok(seconds) = text.parse() {
        Duration::from_secs(seconds)
    } else {
        let now = world::now_unix_ms().div_ceil(1000);
        Duration::from_secs(unix_seconds(text)?.saturating_sub(now))
    };
    Some(pause.min(PAUSE_MAX))
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`
fn unix_seconds(text: &str) -> Option<u64> {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let (_, rest) = text.strip_suffix(" GMT")?.split_once(", ")?;
    let mut parts = rest.split(' ');
    let day = parts.next()?.parse().ok()?;
    let month = MONTHS
        .iter()
        .position(|name| Some(*name) == parts.clone().next())?
        + 1;
    let year = parts.nth(1)?.parse().ok()?;
    let mut clock = parts.next()?.split(':').map(str::parse::<u64>);
    let (hours, minutes, seconds) = (
        clock.next()?.ok()?,
        clock.next()?.ok()?,
        clock.next()?.ok()?,
    );
    let date = Date::new(year, u8::try_from(month).ok()?, day)?;
    let days = u64::try_from(date.days_since_epoch()).ok()?;
    (hours < 24 && minutes < 60 && seconds <= 60)
        .then_some(days * 86_400 + hours * 3_600 + minutes * 60 + seconds)
}
