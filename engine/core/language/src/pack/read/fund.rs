//! `funds` of `pack.yaml`: what there is to spend, and on which days.

use super::Reader;
use crate::pack::Fund;
use crate::schema::Format;
use crate::yaml::{Entry, Fields, Place};

const KEYS: [&str; 5] = ["title", "allocated", "from", "until", "settleUntil"];
const ALLOCATED: &str = "allocated: { minor: 5000000, currency: AUD }";

impl Reader<'_> {
    pub(super) fn fund(&mut self, name: &str, entry: &Entry) -> Option<Fund> {
        let owner = format!("the fund `{name}`");
        let keys = self.open(entry, &owner, &KEYS)?;
        let title = self.required(&keys, "title", "title: Brokerage");
        let allocated = keys.required(self.findings, "allocated", ALLOCATED);
        let from = self.day(&keys, "from");
        let until = self.day(&keys, "until");
        let settle_until = self.day(&keys, "settleUntil");
        self.in_order(["from", "until"], from.as_ref(), until.as_ref());
        match (&until, &settle_until) {
            (None, Some((_, place))) => {
                let message = "`settleUntil` without `until` says nothing";
                let finding = self.findings.error("CW0471", *place, message);
                finding.help("add the last day on which money is put aside: `until: 2027-06-30`");
            }
            _ => self.in_order(
                ["until", "settleUntil"],
                until.as_ref(),
                settle_until.as_ref(),
            ),
        }
        let (allocated_minor, currency) = self.money(allocated?, &owner, 0)?;
        let day = |found: Option<(String, Place)>| found.map(|(day, _)| day);
        Some(Fund {
            title: title?.0,
            currency,
            allocated_minor,
            from: day(from),
            until: day(until),
            settle_until: day(settle_until),
        })
    }

    fn day(&mut self, keys: &Fields<'_>, key: &str) -> Option<(String, Place)> {
        let (day, place) = self.optional(keys, key)?;
        if Format::Date.accepts(&day) {
            return Some((day, place));
        }
        let message = format!("`{day}` is not a day");
        let finding = self.findings.error("CW0470", place, message);
        finding.help(format!("write year, month and day: `{key}: 2026-07-01`"));
        None
    }

    /// Days that are written this way sort as they follow each other.
    fn in_order(
        &mut self,
        [earlier, later]: [&str; 2],
        from: Option<&(String, Place)>,
        until: Option<&(String, Place)>,
    ) {
        let (Some((from, _)), Some((until, place))) = (from, until) else {
            return;
        };
        if until < from {
            let message = format!("`{later}` is {until}, before `{earlier}`, which is {from}");
            let finding = self.findings.error("CW0471", *place, message);
            finding.help(format!(
                "write a day for `{later}` that is {from} or after it"
            ));
        }
    }
}
