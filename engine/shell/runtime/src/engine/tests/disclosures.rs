//! Facts about people go out only with a consent that is in force as they do, or on a basis that
//! the document names; what the partner's journal does not hold was not sent.

use std::collections::BTreeMap;

use casewright_casework::audit::Action;
use casewright_casework::consent::{Consent, How, Terms};
use casewright_casework::disclosure::Ground;
use casewright_casework::person::{Contact, Details, Relation};
use casewright_machine::ErrorKind;
use casewright_store::settings::Settings;
use casewright_store::{Moment, Store, SubmitError, Table};
use jiff::SignedDuration;
use jiff::civil::Date;
use serde_json::json;

use super::super::disclosures::Sending;
use super::meanwhile::of_case;
use super::world::{World, complete, fault, leader, pack, within_reason, worker};
use crate::Deployment;
use crate::engine::{Limits, Retry, consents};
use crate::port::{EffectKind, Pending};
use crate::view::InstanceView;

const HEAD: &str = "dsl: '1.0.3', namespace: family-support, version: '1.0.0'";
const WORDS: &str = "disclosure:
  purposes: { housing: A home, safety: Safety of a child }
  recipients: { register: The register, agency: The agency }
  bases: { s159m: Without consent }
";

fn files(documents: &[(&str, &str)]) -> BTreeMap<String, String> {
    let mut files = pack("100000");
    let whole = format!("{}{WORDS}", files["pack.yaml"]);
    files.insert("pack.yaml".to_owned(), whole);
    for (name, tasks) in documents {
        let text = format!("document: {{ {HEAD}, name: {name} }}\ndo:\n{tasks}");
        files.insert(format!("{name}.yaml"), text);
    }
    files
}

const REFER: &str = "  - decide:
      call: human-task
      with: { title: Send it, assign: { role: case-worker } }
  - send:
      call: referral.send
      with: { household: 3 }
      metadata: { disclosure: { purpose: housing, to: register } }
";

const ON_A_BASIS: &str = "  - send:
      call: referral.send
      with: {}
      metadata:
        disclosure:
          purpose: safety
          to: agency
          basis: { name: s159m, because: Asking would put the child at risk }
";

/// Why nobody was asked is what somebody wrote in this case; the partner answers later.
const OF_THE_CASE: &str = "  - decide:
      call: human-task
      with: { title: Decide, assign: { role: case-worker } }
  - send:
      call: housing.apply
      with: { bedrooms: 3 }
      metadata:
        disclosure:
          purpose: safety
          to: agency
          basis: { name: s159m, because: '${ $workflow.input.why }' }
";

const ASK: &str = "  - send:
      call: http
      with: { method: post, endpoint: 'https://homes.example/' }
      metadata: { disclosure: { purpose: housing, to: register } }
";

const APPLY: &str = "  - wait:
      call: human-task
      with: { title: Apply, assign: { role: case-worker } }
  - send:
      call: housing.apply
      with: { bedrooms: 3 }
      metadata: { disclosure: { purpose: housing, to: register, about: [parent] } }
";

async fn world() -> World {
    let world = World::empty(Limits::default(), EffectKind::Keyed, Settings::default()).await;
    let documents = [
        ("refer", REFER),
        ("report", ON_A_BASIS),
        ("own-reason", OF_THE_CASE),
        ("request", ASK),
        ("home", APPLY),
    ];
    world.deploy(files(&documents)).await.unwrap();
    world
}

fn details(name: &str, relation: Relation) -> Details {
    Details {
        name: name.to_owned(),
        born: None,
        relation,
        phone: None,
        email: None,
        address: None,
        contact: Contact::default(),
        staff: None,
    }
}

