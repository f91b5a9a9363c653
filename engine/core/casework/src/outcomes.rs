//! How the work with families ended, counted: episodes, not cases, by the reason with which each
//! was closed. It names nobody.
//!
//! Small numbers are shown as they are: it is the agency's own report, and what is left out of it
//! would no longer add up. Who publishes it decides what to hide.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::case::Counts;

/// One episode that ended, as it is counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// A word of the pack.
    pub reason: String,
    pub counts: Counts,
    pub consent_given: bool,
}

/// The figures of some days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcomes {
    pub from: Date,
    /// The last day that counts.
    pub to: Date,
    /// All episodes that ended.
    pub closed: u64,
    /// Those in which the family had agreed to be worked with.
    pub consent_given: u64,
    /// Of those with consent, the ones whose reason counts neither for nor against.
    pub excluded: u64,
    /// Of those with consent, the ones in which the goals were reached.
    pub achieved: u64,
    /// Of those with consent, the ones in which a part was reached; not in the figure.
    pub partly: u64,
    /// By reason.
    pub reasons: BTreeMap<String, Reason>,
}

/// The episodes that ended with one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// As the latest of them was counted.
    pub counts: Counts,
    pub closed: u64,
    pub consent_given: u64,
}

impl Outcomes {
    /// Nothing has been counted yet.
    pub fn new(from: Date, to: Date) -> Self {
        Self {
            from,
            to,
            closed: 0,
            consent_given: 0,
            excluded: 0,
            achieved: 0,
            partly: 0,
            reasons: BTreeMap::new(),
        }
    }

    /// Counts one more, in the order of the days on which they ended.
    pub fn count(&mut self, ended: Ended) {
        self.closed += 1;
        let reason = self.reasons.entry(ended.reason).or_insert(Reason {
            counts: ended.counts,
            closed: 0,
            consent_given: 0,
        });
        reason.counts = ended.counts;
        reason.closed += 1;
        if !ended.consent_given {
            return;
        }
        reason.consent_given += 1;
        self.consent_given += 1;
        match ended.counts {
            Counts::Achieved => self.achieved += 1,
            Counts::Partly => self.partly += 1,
            Counts::Excluded => self.excluded += 1,
            Counts::Not => {}
        }
    }

    /// What the goals reached are measured against: consent given, less what is left out.
    pub fn denominator(&self) -> u64 {
        self.consent_given - self.excluded
    }

    /// Goals reached, in tenths of a percent of the denominator, rounded half up; `None` where
    /// there is nothing to measure against.
    pub fn permille(&self) -> Option<u64> {
        let denominator = self.denominator();
        (denominator > 0).then(|| (self.achieved * 2_000 + denominator) / (2 * denominator))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Forty endings of a year: reason, what it counts as, with consent, without.
    pub(crate) const FORTY: &[(&str, Counts, u64, u64)] = &[
        ("goals-all-majority", Counts::Achieved, 13, 0),
        ("goals-some", Counts::Partly, 6, 0),
        ("referred", Counts::Not, 3, 1),
        ("disengaged", Counts::Not, 4, 0),
        ("refused", Counts::Not, 0, 3),
        ("moved", Counts::Excluded, 3, 1),
        ("unable-to-locate", Counts::Excluded, 0, 4),
        ("entered-in-error", Counts::Excluded, 0, 2),
    ];

    #[test]
    fn forty_closures_give_the_figure_that_was_reckoned_by_hand() {
        let day = |text: &str| text.parse().unwrap();
        let mut outcomes = Outcomes::new(day("2026-07-01"), day("2027-06-30"));
        for (reason, counts, with, without) in FORTY {
            for number in 0..with + without {
                outcomes.count(Ended {
                    reason: (*reason).to_owned(),
                    counts: *counts,
                    consent_given: number < *with,
                });
            }
        }
        assert_eq!((outcomes.closed, outcomes.consent_given), (40, 29));
        assert_eq!((outcomes.excluded, outcomes.denominator()), (3, 26));
        assert_eq!((outcomes.achieved, outcomes.partly), (13, 6));
        assert_eq!(outcomes.permille(), Some(500));
        let moved = &outcomes.reasons["moved"];
        assert_eq!((moved.closed, moved.consent_given), (4, 3));
        assert_eq!(outcomes.reasons.len(), 8);
    }

    #[test]
    fn nothing_is_measured_against_nothing() {
        let day: Date = "2026-07-01".parse().unwrap();
        let mut outcomes = Outcomes::new(day, day);
        assert_eq!(outcomes.permille(), None);
        let ended = |counts, consent_given| Ended {
            reason: "x".to_owned(),
            counts,
            consent_given,
        };
        outcomes.count(ended(Counts::Achieved, false));
        assert_eq!((outcomes.achieved, outcomes.permille()), (0, None));
        outcomes.count(ended(Counts::Achieved, true));
        outcomes.count(ended(Counts::Not, true));
        outcomes.count(ended(Counts::Partly, true));
        assert_eq!(outcomes.permille(), Some(333));
    }
}
