//! What is gathered, passed on or too much.

use super::*;

fn trigger(on: &str) -> Trigger {
    let text = format!(
        "document: {{ dsl: '1.0.3', namespace: agency, name: begins, version: '1.0.0' }}
schedule:
  on: {on}
do:
  - one: {{ set: {{ a: 1 }} }}
"
    );
    let reading = casewright_language::read(
        "begins.yaml",
        &text,
        &casewright_language::Surroundings::default(),
    );
    let workflow = reading.workflow.expect("it reads");
    match workflow.schedule.expect("it has one").recurs {
        casewright_language::schedule::Recurs::On(trigger) => trigger,
        other => panic!("{other:?}"),
    }
}

fn event(kind: &str, family: u32) -> Arc<Value> {
    Arc::new(json!({ "type": kind, "data": { "family": family } }))
}

fn offered(trigger: &Trigger, so_far: Option<&Instance>, event: &Arc<Value>) -> Gathered {
    let at = Timestamp::UNIX_EPOCH;
    let runtime = RuntimeFacts {
        name: "casewright".to_owned(),
        version: "0".to_owned(),
    };
    match gather(trigger, so_far, (at, &runtime), event, &Answers::default()) {
        Gathering::Done(gathered) => gathered,
        Gathering::Ask(questions) => panic!("{questions:?}"),
    }
}

fn more(gathered: Gathered) -> Instance {
    match gathered {
        Gathered::More(instance) => *instance,
        other => panic!("{other:?}"),
    }
}

fn whole(gathered: Gathered) -> Vec<Value> {
    match gathered {
        Gathered::Whole(Value::Array(events)) => events,
        other => panic!("{other:?}"),
    }
}

#[test]
fn one_event_is_a_list_of_one_with_all_its_attributes() {
    let trigger = trigger("{ one: { with: { type: referral } } }");
    let sent = event("referral", 1);
    assert_eq!(whole(offered(&trigger, None, &sent)), [(*sent).clone()]);
    let other = offered(&trigger, None, &event("reply", 1));
    assert!(matches!(other, Gathered::Passed), "{other:?}");
}

#[test]
fn all_wait_for_each_other_and_pass_what_belongs_to_another_family() {
    let trigger = trigger(
        "
    all:
      - with: { type: referral }
        correlate: { family: { from: .data.family } }
      - with: { type: consent }
        correlate: { family: { from: .data.family } }",
    );
    let first = more(offered(&trigger, None, &event("referral", 1)));
    for passed in [event("referral", 1), event("consent", 2), event("reply", 1)] {
        let gathered = offered(&trigger, Some(&first), &passed);
        assert!(matches!(gathered, Gathered::Passed), "{gathered:?}");
    }
    let other = more(offered(&trigger, None, &event("consent", 2)));
    let events = whole(offered(&trigger, Some(&other), &event("referral", 2)));
    assert_eq!(events[0]["type"], "consent");
    assert_eq!(events[1]["type"], "referral");
    let events = whole(offered(&trigger, Some(&first), &event("consent", 1)));
    assert_eq!(events.len(), 2);
}

#[test]
fn any_with_until_gathers_and_does_not_begin_with_nothing() {
    let trigger = trigger(
        "
    any:
      - with: { type: note }
    until: { one: { with: { type: close } } }",
    );
    let nothing = offered(&trigger, None, &event("close", 1));
    assert!(matches!(nothing, Gathered::Passed), "{nothing:?}");
    let first = more(offered(&trigger, None, &event("note", 1)));
    let second = more(offered(&trigger, Some(&first), &event("note", 2)));
    let events = whole(offered(&trigger, Some(&second), &event("close", 1)));
    assert_eq!(events.len(), 2);
}

#[test]
fn what_is_gathered_survives_being_written() {
    let trigger = trigger("{ all: [ { with: { type: a } }, { with: { type: b } } ] }");
    let so_far = more(offered(&trigger, None, &event("a", 1)));
    let written = serde_json::to_string(&so_far).unwrap();
    let read: Instance = serde_json::from_str(&written).unwrap();
    assert_eq!(read, so_far);
    assert_eq!(
        whole(offered(&trigger, Some(&read), &event("b", 1))).len(),
        2
    );
}