/// The clock of the tests begins on 3 August 2026.
fn until(last: &str) -> Terms {
    let day = |text: &str| text.parse::<Date>().unwrap();
    Terms {
        purposes: vec!["housing".to_owned()],
        recipients: vec!["register".to_owned()],
        what: "Who lives with us".to_owned(),
        how: How::Spoken,
        given_by: None,
        witness: None,
        interpreter: None,
        given_on: day("2026-08-01"),
        expires_on: day(last),
    }
}

impl World {
    /// A parent in the case of a run that waits at its first task.
    async fn family(&self, workflow: &str) -> (InstanceView, String) {
        let started = self.start(workflow, json!({})).await;
        let mother = details("Mai", Relation::Parent);
        let who = worker();
        let added = self.engine.add_person(&who, &started.case, mother, None);
        let person = added.await.unwrap().id;
        let view = self.engine.instance(&who, &started.id).await.unwrap();
        (view, person)
    }

    async fn agree(&self, case: &str, person: &str, last: &str) -> Consent {
        let who = worker();
        let given = self
            .engine
            .give_consent(&who, case, person, until(last), None);
        given.await.unwrap()
    }

    async fn take_back(&self, consent: &Consent) -> Consent {
        let (who, case) = (worker(), &consent.case);
        let back = self
            .engine
            .withdraw_consent(&who, case, &consent.id, How::Spoken, None, None);
        back.await.unwrap()
    }

    /// The register decides later, and is asked each minute.
    fn answers_later(&self) {
        *self.partner.pending.lock().unwrap() = Some(Pending {
            correlation: Vec::new(),
            expires_unix_ms: None,
            poll_after_ms: Some(60_000),
            state: json!({}),
        });
    }

    async fn done(&self, run: &InstanceView, task: &str) {
        let item = self.item(&run.id, task).await;
        self.decide(&worker(), &item.id, "done", json!(null))
            .await
            .unwrap();
    }

    async fn ended(&self, id: &str) -> InstanceView {
        let over = |view: &InstanceView| ["completed", "faulted"].contains(&view.status.as_str());
        self.instance(id, over).await
    }

    async fn held_back(&self, id: &str) {
        let view = self.ended(id).await;
        let error = view.error.expect("it was not sent");
        assert_eq!(error["type"], "urn:casewright:error:no-basis", "{error}");
        assert_eq!(error["status"], 409);
    }

    async fn sent(&self, count: usize) {
        within_reason(async {
            while self.partner.requests() < count {
                tokio::task::yield_now().await;
            }
        })
        .await;
        assert_eq!(self.partner.requests(), count);
    }

    async fn log(&self, case: &str) -> usize {
        self.engine
            .disclosures(&worker(), case)
            .await
            .unwrap()
            .len()
    }
}

#[tokio::test]
async fn consent_that_expires_between_approval_and_sending_parks_it() {
    let world = world().await;
    let (run, mother) = world.family("refer").await;
    world.agree(&run.case, &mother, "2026-08-04").await;
    world.clock.forward(SignedDuration::from_hours(72));
    world.done(&run, "decide").await;
    world.held_back(&run.id).await;
    assert_eq!(
        (world.partner.requests(), world.log(&run.case).await),
        (0, 0)
    );
    let chain = world.store.audit(&run.case).unwrap();
    let refused = |told: &Action| *told == Action::DisclosureRefused;
    let told = chain.iter().map(|link| &link.entry.action);
    assert_eq!(told.filter(|told| refused(told)).count(), 1);

    // Whoever looks after it has the consent renewed and sends it.
    let renewed = world.agree(&run.case, &mother, "2026-09-04").await;
    let retry = Retry {
        reason: "the family has agreed again".to_owned(),
        certain: false,
    };
    let who = worker();
    let retried = world.engine.retry(&who, &run.id, retry, None);
    retried.await.unwrap();
    let view = world.ended(&run.id).await;
    assert_eq!(
        (view.status.as_str(), world.partner.requests()),
        ("completed", 1)
    );
    let log = world
        .engine
        .disclosures(&worker(), &run.case)
        .await
        .unwrap();
    let [only] = log.as_slice() else {
        panic!("{log:?}")
    };
    assert_eq!(only.ground, Ground::Consents(vec![renewed.id]));
    assert_eq!(
        (only.persons.as_slice(), &*only.discloses),
        (&[mother][..], &["household".to_owned()][..])
    );
    assert_eq!((&*only.recipient, &*only.purpose), ("register", "housing"));
}

