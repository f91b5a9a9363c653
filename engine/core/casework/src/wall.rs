//! Walls within an agency: whoever of its staff stands in a case themselves, as family or payee or
//! close to one, does not open it.
//!
//! A wall has two sources: a person of the case who is written down as a member of staff, and a
//! declaration. One may be lifted for a time, as small communities need; then the case may be read
//! again, and what is to be approved in it stays with others. It asks nothing of roles: who keeps
//! the walls is said by whoever asks.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

use crate::refusal::reasoned;
use crate::{Code, Principal, Refusal};

/// A wall is lifted for at most so many days, the day of the lifting not counted.
pub const LIFTED_DAYS_MAX: i32 = 90;

/// The walls of one case.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Walls {
    /// Id of a person of the case to the member of staff who this is, for family and payees. It
    /// follows the persons of the case and is kept with them.
    #[serde(skip)]
    pub related: BTreeMap<String, String>,
    /// By member of staff.
    pub declared: BTreeMap<String, Declared>,
    /// By member of staff.
    pub lifted: BTreeMap<String, Lifted>,
}

/// Somebody said that a member of staff stands in the case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declared {
    pub at: Timestamp,
    pub by: String,
    pub reason: String,
}

/// Reading is open again for a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lifted {
    pub at: Timestamp,
    pub by: String,
    pub reason: String,
    /// The last day.
    pub until: Date,
}

/// Whoever changes a wall, and what they are to the walls of the agency.
#[derive(Debug, Clone, Copy)]
pub enum By<'a> {
    /// May declare for themselves.
    Colleague(&'a Principal),
    /// Holds a role that keeps the walls: may declare for others, lift and take away.
    Keeper(&'a Principal),
}

impl<'a> By<'a> {
    const fn who(self) -> &'a Principal {
        match self {
            Self::Colleague(who) | Self::Keeper(who) => who,
        }
    }

    fn keeper(self) -> Result<&'a Principal, Refusal> {
        match self {
            Self::Keeper(who) => Ok(who),
            Self::Colleague(_) => Err(Refusal::new(
                Code::NotAssigned,
                "none of your roles keeps the walls of the agency",
            )),
        }
    }
}

impl Walls {
    /// Everybody who stands in the case, also those whose wall is lifted.
    pub fn staff(&self) -> BTreeSet<&str> {
        let related = self.related.values().map(String::as_str);
        related
            .chain(self.declared.keys().map(String::as_str))
            .collect()
    }

    /// Whether they stand in the case: then they approve nothing in it, lifted or not.
    pub fn stands(&self, staff: &str) -> bool {
        self.declared.contains_key(staff) || self.related.values().any(|one| one == staff)
    }

    /// Whether the case is closed to them on that day.
    pub fn closed_to(&self, staff: &str, on: Date) -> bool {
        self.stands(staff) && self.lifted_on(staff, on).is_none()
    }

    /// By whom and why the wall of somebody is lifted on that day, if it is.
    pub fn lifted_on(&self, staff: &str, on: Date) -> Option<&Lifted> {
        self.lifted.get(staff).filter(|lifted| on <= lifted.until)
    }

    /// With a wall for somebody. A second declaration changes nothing.
    pub fn declare(
        &self,
        by: By<'_>,
        staff: &str,
        reason: &str,
        at: Timestamp,
    ) -> Result<Self, Refusal> {
        if by.who().id != staff {
            by.keeper()?;
        }
        let mut next = self.clone();
        let declared = Declared {
            at,
            by: by.who().id.clone(),
            reason: reasoned(reason)?,
        };
        next.declared.entry(staff.to_owned()).or_insert(declared);
        Ok(next)
    }

    /// Without a declaration; with it goes what lifted the wall. What a person of the case says
    /// stays until that person is changed.
    pub fn take_away(&self, by: By<'_>, staff: &str, reason: &str) -> Result<Self, Refusal> {
        self.anothers(by, staff)?;
        reasoned(reason)?;
        let mut next = self.clone();
        if next.declared.remove(staff).is_none() {
            let sentence = "nobody declared this wall; it follows a person of the case, and goes \
                            when who that person is has been put right";
            return Err(Refusal::new(Code::NotFound, sentence));
        }
        if !next.stands(staff) {
            next.lifted.remove(staff);
        }
        Ok(next)
    }

    /// With the wall of somebody lifted up to a day. A second time says another day.
    pub fn lift(
        &self,
        by: By<'_>,
        staff: &str,
        reason: &str,
        until: Date,
        (at, on): (Timestamp, Date),
    ) -> Result<Self, Refusal> {
        let who = self.anothers(by, staff)?;
        if !self.stands(staff) {
            let sentence = "there is no wall between this colleague and the case";
            return Err(Refusal::new(Code::NotFound, sentence));
        }
        let reason = reasoned(reason)?;
        let last = on.saturating_add(LIFTED_DAYS_MAX.days());
        if until < on || until > last {
            let sentence = format!("Choose a day from {on} to {last}");
            return Err(Refusal::mistake("until", sentence));
        }
        let mut next = self.clone();
        let lifted = Lifted {
            at,
            by: who.id.clone(),
            reason,
            until,
        };
        next.lifted.insert(staff.to_owned(), lifted);
        Ok(next)
    }

