//! A way is used where somebody listed it, at the hours they said, and nowhere else.

use jiff::tz::TimeZone;

use super::*;
use crate::person::{Change, Contact, Hidden, Relation};
use crate::principal::tests::staff;

/// By text message, mornings from Monday to Friday.
pub(crate) fn mornings() -> Way {
    Way {
        channel: Channel::TextMessage,
        leave: Leave::Neutral,
        days: Day::ALL[..5].iter().copied().collect(),
        hours: Some(Hours {
            from: Time::constant(9, 0, 0, 0),
            until: Time::constant(11, 30, 0, 0),
        }),
        language: None,
        interpreter: false,
        review_on: "2026-12-31".parse().unwrap(),
    }
}

pub(crate) fn person() -> Person {
    Person {
        id: "p1".to_owned(),
        case: "c1".to_owned(),
        details: Details {
            name: "Mai".to_owned(),
            born: None,
            relation: Relation::Parent,
            phone: Some("0400 000 001".to_owned()),
            email: None,
            address: None,
            contact: Contact {
                safety: Safety::Safe,
                ways: vec![mornings()],
                ..Contact::default()
            },
            staff: None,
        },
        revision: 1,
        added_at: Timestamp::UNIX_EPOCH,
        added_by: "u-a".to_owned(),
        changed_at: Timestamp::UNIX_EPOCH,
        changed_by: "u-a".to_owned(),
    }
}

/// 2026-11-27 is a Friday.
fn local(text: &str) -> Zoned {
    let zone = TimeZone::get("Australia/Melbourne").unwrap();
    let civil: jiff::civil::DateTime = text.parse().unwrap();
    civil.to_zoned(zone).unwrap()
}

const NEUTRAL: Wish = Wish {
    channel: None,
    leaves: Leave::Neutral,
};

fn at(person: &Person, wish: Wish, now: &str) -> Result<Channel, Held> {
    person.way_for(wish, &local(now)).map(|way| way.channel)
}

