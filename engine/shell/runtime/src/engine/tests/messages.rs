//! A message goes out only in a way that is safe as it does, and what colleagues are told is one
//! constant; what the partner's journal does not hold was not sent.

use std::collections::{BTreeMap, BTreeSet};

use casewright_casework::contact::{Channel, Hours, Leave, Way};
use casewright_casework::message::To;
use casewright_casework::person::{
    Address, AddressKind, Change, Contact, Details, Hidden, Person, Relation, Safety,
};
use casewright_machine::{Delivery, ErrorKind};
use casewright_store::settings::Settings;
use casewright_store::{Store, SubmitError, Table};
use jiff::SignedDuration;
use jiff::civil::Time;
use serde_json::{Value, json};

use super::super::disclosures::Sending;
use super::world::{World, fault, pack, within_reason, worker};
use crate::engine::{Limits, Retry};
use crate::identity::NewUser;
use crate::port::EffectKind;
use crate::view::InstanceView;

const HEAD: &str = "dsl: '1.0.3', namespace: family-support, version: '1.0.0'";
const PHONE: &str = "0400 000 001";
const WORD: &str = "magpie";

/// Sends when a case worker says so.
fn tell(with: &str) -> String {
    format!(
        "  - decide:
      call: human-task
      with: {{ title: Tell them, assign: {{ role: case-worker }} }}
  - send:
      call: notify
      with: {with}
"
    )
}

fn files() -> BTreeMap<String, String> {
    let mut files = pack("100000");
    for (name, with) in [
        (
            "tell",
            "{ to: { relation: parent }, template: please-ring }",
        ),
        (
            "text",
            "{ to: { person: '${ $workflow.input.person }' }, channel: text-message, \
             template: please-ring }",
        ),
        (
            "visit",
            "{ to: { relation: parent }, template: visit, \
             data: { day: '${ $workflow.input.day }' } }",
        ),
        ("leaders", "{ to: { role: team-leader } }"),
    ] {
        let document = format!("document: {{ {HEAD}, name: {name} }}\ndo:\n{}", tell(with));
        files.insert(format!("{name}.yaml"), document);
    }
    let ring = "text: Please ring us when it suits you.\nlanguages: { vi: { text: Xin goi } }\n";
    files.insert("messages/please-ring.yaml".to_owned(), ring.to_owned());
    let visit = "text: 'We come on {day}.'\ndata: [day]\n";
    files.insert("messages/visit.yaml".to_owned(), visit.to_owned());
    files
}

async fn world() -> World {
    let world = World::empty(Limits::default(), EffectKind::Keyed, Settings::default()).await;
    world.deploy(files()).await.unwrap();
    world
}

fn mother(ways: Vec<Way>) -> Details {
    Details {
        name: "Mai Nguyen".to_owned(),
        born: None,
        relation: Relation::Parent,
        phone: Some(PHONE.to_owned()),
        email: Some("mai@home.example".to_owned()),
        address: Some(Address {
            text: "1 Hidden Lane".to_owned(),
            confidential: true,
            kind: AddressKind::Home,
        }),
        contact: Contact {
            safety: if ways.is_empty() {
                Safety::Unknown
            } else {
                Safety::Safe
            },
            ways,
            code_word: Some(WORD.to_owned()),
            ..Contact::default()
        },
        staff: None,
    }
}

fn by_text(leave: Leave) -> Way {
    Way {
        channel: Channel::TextMessage,
        leave,
        days: BTreeSet::new(),
        hours: None,
        language: None,
        interpreter: false,
        review_on: "2026-12-31".parse().unwrap(),
    }
}

impl World {
    /// A parent in the case of a run that waits at its first task.
    async fn mother_in(
        &self,
        workflow: &str,
        ways: Vec<Way>,
        input: Value,
    ) -> (InstanceView, Person) {
        let started = self.start(workflow, input).await;
        let (who, case) = (worker(), &started.case);
        let added = self.engine.add_person(&who, case, mother(ways), None);
        let person = added.await.unwrap();
        let view = self.engine.instance(&who, &started.id).await.unwrap();
        (view, person)
    }

    async fn now_reached(&self, person: &Person, ways: Vec<Way>) {
        let details = mother(ways);
        let (id, who) = (&person.id, worker());
        let changed = self.engine.change_person(
            &who,
            &person.case,
            id,
            details,
            Hidden {
                address: Change::Keep,
                code_word: Change::Keep,
            },
            None,
            None,
        );
        changed.await.unwrap();
    }

