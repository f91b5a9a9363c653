//! Which version of a calendar it is: equal for all that count alike, whatever their files say
//! besides. A deadline keeps it, so that a change of the calendar is seen.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use super::{Calendar, Days, Hours};
use crate::audit::hex;

/// Hex digits that are kept: 128 bits, since nothing but accidents is to be told apart.
const DIGITS: usize = 32;

impl Calendar {
    /// Of everything that a moment may depend on; not of names.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The same, after a change.
    pub(super) fn digested(mut self) -> Self {
        let mut text = format!("casewright calendar 1\n{}\n", self.zone_name());
        write(&mut text, &self.first);
        for (from, days) in &self.later {
            let _ = writeln!(text, "from {from}");
            write(&mut text, days);
        }
        if let Some(joined) = &self.joined {
            joined.write(&mut text);
        }
        let mut digest = hex(Sha256::new().chain_update(text));
        digest.truncate(DIGITS);
        self.digest = digest;
        self
    }

    fn zone_name(&self) -> &str {
        self.zone.iana_name().unwrap_or_default()
    }
}

fn write(text: &mut String, days: &Days) {
    let Hours {
        opens,
        closes,
        cut_off,
    } = &days.hours;
    let _ = writeln!(text, "{opens} {closes} {cut_off:?} {:?}", days.weekend);
    for day in days.holidays.keys() {
        let _ = writeln!(text, "{day}");
    }
    for (day, (from, to)) in &days.parts {
        let _ = writeln!(text, "{day} {from} {to}");
    }
}