#[tokio::test]
async fn everybody_of_the_family_has_to_agree() {
    let world = world().await;
    let (run, mother) = world.family("refer").await;
    world.agree(&run.case, &mother, "2026-09-04").await;
    let child = details("Kim", Relation::Child);
    let who = worker();
    let added = world.engine.add_person(&who, &run.case, child, None);
    added.await.unwrap();
    world.done(&run, "decide").await;
    world.held_back(&run.id).await;
    assert_eq!(world.partner.requests(), 0);
}

#[tokio::test]
async fn consent_holds_by_the_day_it_is_where_the_agency_is() {
    let world = world().await;
    let (run, mother) = world.family("refer").await;
    world.agree(&run.case, &mother, "2026-08-04").await;
    // The fifth in Brisbane, and the fourth in Greenwich.
    world.day("2026-08-05".parse().unwrap());
    world.done(&run, "decide").await;
    world.held_back(&run.id).await;
    assert_eq!(world.partner.requests(), 0);
}

#[tokio::test]
async fn only_those_whom_the_document_names_have_to_agree() {
    let world = world().await;
    let (run, mother) = world.family("home").await;
    world.agree(&run.case, &mother, "2026-09-04").await;
    let child = details("Kim", Relation::Child);
    let who = worker();
    let added = world.engine.add_person(&who, &run.case, child, None);
    added.await.unwrap();
    world.done(&run, "wait").await;
    world.sent(1).await;
    let log = world.engine.disclosures(&who, &run.case).await.unwrap();
    assert_eq!(log[0].persons, [mother]);
}

#[tokio::test]
async fn what_goes_out_rests_on_what_stands_until_it_is_on_record() {
    let world = world().await;
    let (run, mother) = world.family("refer").await;
    world.agree(&run.case, &mother, "2026-09-04").await;
    let row = of_case(&run.case, Table::Index, consents::head(&run.case));
    world.touch(Action::Disclosed, row);
    world.done(&run, "decide").await;
    assert_eq!(world.ended(&run.id).await.status, "completed");
    assert!(!world.overlooked());
    let sent = (world.partner.requests(), world.log(&run.case).await);
    assert_eq!(sent, (1, 1), "what goes out is on record");
}

#[tokio::test]
async fn consents_are_written_one_after_the_other() {
    for told in [Action::ConsentGiven, Action::ConsentWithdrawn] {
        let world = world().await;
        let (run, mother) = world.family("refer").await;
        let consent = world.agree(&run.case, &mother, "2026-09-04").await;
        let row = of_case(&run.case, Table::Index, consents::head(&run.case));
        world.touch(told, row);
        if told == Action::ConsentGiven {
            world.agree(&run.case, &mother, "2026-10-04").await;
        } else {
            world.take_back(&consent).await;
        }
        assert!(!world.overlooked(), "{told:?}");
    }
}

#[tokio::test]
async fn what_hidden_work_sent_is_told_to_those_who_see_it() {
    let world = world().await;
    let mut files = files(&[("refer", REFER)]);
    let kept = "metadata: { visibleTo: [team-leader] }";
    let quiet = format!("document: {{ {HEAD}, name: quiet, {kept} }}\ndo:\n{ON_A_BASIS}");
    files.insert("quiet.yaml".to_owned(), quiet);
    world.deploy(files).await.unwrap();
    let case = world.start("refer", json!({})).await.case;
    world.begin_in(&case, "quiet", json!({})).await;
    world.sent(1).await;
    let told = async |who| world.engine.disclosures(&who, &case).await.unwrap().len();
    assert_eq!((told(leader()).await, told(worker()).await), (1, 0));
}