    async fn have_it_sent(&self, run: &InstanceView) {
        let item = self.item(&run.id, "decide").await;
        self.decide(&worker(), &item.id, "done", json!(null))
            .await
            .unwrap();
    }

    async fn message_over(&self, id: &str) -> InstanceView {
        let over = |view: &InstanceView| ["completed", "faulted"].contains(&view.status.as_str());
        self.instance(id, over).await
    }

    async fn is_unsafe(&self, id: &str) {
        let view = self.message_over(id).await;
        let error = view.error.expect("it was not sent");
        assert_eq!(
            error["type"], "urn:casewright:error:unsafe-contact",
            "{error}"
        );
        assert_eq!(error["status"], 409);
    }

    async fn gateway_got(&self, count: usize) {
        within_reason(async {
            while self.partner.requests() < count {
                tokio::task::yield_now().await;
            }
        })
        .await;
        assert_eq!(self.partner.requests(), count);
    }

    /// What the gateway was given.
    fn gateway_bodies(&self) -> Vec<Value> {
        let journal = self.partner.journal.lock().unwrap();
        journal.iter().map(|sent| sent.input.clone()).collect()
    }

    async fn messages_written(&self, case: &str) -> usize {
        let log = self.engine.messages(&worker(), case).await;
        log.unwrap().len()
    }
}

#[tokio::test]
async fn a_text_message_to_a_number_that_nobody_called_safe_is_denied() {
    let world = world().await;
    let (run, person) = world.mother_in("tell", Vec::new(), json!({})).await;
    world.have_it_sent(&run).await;
    world.is_unsafe(&run.id).await;
    assert_eq!(
        (
            world.partner.requests(),
            world.messages_written(&run.case).await
        ),
        (0, 0)
    );

    // Once she has said so, whoever looks after the run has it sent.
    world
        .now_reached(&person, vec![by_text(Leave::Neutral)])
        .await;
    let retry = Retry {
        reason: "she has said how she is safe to reach".to_owned(),
        certain: false,
    };
    let who = worker();
    world
        .engine
        .retry(&who, &run.id, retry, None)
        .await
        .unwrap();
    let view = world.message_over(&run.id).await;
    assert_eq!(view.status, "completed");
    assert_eq!(
        world.gateway_bodies(),
        [json!({
            "channel": "text-message", "to": [PHONE], "subject": null,
            "text": "Please ring us when it suits you.", "language": "en",
        })]
    );
    let log = world.engine.messages(&worker(), &run.case).await.unwrap();
    let [only] = log.as_slice() else {
        panic!("{log:?}")
    };
    assert_eq!(only.to, To::Relation(Relation::Parent));
    assert_eq!(only.recipients, [person.id]);
    assert_eq!(only.template.as_deref(), Some("please-ring"));
    let way = only.way.as_ref().unwrap();
    assert_eq!(way.channel, Channel::TextMessage);
}

#[tokio::test]
async fn a_number_in_a_document_is_nobody_of_the_case() {
    let world = world().await;
    let (run, _) = world
        .mother_in(
            "text",
            vec![by_text(Leave::Content)],
            json!({"person": PHONE}),
        )
        .await;
    world.have_it_sent(&run).await;
    world.is_unsafe(&run.id).await;
    assert_eq!(world.partner.requests(), 0);
}

#[tokio::test]
async fn nobody_is_guessed_where_two_are_meant() {
    let world = world().await;
    let (run, _) = world
        .mother_in("tell", vec![by_text(Leave::Neutral)], json!({}))
        .await;
    let father = Details {
        name: "Bao".to_owned(),
        ..mother(Vec::new())
    };
    let who = worker();
    let added = world.engine.add_person(&who, &run.case, father, None);
    added.await.unwrap();
    world.have_it_sent(&run).await;
    world.is_unsafe(&run.id).await;
    assert_eq!(world.partner.requests(), 0);
}

