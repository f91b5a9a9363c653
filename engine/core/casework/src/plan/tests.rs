//! What a family has to say before a plan is theirs, case by case.

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::json;

use super::*;
use crate::person::{Contact, Details};

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

const TODAY: &str = "2026-11-25";

fn person(id: &str, relation: Relation, born: Option<&str>) -> Person {
    Person {
        id: id.to_owned(),
        case: "c1".to_owned(),
        details: Details {
            name: format!("Name of {id}"),
            born: born.map(day),
            relation,
            phone: None,
            email: None,
            address: None,
            contact: Contact::default(),
            staff: None,
        },
        revision: 1,
        added_at: Timestamp::UNIX_EPOCH,
        added_by: "u-a".to_owned(),
        changed_at: Timestamp::UNIX_EPOCH,
        changed_by: "u-a".to_owned(),
    }
}

/// Two parents and a child.
fn family() -> Vec<Person> {
    vec![
        person("mother", Relation::Parent, None),
        person("father", Relation::Parent, None),
        person("child", Relation::Child, Some("2019-01-01")),
        person("teacher", Relation::Professional, None),
    ]
}

fn content(second: &str) -> Content {
    Content::of(&json!({"goals": [{"goal": "School"}, {"goal": second}]})).unwrap()
}

fn proposed() -> Proposed {
    Proposed {
        at: Timestamp::UNIX_EPOCH,
        instance: "i1".to_owned(),
        item: 2,
    }
}

fn plan(before: Option<&Plan>, second: &str) -> Plan {
    Plan::proposed(before, "c1", content(second), proposed())
}

fn said(person: &str, word: Word) -> Said {
    Said {
        person: person.to_owned(),
        word,
        at: Timestamp::UNIX_EPOCH,
        by: "u-a".to_owned(),
    }
}

fn answer(agrees: Agrees, goals: &[(usize, Agrees, Option<&str>)], copy_given: bool) -> Word {
    let goals = goals.iter().map(|(goal, agrees, words)| GoalSaid {
        goal: *goal,
        agrees: *agrees,
        words: words.map(str::to_owned),
    });
    Word::Answer {
        agrees,
        goals: goals.collect(),
        words: None,
        copy_given,
    }
}

fn not_asked() -> Word {
    let reason = "Asking him would not be safe".to_owned();
    Word::NotAsked { reason }
}

fn view() -> Word {
    let view = "Wants the lift".to_owned();
    Word::View { view }
}

fn all_said() -> Vec<Said> {
    vec![
        said("mother", answer(Agrees::Yes, &[], true)),
        said("father", not_asked()),
        said("child", view()),
    ]
}

fn agreed() -> Plan {
    let plan = plan(None, "Money");
    plan.heard(&plan.digest, all_said(), &family()).unwrap()
}

fn activate(plan: &Plan, digest: &str, people: &[Person]) -> Result<Plan, Code> {
    let found = plan.activated(digest, people, day(TODAY), Timestamp::MAX);
    found.map_err(|refusal| refusal.code)
}

/// What is missing when the mother and the others say this.
fn missing(said: Vec<Said>) -> Vec<Missing> {
    let plan = plan(None, "Money");
    let heard = plan.heard(&plan.digest, said, &family()).unwrap();
    heard.missing(&family(), day(TODAY))
}