#[tokio::test]
async fn a_withdrawal_between_two_attempts_stops_the_second() {
    let world = world().await;
    let (run, mother) = world.family("refer").await;
    let consent = world.agree(&run.case, &mother, "2026-09-04").await;
    let passing = fault(ErrorKind::Retryable, "referral.busy");
    world
        .partner
        .faults
        .lock()
        .unwrap()
        .extend([passing.clone(), passing]);
    world.done(&run, "decide").await;
    world.sent(1).await;
    let waits = |view: &InstanceView| view.waiting.iter().any(|one| one.until.is_some());
    world.instance(&run.id, waits).await;
    let back = world.take_back(&consent).await;
    assert!(back.withdrawn.is_some());
    world.clock.forward(SignedDuration::from_mins(5));
    world.held_back(&run.id).await;
    assert_eq!(
        (world.partner.requests(), world.log(&run.case).await),
        (1, 1)
    );
    let states = world
        .engine
        .consent_history(&worker(), &run.case)
        .await
        .unwrap();
    let revisions: Vec<_> = states.iter().map(|one| one.revision).collect();
    assert_eq!(
        revisions,
        [1, 2],
        "the consent as it was given is still there"
    );
}

#[tokio::test]
async fn what_a_crash_has_sent_again_is_asked_again() {
    let world = world().await;
    let (run, mother) = world.family("refer").await;
    let consent = world.agree(&run.case, &mother, "2026-09-04").await;
    world.partner.hold();
    world.done(&run, "decide").await;
    world.sent(1).await;
    world.take_back(&consent).await;
    let world = world.crash().await;
    world.partner.open();
    world.held_back(&run.id).await;
    assert_eq!(world.partner.requests(), 1);
}