#[track_caller]
fn refused(person: &Person, wish: Wish, part: &str) {
    match at(person, wish, "2026-11-27T10:00") {
        Err(Held::Unsafe(refusal)) => {
            assert_eq!(refusal.code, Code::UnsafeContact);
            assert!(refusal.message.contains(part), "{refusal}");
            assert!(!refusal.message.contains("Mai"), "{refusal}");
            assert!(!refusal.message.contains("0400"), "{refusal}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_way_that_is_not_listed_is_not_used() {
    let mut person = person();
    assert_eq!(
        at(&person, NEUTRAL, "2026-11-27T10:00"),
        Ok(Channel::TextMessage)
    );
    let by = |channel| Wish {
        channel: Some(channel),
        ..NEUTRAL
    };
    person.details.email = Some("mai@example".to_owned());
    refused(&person, by(Channel::EMail), "no way by e-mail");
    refused(&person, by(Channel::PhoneCall), "no way by phone-call");
    person.details.contact.ways.clear();
    refused(&person, NEUTRAL, "no way in which a message");
}

#[test]
fn a_call_is_made_by_people_alone() {
    let mut person = person();
    person.details.contact.ways[0].channel = Channel::PhoneCall;
    refused(&person, NEUTRAL, "no way in which a message");
    let call = Wish {
        channel: Some(Channel::PhoneCall),
        ..NEUTRAL
    };
    refused(&person, call, "may a message be left");
}

#[test]
fn not_to_be_contacted_stands_above_all() {
    let mut person = person();
    person.details.contact.safety = Safety::DoNotContact;
    refused(&person, NEUTRAL, "not to be contacted");
    person.details.contact.safety = Safety::Unknown;
    refused(&person, NEUTRAL, "nobody has said");
}

#[test]
fn a_way_that_was_to_be_looked_at_again_is_not_safe() {
    let mut person = person();
    person.details.contact.ways[0].review_on = "2026-11-27".parse().unwrap();
    assert!(at(&person, NEUTRAL, "2026-11-27T10:00").is_ok());
    person.details.contact.ways[0].review_on = "2026-11-26".parse().unwrap();
    refused(&person, NEUTRAL, "looked at again before today");
}

#[test]
fn what_says_something_of_the_case_needs_a_way_that_bears_it() {
    let mut person = person();
    let content = Wish {
        leaves: Leave::Content,
        ..NEUTRAL
    };
    refused(&person, content, "others see what is in it");
    person.details.contact.ways[0].leave = Leave::Content;
    assert!(at(&person, content, "2026-11-27T10:00").is_ok());
    person.details.contact.ways[0].leave = Leave::Nothing;
    refused(&person, NEUTRAL, "may a message be left");
}

#[test]
fn outside_of_its_hours_it_waits_until_they_begin() {
    let person = person();
    let until = |now: &str| match at(&person, NEUTRAL, now) {
        Err(Held::Until(moment)) => moment,
        other => panic!("{now}: {other:?}"),
    };
    assert!(at(&person, NEUTRAL, "2026-11-27T09:00").is_ok());
    assert!(at(&person, NEUTRAL, "2026-11-27T11:29:59").is_ok());
    let friday = local("2026-11-27T09:00").timestamp();
    let monday = local("2026-11-30T09:00").timestamp();
    assert_eq!(until("2026-11-27T08:59"), friday);
    assert_eq!(until("2026-11-27T11:30"), monday);
    assert_eq!(until("2026-11-28T10:00"), monday);
}

#[test]
fn one_day_a_week_comes_again_a_week_later() {
    let mut person = person();
    person.details.contact.ways[0].days = BTreeSet::from([Day::Fri]);
    let next = at(&person, NEUTRAL, "2026-11-27T12:00");
    let friday = local("2026-12-04T09:00").timestamp();
    assert_eq!(next, Err(Held::Until(friday)));
    person.details.contact.ways[0].review_on = "2026-12-03".parse().unwrap();
    assert!(matches!(
        at(&person, NEUTRAL, "2026-11-27T12:00"),
        Err(Held::Unsafe(_))
    ));
}

#[test]
fn hours_are_those_where_the_agency_is_on_the_day_the_clock_changes() {
    let mut person = person();
    person.details.contact.ways[0].days.clear();
    // On 4 October 2026 it is an hour less to UTC from three in the morning.
    let before = at(&person, NEUTRAL, "2026-10-04T01:00");
    let opens = "2026-10-03T22:00:00Z".parse().unwrap();
    assert_eq!(before, Err(Held::Until(opens)));
}

#[test]
fn the_first_that_is_open_is_taken() {
    let mut person = person();
    person.details.email = Some("mai@example".to_owned());
    let always = Way {
        channel: Channel::EMail,
        hours: None,
        days: BTreeSet::new(),
        ..mornings()
    };
    person.details.contact.ways.push(always);
    let by = |now| at(&person, NEUTRAL, now).unwrap();
    assert_eq!(by("2026-11-27T10:00"), Channel::TextMessage);
    assert_eq!(by("2026-11-28T10:00"), Channel::EMail);
}

fn changed(before: &Person, details: Details, hidden: Hidden) -> Result<Person, Refusal> {
    before.changed(&staff("u-b", &[]), Timestamp::MAX, None, details, hidden)
}

#[test]
fn a_way_is_for_the_number_that_it_was_listed_for() {
    let before = person();
    let mut details = before.details.clone();
    details.phone = Some("0400 000 002".to_owned());
    let refusal = changed(&before, details.clone(), Hidden::KEPT).unwrap_err();
    assert_eq!(refusal.fields[0].0, "ways");
    let mut without = details.clone();
    without.contact.ways.clear();
    let cleared = changed(&before, without, Hidden::KEPT).unwrap();
    let again = changed(&cleared, details.clone(), Hidden::KEPT).unwrap();
    assert_eq!(again.details.contact.ways.len(), 1);
    // What was not listed before may be listed with its number.
    let mut other = cleared;
    other.details.phone = Some("0400 000 003".to_owned());
    assert!(changed(&other, details, Hidden::KEPT).is_ok());
}

#[test]
fn a_way_without_its_number_is_none() {
    let mut person = person();
    person.details.phone = None;
    refused(&person, NEUTRAL, "does not come again");
}

#[test]
fn of_two_that_are_closed_the_first_to_open_says_when() {
    let mut person = person();
    let evening = Way {
        hours: Some(Hours {
            from: Time::constant(18, 0, 0, 0),
            until: Time::constant(19, 0, 0, 0),
        }),
        ..mornings()
    };
    person.details.contact.ways.push(evening);
    let morning = local("2026-11-27T09:00").timestamp();
    let held = at(&person, NEUTRAL, "2026-11-27T08:00");
    assert_eq!(held, Err(Held::Until(morning)));
}

#[test]
fn every_mistake_of_a_way_is_named() {
    let mut details = person().details;
    details.phone = None;
    details.contact.safety = Safety::Unknown;
    let way = &mut details.contact.ways[0];
    way.language = Some("Vietnamese!".to_owned());
    way.hours = Some(Hours {
        from: Time::constant(20, 0, 0, 0),
        until: Time::constant(7, 0, 0, 0),
    });
    let fields = details.checked().unwrap_err().fields;
    let ways = fields.iter().filter(|(field, _)| field == "ways").count();
    assert_eq!((ways, fields.len()), (4, 4), "{fields:?}");
    let mistakes = |change: fn(&mut Details)| {
        let mut details = person().details;
        change(&mut details);
        details.checked().map_err(|refusal| refusal.fields.len())
    };
    let many = |count| vec![mornings(); count];
    let enough = Details {
        contact: Contact {
            ways: many(WAYS_MAX),
            ..person().details.contact
        },
        ..person().details
    };
    assert!(enough.checked().is_ok());
    let more = mistakes(|details| details.contact.ways.extend(vec![mornings(); WAYS_MAX]));
    assert_eq!(more, Err(1));
    let never = mistakes(|details| {
        let noon = Time::constant(12, 0, 0, 0);
        details.contact.ways[0].hours = Some(Hours {
            from: noon,
            until: noon,
        });
    });
    assert_eq!(never, Err(1));
}

#[test]
fn the_code_word_is_hidden_and_survives_who_does_not_see_it() {
    let mut known = person();
    known.details.contact.code_word = Some("magpie".to_owned());
    let masked = known.clone().masked().details;
    assert_eq!(masked.contact.code_word.as_deref(), Some(""));
    let kept = changed(&known, masked.clone(), Hidden::KEPT).unwrap();
    assert_eq!(kept.shown().code_word.as_deref(), Some("magpie"));
    let gone = Hidden {
        code_word: Change::Remove,
        ..Hidden::KEPT
    };
    let gone = changed(&known, masked, gone).unwrap();
    assert_eq!(gone.details.contact.code_word, None);
}

#[test]
fn a_contact_of_an_earlier_engine_has_no_ways() {
    let earlier = r#"{"safety":"safe","how":"Ring twice","messages":"yes"}"#;
    let contact: Contact = serde_json::from_str(earlier).unwrap();
    assert!(contact.ways.is_empty() && contact.code_word.is_none());
    let none = serde_json::to_string(&contact).unwrap();
    assert_eq!(none, earlier);
    let written = serde_json::to_value(mornings()).unwrap();
    assert_eq!(written["channel"], "text-message");
    assert_eq!(written["days"][0], "mon");
    let read: Way = serde_json::from_value(written).unwrap();
    assert_eq!(read, mornings());
}