#[test]
fn equal_content_is_the_same_version_whatever_the_order_of_its_members() {
    let one: Value = serde_json::from_str(r#"{"goals": [{"a": 1, "b": 2}], "call": []}"#).unwrap();
    let other: Value =
        serde_json::from_str(r#"{"call": [], "goals": [{"b": 2, "a": 1}]}"#).unwrap();
    assert_eq!(Content::of(&one), Content::of(&other));
    let first = agreed();
    let same = plan(Some(&first), "Money");
    assert_eq!(same, first, "what was said stands");
    for wrong in [
        json!({}),
        json!({"goals": []}),
        json!({"goals": "two"}),
        json!([]),
    ] {
        assert_eq!(Content::of(&wrong).unwrap_err().code, Code::PlanInvalid);
    }
}

#[test]
fn nothing_comes_into_force_before_the_family_has_agreed() {
    let fresh = plan(None, "Money");
    assert_eq!(
        activate(&fresh, &fresh.digest, &family()),
        Err(Code::NeedsAgreement)
    );
    let active = activate(&agreed(), &fresh.digest, &family()).unwrap();
    assert_eq!(active.status(&family(), day(TODAY)), Status::Active);
    assert_eq!(active.active.unwrap().version, 1);
}

#[test]
fn one_changed_goal_opens_the_agreement_again() {
    let active = activate(&agreed(), &content("Money").digest, &family()).unwrap();
    let edited = plan(Some(&active), "A course");
    assert_eq!(edited.version, 2);
    assert_eq!(edited.status(&family(), day(TODAY)), Status::NeedsAgreement);
    assert_eq!(
        edited.active.as_ref().unwrap().version,
        1,
        "the one before stays named"
    );
    for digest in [&edited.digest, &active.digest] {
        assert_eq!(
            activate(&edited, digest, &family()),
            Err(Code::NeedsAgreement)
        );
        let late = edited.heard(&active.digest, all_said(), &family());
        assert_eq!(late.unwrap_err().code, Code::NeedsAgreement);
    }
    // The words of before are the words of before, also when the content comes back.
    let back = plan(Some(&edited), "Money");
    assert_eq!((back.version, &back.digest), (3, &active.digest));
    assert_eq!(
        activate(&back, &back.digest, &family()),
        Err(Code::NeedsAgreement)
    );
}

#[test]
fn agreement_to_the_latest_activates_no_other_version() {
    let active = activate(&agreed(), &content("Money").digest, &family()).unwrap();
    let edited = plan(Some(&active), "A course");
    let heard = edited.heard(&edited.digest, all_said(), &family()).unwrap();
    assert_eq!(
        activate(&heard, &active.digest, &family()),
        Err(Code::NeedsAgreement)
    );
    let second = activate(&heard, &edited.digest, &family()).unwrap();
    assert_eq!(second.active.unwrap().version, 2);
}

#[test]
fn a_caregiver_agrees_to_each_goal_or_says_what_instead() {
    use Agrees::{InPart, No, Yes};
    let with = |word: Word| {
        missing(vec![
            said("mother", word),
            said("father", not_asked()),
            said("child", view()),
        ])
    };
    let no_caregiver = vec![Missing::Caregiver];
    assert!(with(answer(Yes, &[(1, Yes, None), (2, Yes, None)], true)).is_empty());
    assert!(
        with(answer(
            InPart,
            &[(1, Yes, None), (2, No, Some("Later"))],
            true
        ))
        .is_empty()
    );
    for short in [
        answer(InPart, &[], true),
        answer(No, &[], true),
        answer(No, &[(1, Yes, None), (2, Yes, None)], true),
        answer(Yes, &[(1, Yes, None)], true),
        answer(InPart, &[(1, Yes, None), (2, No, None)], true),
        answer(InPart, &[(1, Yes, None), (2, No, Some(" "))], true),
        answer(Yes, &[(1, Yes, None), (1, Yes, None)], true),
    ] {
        assert_eq!(with(short), no_caregiver);
    }
    assert_eq!(with(answer(Yes, &[], false)), [Missing::Copy]);
}

#[test]
fn everybody_is_asked_or_it_says_why_not() {
    let mother = || said("mother", answer(Agrees::Yes, &[], true));
    let father = Missing::Asked("father".to_owned());
    let child = Missing::Child("child".to_owned());
    assert_eq!(missing(vec![mother()]), [father.clone(), child.clone()]);
    assert_eq!(
        missing(vec![mother(), said("father", not_asked())]),
        [child]
    );
    assert_eq!(missing(vec![mother(), said("child", view())]), [father]);
    // A child's yes bears no plan.
    let word = answer(Agrees::Yes, &[], true);
    assert!(missing(vec![said("child", word)]).contains(&Missing::Caregiver));
}

#[test]
fn whoever_joins_the_family_is_asked_too() {
    let active = activate(&agreed(), &content("Money").digest, &family()).unwrap();
    for (relation, born) in [
        (Relation::Partner, None),
        (Relation::Carer, None),
        (Relation::Child, None),
        (Relation::Sibling, Some("2008-11-25")),
    ] {
        let mut people = family();
        people.push(person("new", relation, born));
        assert_eq!(
            active.status(&people, day(TODAY)),
            Status::NeedsAgreement,
            "{relation:?}"
        );
        assert!(activate(&active, &active.digest, &people).is_err());
    }
    let mut people = family();
    people.push(person("aunt", Relation::OtherFamily, None));
    assert_eq!(active.status(&people, day(TODAY)), Status::Active);
    // The caregiver who agreed is none any more.
    people[0].details.relation = Relation::Other;
    assert_eq!(active.missing(&people, day(TODAY)), [Missing::Caregiver]);
}

#[test]
fn a_birthday_makes_a_child_somebody_who_is_asked() {
    let born = |text| [person("x", Relation::Child, Some(text))];
    let asked = |text| Plan::to_ask(&born(text), day(TODAY));
    let one = || vec!["x".to_owned()];
    assert_eq!(asked("2008-11-25"), (one(), vec![]));
    assert_eq!(asked("2008-11-26"), (vec![], one()));
    // Who was heard as a child need not be asked again for being a day older.
    let plan = plan(None, "Money");
    let mut people = family();
    people[2].details.born = Some(day("2008-11-26"));
    let heard = plan.heard(&plan.digest, all_said(), &people).unwrap();
    assert!(heard.missing(&people, day("2026-11-27")).is_empty());
}

#[test]
fn what_somebody_says_last_counts_and_nothing_is_written_over() {
    let no = said("mother", answer(Agrees::No, &[], true));
    let agreed = agreed();
    let after = agreed.heard(&agreed.digest, vec![no], &family()).unwrap();
    assert_eq!(after.said.len(), 4);
    assert_eq!(after.missing(&family(), day(TODAY)), [Missing::Caregiver]);
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let plan = plan(None, "Money");
    let code = |word| {
        let heard = plan.heard(&plan.digest, vec![said("mother", word)], &family());
        heard.unwrap_err().code
    };
    let beyond = answer(Agrees::InPart, &[(3, Agrees::Yes, None)], true);
    assert_eq!(code(beyond), Code::PlanInvalid);
    let view = " ".to_owned();
    assert_eq!(code(Word::View { view }), Code::PlanInvalid);
    let reason = "x".repeat(2_001);
    assert_eq!(code(Word::NotAsked { reason }), Code::PlanInvalid);
    let stranger = plan.heard(&plan.digest, vec![said("nobody", not_asked())], &family());
    assert_eq!(stranger.unwrap_err().code, Code::UnknownPerson);
}

#[test]
fn people_are_meant_by_their_id_or_by_a_name_that_one_of_them_has() {
    let mut people = family();
    let found = |people: &[Person], word: &str| {
        let found = person_named(people, word).map(|person| person.id.clone());
        found.map_err(|refusal| refusal.code)
    };
    assert_eq!(found(&people, "father"), Ok("father".to_owned()));
    assert_eq!(found(&people, " name of FATHER "), Ok("father".to_owned()));
    assert_eq!(found(&people, "Uncle"), Err(Code::UnknownPerson));
    people[0].details.name = "Name of father".to_owned();
    assert_eq!(found(&people, "Name of father"), Err(Code::UnknownPerson));
}