/// How often something was sent, and how many records of it the disk has, when the store stops at
/// this flush after the decision to send; whether it came to its end before.
async fn sent_and_recorded(flush: u64, moment: Moment) -> (usize, usize, bool) {
    let world = world().await;
    let (run, person) = world.family("refer").await;
    world.agree(&run.case, &person, "2027-01-01").await;
    let item = world.item(&run.id, "decide").await.id;
    let (engine, casey) = (&world.engine, worker());
    engine.claim(&casey, &item, None).await.unwrap();
    let stops = world.faults.flush_count() + flush;
    world.faults.stop_at(flush, moment);
    let done = complete("done", json!(null));
    let mut over = engine.complete(&casey, &item, done, None).await.is_err();
    let mut changes = engine.changes();
    let mut whole = false;
    while !over {
        changes.borrow_and_update();
        let view = engine.instance(&casey, &run.id).await;
        whole = view.is_ok_and(|view| view.status == "completed");
        over = whole || world.faults.flush_count() >= stops;
        if !over {
            within_reason(changes.changed()).await.unwrap();
        }
    }
    // What was under way comes to rest.
    engine.stop().await;
    let disk = world.store.crash();
    let rows = disk.scan(Table::Disclosure, &[], &[0xff; 64], usize::MAX);
    (world.partner.requests(), rows.unwrap().len(), whole)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_sent_before_its_record_is_on_disk() {
    for moment in [Moment::BeforeFlush, Moment::AfterFlush] {
        for flush in 1.. {
            let (sent, recorded, whole) = sent_and_recorded(flush, moment).await;
            assert!(sent <= recorded, "{sent} of {recorded}: {moment:?} {flush}");
            if whole {
                assert_eq!((sent, recorded), (1, 1));
                assert!(flush > 2, "a decision and a record have two flushes");
                break;
            }
            assert!(flush < 20, "the story has an end");
        }
    }
}

#[tokio::test]
async fn nothing_is_asked_again_once_consent_is_gone() {
    let world = world().await;
    world.answers_later();
    let (run, mother) = world.family("home").await;
    let consent = world.agree(&run.case, &mother, "2026-09-04").await;
    world.done(&run, "wait").await;
    world
        .instance(&run.id, |view| view.status == "waiting")
        .await;
    world.sent(1).await;
    world.take_back(&consent).await;
    world.clock.forward(SignedDuration::from_mins(2));
    world.held_back(&run.id).await;
    assert!(world.partner.resumed.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_request_that_says_it_discloses_is_held_back_too() {
    let world = world().await;
    let started = world.start("request", json!({})).await;
    world.held_back(&started.id).await;
    assert_eq!(world.partner.requests(), 0);
}

#[tokio::test]
async fn a_legal_basis_stands_in_the_record_with_its_reason() {
    let world = world().await;
    let started = world.start("report", json!({})).await;
    assert_eq!(world.ended(&started.id).await.status, "completed");
    let log = world
        .engine
        .disclosures(&worker(), &started.case)
        .await
        .unwrap();
    let because = "Asking would put the child at risk".to_owned();
    let name = "s159m".to_owned();
    assert_eq!(log[0].ground, Ground::Basis { name, because });
}

const WHY: &str = "Her partner reads her letters";

#[tokio::test]
async fn why_consent_was_not_sought_is_said_for_each_case_and_stays_in_its_record() {
    let world = world().await;
    world.answers_later();
    let started = world
        .start("own-reason", json!({ "why": format!(" {WHY} ") }))
        .await;
    let view = world.engine.instance(&worker(), &started.id).await.unwrap();
    world.done(&view, "decide").await;
    world
        .instance(&started.id, |view| view.status == "waiting")
        .await;
    // What the plugin asks by itself later goes out for the same reason.
    within_reason(async {
        while world.partner.resumed.lock().unwrap().is_empty() {
            world.clock.forward(SignedDuration::from_mins(1));
            tokio::task::yield_now().await;
        }
    })
    .await;
    let log = world.engine.disclosures(&worker(), &started.case).await;
    let log = log.unwrap();
    assert!(log.len() > 1, "{log:?}");
    for one in &log {
        let Ground::Basis { because, .. } = &one.ground else {
            panic!("{one:?}");
        };
        assert_eq!(because, WHY);
    }
    let audit = world.engine.audit(&worker(), &started.case).await.unwrap();
    let audit = serde_json::to_string(&audit).unwrap();
    assert!(audit.contains("safety to agency on s159m"), "{audit}");
    assert!(!audit.contains(WHY), "{audit}");
}

#[tokio::test]
async fn without_a_word_why_consent_was_not_sought_nothing_goes_out() {
    let world = world().await;
    let long = "x".repeat(2_001);
    for input in [
        json!({}),
        json!({ "why": " " }),
        json!({ "why": 7 }),
        json!({ "why": long }),
    ] {
        let started = world.start("own-reason", input).await;
        let view = world.engine.instance(&worker(), &started.id).await.unwrap();
        world.done(&view, "decide").await;
        world.held_back(&started.id).await;
    }
    assert_eq!(world.partner.requests(), 0);
}

#[tokio::test]
async fn a_document_that_does_not_say_on_what_is_refused() {
    let world = world().await;
    let refused = |tasks: &str| {
        let mut surroundings = casewright_language::Surroundings::default();
        let plugins = crate::port::Invoke::describe(&*world.partner, &mut surroundings);
        let read = Deployment::read(files(&[("odd", tasks)]), &surroundings, &plugins);
        let Err(found) = read else {
            panic!("it is refused");
        };
        found.first().map(|found| found.code)
    };
    let silent = "  - send:\n      call: referral.send\n      with: {}\n";
    assert_eq!(refused(silent), Some("CW0461"));
    assert_eq!(refused(&ON_A_BASIS.replace("safety", "''")), Some("CW0460"));
    assert_eq!(
        refused(&ON_A_BASIS.replace("s159m", "because")),
        Some("CW0460")
    );
}

/// Decided on a consent that is taken back before the decision is on disk.
#[tokio::test]
async fn a_withdrawal_that_is_first_undoes_the_decision_to_send() {
    let world = world().await;
    let (run, mother) = world.family("refer").await;
    let consent = world.agree(&run.case, &mother, "2026-09-04").await;
    let shared = &world.engine.shared;
    let row = shared.seen_instance(&worker(), &run.id).unwrap();
    let deployment = shared.in_force("family-support").unwrap();
    let sending = Sending {
        instance: &run.id,
        row: &row,
        deployment: &deployment,
        function: "referral.send",
        delivery: &casewright_machine::Delivery {
            reference: "/do/1/send".to_owned(),
            run: 1,
            attempt: 1,
        },
        because: None,
        key: "k",
    };
    let wish = sending.wish().unwrap();
    let decided = shared
        .try_clear(&sending, Some(&wish), &[])
        .unwrap()
        .unwrap();
    world.take_back(&consent).await;
    let late = world.store.submit(decided);
    assert!(matches!(late, Err(SubmitError::Guard { .. })));
    assert!(
        shared
            .try_clear(&sending, Some(&wish), &[])
            .unwrap()
            .is_err()
    );
}

/// A call that an engine began which did not take the reason from the case.
#[tokio::test]
async fn a_call_without_the_reason_of_its_case_is_held_back() {
    let world = world().await;
    let run = world.start("own-reason", json!({"why": WHY})).await;
    let shared = &world.engine.shared;
    let row = shared.seen_instance(&worker(), &run.id).unwrap();
    let deployment = shared.in_force("family-support").unwrap();
    let delivery = casewright_machine::Delivery {
        reference: "/do/1/send".to_owned(),
        run: 1,
        attempt: 1,
    };
    for (because, goes) in [(Some(WHY), true), (None, false)] {
        let sending = Sending {
            instance: &run.id,
            row: &row,
            deployment: &deployment,
            function: "housing.apply",
            delivery: &delivery,
            because,
            key: "k",
        };
        let decided = shared.try_clear(&sending, sending.wish().as_ref(), &[]);
        assert_eq!(decided.unwrap().is_ok(), goes, "{because:?}");
    }
}

/// Decided without a parent who joins the case before the decision is on disk.
#[tokio::test]
async fn whoever_joins_the_family_first_is_asked_first() {
    let world = world().await;
    let (run, mother) = world.family("home").await;
    world.agree(&run.case, &mother, "2026-09-04").await;
    let shared = &world.engine.shared;
    let row = shared.seen_instance(&worker(), &run.id).unwrap();
    let deployment = shared.in_force("family-support").unwrap();
    let sending = Sending {
        instance: &run.id,
        row: &row,
        deployment: &deployment,
        function: "housing.apply",
        delivery: &casewright_machine::Delivery {
            reference: "/do/1/send".to_owned(),
            run: 1,
            attempt: 1,
        },
        because: None,
        key: "k",
    };
    let wish = sending.wish().unwrap();
    let clear = || shared.try_clear(&sending, Some(&wish), &[]).unwrap();
    let decided = clear().unwrap();
    world.faults.hold();
    let (who, father) = (worker(), details("Tom", Relation::Parent));
    let joins = world.engine.add_person(&who, &run.case, father, None);
    // What is held is let go before anything is said: a test that fails must end.
    let meanwhile = async {
        let mut asked = false;
        for _ in 0..1_000 {
            tokio::task::yield_now().await;
            asked = clear().is_err();
            if asked {
                break;
            }
        }
        world.faults.release();
        asked
    };
    let (joined, asked) = tokio::join!(joins, meanwhile);
    joined.unwrap();
    assert!(asked, "he is asked before he is on disk");
    let late = world.store.submit(decided);
    assert!(matches!(late, Err(SubmitError::Guard { .. })));
    assert!(clear().is_err());
}