#[tokio::test]
async fn what_is_taken_back_between_two_attempts_stops_the_second() {
    let world = world().await;
    let (run, person) = world
        .mother_in("tell", vec![by_text(Leave::Neutral)], json!({}))
        .await;
    let passing = fault(ErrorKind::Retryable, "communication");
    world
        .partner
        .faults
        .lock()
        .unwrap()
        .extend([passing.clone(), passing]);
    world.have_it_sent(&run).await;
    world.gateway_got(1).await;
    let waits = |view: &InstanceView| view.waiting.iter().any(|one| one.until.is_some());
    world.instance(&run.id, waits).await;
    world.now_reached(&person, Vec::new()).await;
    world.clock.forward(SignedDuration::from_mins(5));
    world.is_unsafe(&run.id).await;
    assert_eq!(
        (
            world.partner.requests(),
            world.messages_written(&run.case).await
        ),
        (1, 1)
    );
}

#[tokio::test]
async fn a_message_that_a_crash_has_sent_again_is_asked_again() {
    let world = world().await;
    let (run, person) = world
        .mother_in("tell", vec![by_text(Leave::Neutral)], json!({}))
        .await;
    world.partner.hold();
    world.have_it_sent(&run).await;
    world.gateway_got(1).await;
    world.now_reached(&person, Vec::new()).await;
    let world = world.crash().await;
    world.partner.open();
    world.is_unsafe(&run.id).await;
    assert_eq!(world.partner.requests(), 1);
}

#[tokio::test]
async fn after_a_crash_it_is_sent_again_under_its_key() {
    let world = world().await;
    let (run, _) = world
        .mother_in("tell", vec![by_text(Leave::Neutral)], json!({}))
        .await;
    world.partner.hold();
    world.have_it_sent(&run).await;
    world.gateway_got(1).await;
    let world = world.crash().await;
    world.partner.open();
    assert_eq!(world.message_over(&run.id).await.status, "completed");
    let journal = world.partner.journal.lock().unwrap();
    let keys: BTreeSet<_> = journal.iter().map(|sent| sent.key.clone()).collect();
    assert_eq!((journal.len(), keys.len()), (2, 1));
}

#[tokio::test]
async fn a_message_waits_for_the_hour_at_which_it_is_safe() {
    let world = world().await;
    // The clock of the tests begins on Monday, 3 August 2026, and Brisbane is ten hours ahead.
    let zone = jiff::tz::TimeZone::get("Australia/Brisbane").unwrap();
    let now = crate::port::Clock::now(&*world.clock).to_zoned(zone);
    let later = now.time().hour() + 2;
    let hours = Hours {
        from: Time::new(later, 0, 0, 0).unwrap(),
        until: Time::new(later, 30, 0, 0).unwrap(),
    };
    let way = Way {
        hours: Some(hours),
        ..by_text(Leave::Neutral)
    };
    let (run, _) = world.mother_in("tell", vec![way], json!({})).await;
    world.have_it_sent(&run).await;
    let waits = |view: &InstanceView| view.waiting.iter().any(|one| one.until.is_some());
    let view = world.instance(&run.id, waits).await;
    assert_eq!(
        (world.partner.requests(), view.status.as_str()),
        (0, "waiting")
    );
    world.clock.forward(SignedDuration::from_mins(45));
    tokio::task::yield_now().await;
    assert_eq!(world.partner.requests(), 0);
    world.clock.forward(SignedDuration::from_mins(90));
    let view = world.message_over(&run.id).await;
    let sent = world.partner.requests();
    assert_eq!((view.status.as_str(), sent), ("completed", 1));
}

#[tokio::test]
async fn what_says_something_of_the_case_needs_a_way_that_bears_it() {
    let world = world().await;
    let (run, person) = world
        .mother_in(
            "visit",
            vec![by_text(Leave::Neutral)],
            json!({"day": "Friday"}),
        )
        .await;
    world.have_it_sent(&run).await;
    world.is_unsafe(&run.id).await;
    assert_eq!(world.partner.requests(), 0);
    world
        .now_reached(&person, vec![by_text(Leave::Content)])
        .await;
    let again = world.start("visit", json!({"day": "Friday"})).await;
    let (who, bears) = (worker(), mother(vec![by_text(Leave::Content)]));
    let other = world.engine.add_person(&who, &again.case, bears, None);
    other.await.unwrap();
    let again = world.engine.instance(&worker(), &again.id).await.unwrap();
    world.have_it_sent(&again).await;
    assert_eq!(world.message_over(&again.id).await.status, "completed");
    assert_eq!(world.gateway_bodies()[0]["text"], "We come on Friday.");
}

