//! Which absences are written down, from when to when they are in force.

use super::*;
use crate::principal::tests::staff;

fn moment(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn brisbane() -> TimeZone {
    TimeZone::get("Australia/Brisbane").unwrap()
}

/// 3 August 2026, 11:00 in Brisbane.
fn now() -> Timestamp {
    moment("2026-08-03T01:00:00Z")
}

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

struct Said<'a> {
    who: &'a str,
    arranges: bool,
    person: &'a str,
    substitute: &'a str,
    days: (&'a str, &'a str),
}

const OWN: Said<'_> = Said {
    who: "ana",
    arranges: false,
    person: "ana",
    substitute: "ben",
    days: ("2026-08-05", "2026-08-06"),
};

fn said(all: &Absences, said: &Said<'_>) -> Result<Absence, Code> {
    let (who, person) = (staff(said.who, &[]), staff(said.person, &[]));
    let substitute = staff(said.substitute, &[]);
    let asked = Asked {
        id: "a-1",
        who: &who,
        arranges: said.arranges,
        person: &person,
        substitute: &substitute,
        from: day(said.days.0),
        to: day(said.days.1),
        at: now(),
        zone: &brisbane(),
    };
    all.asked(&asked).map_err(|refusal| refusal.code)
}

#[test]
fn it_holds_from_midnight_to_midnight_where_the_agency_is() {
    let absence = said(&Absences::default(), &OWN).unwrap();
    for (at, in_force) in [
        ("2026-08-04T13:59:59Z", false),
        ("2026-08-04T14:00:00Z", true),
        ("2026-08-06T13:59:59Z", true),
        ("2026-08-06T14:00:00Z", false),
    ] {
        assert_eq!(absence.in_force(moment(at)), in_force, "{at}");
        assert_eq!(absence.stands_in("ben", "ana", moment(at)), in_force);
        assert!(!absence.stands_in("cho", "ana", moment(at)));
        assert!(!absence.stands_in("ben", "cho", moment(at)));
    }
}

#[test]
fn one_says_it_of_oneself_and_of_others_whoever_arranges() {
    let none = Absences::default();
    let other = Said { who: "cho", ..OWN };
    assert_eq!(said(&none, &other), Err(Code::NotArranging));
    let arranged = Said {
        arranges: true,
        ..other
    };
    assert_eq!(said(&none, &arranged).unwrap().recorded_by, "cho");
    for (wrong, what) in [
        (
            Said {
                substitute: "cho",
                ..arranged
            },
            "their own substitute",
        ),
        (
            Said {
                substitute: "ana",
                ..OWN
            },
            "for themselves",
        ),
        (
            Said {
                days: ("2026-08-06", "2026-08-05"),
                ..OWN
            },
            "backwards",
        ),
        (
            Said {
                days: ("2026-08-01", "2026-08-02"),
                ..OWN
            },
            "over",
        ),
        (
            Said {
                days: ("2026-08-05", "2026-11-03"),
                ..OWN
            },
            "91 days",
        ),
    ] {
        assert_eq!(said(&none, &wrong), Err(Code::AbsenceInvalid), "{what}");
    }
    let longest = Said {
        days: ("2026-08-05", "2026-11-02"),
        ..OWN
    };
    assert!(said(&none, &longest).is_ok(), "90 days");
}

#[test]
fn nobody_is_away_twice_at_once() {
    let first = said(&Absences::default(), &OWN).unwrap();
    let all = Absences::default().put(first.clone(), now());
    let other = Said {
        substitute: "cho",
        ..OWN
    };
    assert_eq!(said(&all, &other), Err(Code::AbsenceInvalid));
    let ended = first.ended(&staff("ana", &[]), false, now()).unwrap();
    let all = all.put(ended, now());
    assert_eq!(all.iter().count(), 0, "what is over is left out");
    assert!(said(&all, &other).is_ok());
}

#[test]
fn it_is_taken_back_at_once_by_those_it_concerns() {
    let absence = said(&Absences::default(), &OWN).unwrap();
    let at = moment("2026-08-05T00:00:00Z");
    let back = |who: &str, arranges| {
        let ended = absence.ended(&staff(who, &[]), arranges, at);
        ended.map_err(|refusal| refusal.code)
    };
    assert_eq!(back("cho", false), Err(Code::NotArranging));
    for (who, arranges) in [("ana", false), ("ben", false), ("cho", true)] {
        let ended = back(who, arranges).unwrap();
        assert!(!ended.in_force(at), "{who}");
        assert_eq!(
            ended.ended(&staff("ana", &[]), false, now()).unwrap(),
            ended
        );
    }
    let stranger = Principal {
        agency: "other".to_owned(),
        ..staff("ana", &[])
    };
    let refused = absence.ended(&stranger, true, at).unwrap_err();
    assert_eq!(refused.code, Code::NotFound);
}