    /// Nobody opens their own way, whatever they hold, nor the one of others into a case that they
    /// stand in themselves.
    fn anothers<'a>(&self, by: By<'a>, staff: &str) -> Result<&'a Principal, Refusal> {
        let who = by.keeper()?;
        if who.id == staff || self.stands(&who.id) {
            let sentence = "you stand in this case yourself; another person must do this";
            return Err(Refusal::new(Code::OwnWall, sentence));
        }
        Ok(who)
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::principal::tests::staff;

    const TODAY: Date = date(2026, 8, 3);

    fn declared(name: &str) -> Walls {
        let who = staff(name, &[]);
        let declared =
            Walls::default().declare(By::Colleague(&who), name, " my sister ", Timestamp::MIN);
        declared.unwrap()
    }

    fn lift(walls: &Walls, by: By<'_>, until: Date) -> Result<Walls, Code> {
        let when = (Timestamp::MIN, TODAY);
        let lifted = walls.lift(by, "u-a", "nobody else works here", until, when);
        lifted.map_err(|refusal| refusal.code)
    }

    #[test]
    fn family_and_payees_among_the_staff_and_who_says_so_are_kept_out() {
        let mut walls = declared("u-a");
        walls.related.insert("p1".to_owned(), "u-b".to_owned());
        for (id, closed) in [("u-a", true), ("u-b", true), ("u-c", false)] {
            assert_eq!(walls.closed_to(id, TODAY), closed, "{id}");
            assert_eq!(walls.stands(id), closed, "{id}");
        }
        assert_eq!(walls.declared["u-a"].reason, "my sister");
    }

    #[test]
    fn one_declares_for_oneself_and_a_keeper_for_others() {
        let (own, other) = (staff("u-a", &[]), staff("u-k", &[]));
        let declare = |by, reason: &str| {
            let walls = Walls::default().declare(by, "u-a", reason, Timestamp::MIN);
            walls.map(|_| ()).map_err(|refusal| refusal.code)
        };
        assert_eq!(declare(By::Colleague(&own), "a cousin"), Ok(()));
        assert_eq!(declare(By::Keeper(&other), "a cousin"), Ok(()));
        assert_eq!(
            declare(By::Colleague(&other), "a cousin"),
            Err(Code::NotAssigned)
        );
        assert_eq!(declare(By::Colleague(&own), "  "), Err(Code::FormInvalid));
        let long = "x".repeat(crate::refusal::REASON_CHARS_MAX + 1);
        assert_eq!(declare(By::Colleague(&own), &long), Err(Code::FormInvalid));
    }

    #[test]
    fn a_lifted_wall_lets_read_up_to_its_day_and_never_decide() {
        let keeper = staff("u-k", &[]);
        let last = date(2026, 8, 10);
        let walls = lift(&declared("u-a"), By::Keeper(&keeper), last).unwrap();
        assert!(!walls.closed_to("u-a", TODAY) && !walls.closed_to("u-a", last));
        assert!(walls.closed_to("u-a", date(2026, 8, 11)));
        assert!(walls.stands("u-a"), "they approve nothing all the same");
    }

    #[test]
    fn it_is_lifted_for_ninety_days_at_most_and_by_another() {
        let (keeper, colleague) = (staff("u-k", &[]), staff("u-c", &[]));
        let (own, walls) = (staff("u-a", &[]), declared("u-a"));
        let by = By::Keeper(&keeper);
        assert!(lift(&walls, by, date(2026, 11, 1)).is_ok());
        for wrong in [date(2026, 11, 2), date(2026, 8, 2)] {
            assert_eq!(lift(&walls, by, wrong), Err(Code::FormInvalid), "{wrong}");
        }
        let lifted = lift(&walls, By::Colleague(&colleague), TODAY);
        assert_eq!(lifted, Err(Code::NotAssigned));
        assert_eq!(
            lift(&walls, By::Keeper(&own), TODAY),
            Err(Code::OwnWall),
            "they hold the role themselves"
        );
        let mut both = walls.clone();
        both.related.insert("p1".to_owned(), "u-k".to_owned());
        assert_eq!(lift(&both, by, TODAY), Err(Code::OwnWall));
        assert_eq!(lift(&Walls::default(), by, TODAY), Err(Code::NotFound));
    }

    #[test]
    fn a_declaration_is_taken_away_by_another_and_with_it_what_lifted_it() {
        let (keeper, own) = (staff("u-k", &[]), staff("u-a", &[]));
        let by = By::Keeper(&keeper);
        let walls = lift(&declared("u-a"), by, TODAY).unwrap();
        let code = |by| walls.take_away(by, "u-a", "a mistake").unwrap_err().code;
        assert_eq!(code(By::Keeper(&own)), Code::OwnWall);
        assert_eq!(code(By::Colleague(&own)), Code::NotAssigned);
        assert_eq!(
            walls.take_away(by, "u-a", "").unwrap_err().code,
            Code::FormInvalid
        );
        let open = walls.take_away(by, "u-a", "a mistake").unwrap();
        assert_eq!(open, Walls::default());
        let again = open.take_away(by, "u-a", "a mistake").unwrap_err();
        assert_eq!(again.code, Code::NotFound);
    }
}