#[tokio::test]
async fn colleagues_are_told_one_constant_and_the_number_of_the_case() {
    let world = world().await;
    for (id, role) in [
        ("u-lee", "team-leader"),
        ("u-sam", "service-manager"),
        ("u-casey", "case-worker"),
    ] {
        let user = NewUser {
            agency: "family-support".to_owned(),
            id: id.to_owned(),
            sign_in: format!("{id}@agency.example"),
            display_name: id.to_owned(),
            roles: BTreeSet::from([role.to_owned()]),
            passphrase: "correct horse battery staple".to_owned(),
        };
        world.engine.put_user(user).await.unwrap();
    }
    let (run, _) = world
        .mother_in(
            "leaders",
            vec![by_text(Leave::Content)],
            json!({"secret": "violence"}),
        )
        .await;
    world.have_it_sent(&run).await;
    assert_eq!(world.message_over(&run.id).await.status, "completed");
    let case = world.engine.case(&worker(), &run.case).await.unwrap();
    let number = case.number;
    let [body] = &world.gateway_bodies()[..] else {
        panic!("{:?}", world.gateway_bodies())
    };
    let mut to: Vec<_> = body["to"].as_array().unwrap().clone();
    to.sort_by_key(ToString::to_string);
    assert!(to.contains(&json!("u-lee@agency.example")), "{to:?}");
    assert!(!to.contains(&json!("u-casey@agency.example")), "{to:?}");
    let mut rest = body.clone();
    rest["to"] = json!([]);
    assert_eq!(
        rest,
        json!({
            "channel": "staff", "to": [], "subject": null, "language": "en",
            "text": format!("You have a task in Casewright. Reference: {number}"),
        })
    );
}

#[tokio::test]
async fn a_message_to_nobody_is_no_message() {
    let world = world().await;
    let (run, _) = world.mother_in("leaders", Vec::new(), json!({})).await;
    world.have_it_sent(&run).await;
    let error = world.message_over(&run.id).await.error.unwrap();
    assert_eq!(error["type"], "urn:casewright:error:no-recipient");
}

/// No number, no code word, no word of the message: not in the run, nor in the record of the case.
#[tokio::test]
async fn an_address_goes_to_the_gateway_alone() {
    let world = world().await;
    let (run, _) = world
        .mother_in("tell", vec![by_text(Leave::Neutral)], json!({}))
        .await;
    world
        .partner
        .faults
        .lock()
        .unwrap()
        .push(fault(ErrorKind::Permanent, "communication"));
    world.have_it_sent(&run).await;
    let view = world.message_over(&run.id).await;
    let who = worker();
    let log = world.engine.messages(&who, &run.case).await.unwrap();
    let history = world.engine.history(&who, &run.id, 0).await.unwrap();
    let timeline = world.engine.audit(&who, &run.case).await.unwrap();
    let all = format!("{view:?} {log:?} {history:?} {timeline:?}");
    for secret in [PHONE, "0400", "mai@", "Hidden", WORD, "suits you"] {
        assert!(!all.contains(secret), "{secret} in {all}");
    }
    let sent = format!("{:?}", world.gateway_bodies());
    assert!(sent.contains(PHONE) && !sent.contains(WORD), "{sent}");
}

/// Decided on a way that is taken back before the decision is on disk.
#[tokio::test]
async fn what_is_taken_back_first_undoes_the_decision_to_send_a_message() {
    let world = world().await;
    let (run, person) = world
        .mother_in("tell", vec![by_text(Leave::Neutral)], json!({}))
        .await;
    let shared = &world.engine.shared;
    let row = shared.seen_instance(&worker(), &run.id).unwrap();
    let deployment = shared.in_force("family-support").unwrap();
    let delivery = Delivery {
        reference: "/do/1/send".to_owned(),
        run: 1,
        attempt: 1,
    };
    let sending = Sending {
        instance: &run.id,
        row: &row,
        deployment: &deployment,
        function: "notify",
        delivery: &delivery,
        key: "k",
        because: None,
    };
    let order = json!({"to": {"relation": "parent"}, "template": "please-ring"});
    let decided = shared.message_decided(&sending, &order).unwrap();
    world.now_reached(&person, Vec::new()).await;
    let late = world.store.submit(decided);
    assert!(matches!(late, Err(SubmitError::Guard { .. })));
    assert!(shared.message_decided(&sending, &order).is_none());
    let row = world.store.scan(Table::Message, &[], &[u8::MAX], 10);
    assert!(row.unwrap().is_empty());
}
