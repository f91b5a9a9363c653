//! A file goes when its time is over, nobody holds it back, one has asked and another agrees. What
//! is left of it then is in `erasure.rs`.

use std::collections::BTreeMap;

use casewright_casework::person::{Address, AddressKind, Contact, Details, Relation};
use casewright_casework::{Code, Principal};
use casewright_store::settings::Settings;
use jiff::civil::date;
use serde_json::{Value, json};

use super::world::{World, pack, request, staff, start_of, worker};
use crate::engine::{ErasedView, Limits, Refused, RetentionView, Start};
use crate::port::EffectKind;
use crate::view::InstanceView;

/// In everything that anybody writes in these tests.
pub(super) const PLANTED: &str = "zebrafish";

pub(super) const HEAD: &str = "dsl: '1.0.3', namespace: family-support, version: '1.0.0'";

const END: &str = "
  - why: { call: human-task, with: { title: Why, assign: { role: case-worker } } }
  - close:
      call: case.close
      with:
        reason: goals-some
        consentGiven: true
        facts: ${ $workflow.input }
";
const FALL: &str = "
  - fall:
      raise:
        error:
          type: https://serverlessworkflow.io/spec/1.0.0/errors/validation
          status: 400
          detail: ${ $workflow.input.said }
";
const AFTER: &str = "
  - put-aside:
      call: fund.reserve
      with: { fund: brokerage, money: { minor: 500, currency: AUD } }
  - look: { call: human-task, with: { title: Look, assign: { role: case-worker } } }
  - give-back:
      call: fund.release
      with: { reservation: '${ $steps[\"put-aside\"].reservation }' }
";
const AGAIN: &str = "
  - over: { set: { case: open } }
";

pub(super) const RETENTION: &str = "
closingReasons:
  goals-some: { title: Some goals, counts: partly }
disclosure:
  purposes: { housing: Finding a home }
  recipients: { register: The register }
retention:
  asks: [team-leader]
  decides: [service-manager]
  holds: [team-leader]
  recipients: { department: The department }
  classes:
    file: { title: The file, keep: P7Y, from: closed }
    children: { title: Children, keep: P18Y, from: born, relations: [child] }
";

pub(super) fn files(retention: &str) -> BTreeMap<String, String> {
    let mut files = pack("100000");
    let whole = format!("{}{retention}", files["pack.yaml"]);
    files.insert("pack.yaml".to_owned(), whole);
    for (name, more, tasks) in [
        ("end", "", END),
        ("fall", "", FALL),
        ("after", ", metadata: { inClosedCase: true }", AFTER),
        ("again", ", metadata: { inClosedCase: true }", AGAIN),
    ] {
        let text = format!("document: {{ {HEAD}, name: {name}{more} }}\ndo:{tasks}");
        files.insert(format!("{name}.yaml"), text);
    }
    files
}

pub(super) async fn world() -> World {
    let world = World::empty(Limits::default(), EffectKind::Keyed, Settings::default()).await;
    world.deploy(files(RETENTION)).await.unwrap();
    world
}

/// Asks.
pub(super) fn lee() -> Principal {
    super::world::leader()
}

/// Decides, and may ask as well.
pub(super) fn sam() -> Principal {
    super::world::manager()
}

/// Decides too.
pub(super) fn dee() -> Principal {
    staff("u-dee", &["service-manager", "team-leader"])
}

pub(super) fn planted(what: &str) -> String {
    format!("{what} {PLANTED}")
}

pub(super) fn code<T: std::fmt::Debug>(answer: Result<T, Refused>) -> Code {
    match answer {
        Err(Refused::Rule(refusal)) => refusal.code,
        other => panic!("no rule said no: {other:?}"),
    }
}

pub(super) fn words(view: &RetentionView) -> Vec<&str> {
    view.in_the_way
        .iter()
        .map(|one| one.name.as_str())
        .collect()
}

pub(super) fn details(name: &str, relation: Relation) -> Details {
    Details {
        name: planted(name),
        born: None,
        relation,
        phone: Some(planted("0400 000 000")),
        email: None,
        address: Some(Address {
            text: planted("14 Jacaranda Street"),
            confidential: true,
            kind: AddressKind::Home,
        }),
        contact: Contact {
            how: Some(planted("after six")),
            code_word: Some(planted("kettle")),
            ..Contact::default()
        },
        staff: None,
    }
}

impl World {
    pub(super) async fn begin_in(&self, case: &str, workflow: &str, input: Value) -> String {
        let start = Start {
            case: Some(case.to_owned()),
            ..start_of(workflow, input)
        };
        let begun = self.engine.start(&worker(), start, None).await;
        begun.unwrap().id
    }

    pub(super) async fn run_over(&self, run: &str) -> InstanceView {
        let over = |view: &InstanceView| ["completed", "faulted"].contains(&view.status.as_str());
        self.instance(run, over).await
    }

    pub(super) async fn close(&self, case: &str) {
        let run = self
            .begin_in(case, "end", json!({"said": planted("all well")}))
            .await;
        let item = self.item(&run, "why").await;
        let answer = json!({"why": planted("they moved on")});
        self.decide(&worker(), &item.id, "done", answer)
            .await
            .unwrap();
        let over = self.run_over(&run).await;
        assert_eq!(over.status, "completed", "{:?}", over.error);
    }

    /// A closed case and nothing else.
    pub(super) async fn closed(&self) -> String {
        let run = self
            .start("fall", json!({"said": planted("it broke")}))
            .await;
        self.run_over(&run.id).await;
        self.close(&run.case).await;
        run.case
    }

    /// To the day in Brisbane, in the morning.
    pub(super) fn day(&self, day: jiff::civil::Date) {
        let at = day.at(8, 0, 0, 0).in_tz("Australia/Brisbane").unwrap();
        self.clock.set(at.timestamp());
    }

    pub(super) async fn ask_for(&self, case: &str) -> Result<String, Refused> {
        let reason = planted("long over");
        let asked = self.engine.ask_erasure(&lee(), case, reason, None).await?;
        Ok(asked.asked.unwrap().id)
    }

    pub(super) async fn erase(
        &self,
        who: &Principal,
        case: &str,
        request: &str,
    ) -> Result<ErasedView, Refused> {
        let wish = (request.to_owned(), planted("agreed"));
        let key = Some(request_of(who));
        self.engine.agree_erasure(who, case, wish, key).await
    }

    pub(super) async fn retention(&self, case: &str) -> RetentionView {
        self.engine.case_retention(&lee(), case).await.unwrap()
    }
}

fn request_of(who: &Principal) -> crate::engine::RequestKey {
    request(&format!("agree {}", who.id))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_part_of_it_is_for_its_own_roles() {
    let world = world().await;
    let own = RETENTION.replace("holds: [team-leader]", "holds: [case-worker]");
    world.deploy(files(&own)).await.unwrap();
    let case = world.closed().await;
    world.day(date(2033, 8, 4));
    let engine = &world.engine;
    let (holds, asks) = (worker(), lee());
    let decides = staff("u-max", &["service-manager"]);
    let why = || "a court".to_owned();
    let held = engine.hold_file(&holds, &case, why(), None).await.unwrap();
    let hold = held.holds[0].id.clone();
    for who in [&asks, &decides] {
        assert_eq!(
            code(engine.hold_file(who, &case, why(), None).await),
            Code::NotAssigned
        );
        let lifted = engine.lift_hold(who, &case, &hold, why(), None).await;
        assert_eq!(code(lifted), Code::NotAssigned);
    }
    let other = staff("u-robin", &["case-worker"]);
    let lifted = engine.lift_hold(&other, &case, &hold, why(), None);
    lifted.await.unwrap();
    for who in [&holds, &decides] {
        let asked = engine.ask_erasure(who, &case, why(), None).await;
        assert_eq!(code(asked), Code::NotAssigned);
        let wish = ("department".to_owned(), date(2033, 8, 4));
        let over = engine.hand_file_over(who, &case, wish, None).await;
        assert_eq!(code(over), Code::NotAssigned);
    }
    let request = world.ask_for(&case).await.unwrap();
    for who in [&holds, &staff("u-kim", &["team-leader"])] {
        let wish = (request.clone(), why());
        let declined = engine.decline_erasure(who, &case, wish, None).await;
        assert_eq!(code(declined), Code::NotAssigned);
    }
    world.erase(&decides, &case, &request).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn not_a_day_too_early_and_never_by_who_asked_while_one_holds_or_without_a_role() {
    let world = world().await;
    let case = world.closed().await;
    let engine = &world.engine;
    world.day(date(2033, 8, 3));
    let view = world.retention(&case).await;
    assert_eq!(
        (view.until, words(&view)),
        (Some(date(2033, 8, 3)), vec!["kept"])
    );
    assert_eq!(code(world.ask_for(&case).await), Code::NotErasable);
    assert_eq!(engine.files_due(&lee(), None).await.unwrap().items.len(), 0);
    world.day(date(2033, 8, 4));
    assert_eq!(words(&world.retention(&case).await), Vec::<&str>::new());
    assert_eq!(
        code(engine.case_retention(&worker(), &case).await),
        Code::NotAssigned
    );
    let alex = staff("u-alex", &["administrator"]);
    assert_eq!(
        code(engine.ask_erasure(&alex, &case, "over".into(), None).await),
        Code::NotAssigned
    );
    let own = engine.ask_erasure(&sam(), &case, "over".into(), None).await;
    let request = own.unwrap().asked.unwrap().id;
    assert_eq!(
        code(world.erase(&sam(), &case, &request).await),
        Code::SelfApproval
    );
    assert_eq!(
        code(world.erase(&lee(), &case, &request).await),
        Code::NotAssigned
    );
    let held = engine
        .hold_file(&lee(), &case, "a court".into(), None)
        .await;
    let held = held.unwrap();
    assert_eq!(
        code(world.erase(&dee(), &case, &request).await),
        Code::NotErasable
    );
    let hold = &held.holds[0].id;
    let own = engine
        .lift_hold(&lee(), &case, hold, "over".into(), None)
        .await;
    assert_eq!(code(own), Code::SelfApproval);
    let lifted = engine
        .lift_hold(&sam(), &case, hold, "over".into(), None)
        .await;
    assert!(lifted.unwrap().in_the_way.is_empty());
    // Who stands in the case does not open it, and decides nothing when that was lifted.
    let dee = dee();
    let wall = engine.declare_wall(&dee, &case, None, "a cousin".into(), None);
    wall.await.unwrap();
    assert_eq!(
        code(world.erase(&dee, &case, &request).await),
        Code::NotFound
    );
    let declined = ("no such".to_owned(), "no".to_owned());
    let kim = staff("u-kim", &["service-manager"]);
    let other = engine.decline_erasure(&kim, &case, declined, None).await;
    assert_eq!(code(other), Code::NotAsked);
    world.erase(&kim, &case, &request).await.unwrap();
}

#[tokio::test]
async fn a_case_that_is_open_again_is_kept_and_counts_from_its_next_end() {
    let world = world().await;
    let case = world.closed().await;
    world.day(date(2033, 8, 4));
    let request = world.ask_for(&case).await.unwrap();
    let casey = worker();
    let again = world.engine.reopen(&casey, &case, "they came back", None);
    again.await.unwrap();
    assert_eq!(words(&world.retention(&case).await), ["not-closed"]);
    assert_eq!(
        code(world.erase(&sam(), &case, &request).await),
        Code::NotAsked
    );
    assert_eq!(
        world
            .engine
            .files_due(&lee(), None)
            .await
            .unwrap()
            .items
            .len(),
        0
    );
    world.close(&case).await;
    let view = world.retention(&case).await;
    assert_eq!(
        (view.until, view.asked.is_none()),
        (Some(date(2040, 8, 4)), true)
    );
    // A run may open it as well.
    let run = world.begin_in(&case, "again", json!({})).await;
    world.run_over(&run).await;
    assert_eq!(words(&world.retention(&case).await), ["not-closed"]);
    world.close(&case).await;
    world.day(date(2040, 8, 5));
    let due = world.engine.files_due(&lee(), None).await.unwrap();
    assert_eq!(due.items.len(), 1, "one line for one case");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_goes_on_in_a_closed_case_keeps_its_file() {
    let world = world().await;
    let case = world.closed().await;
    world.day(date(2033, 8, 4));
    let request = world.ask_for(&case).await.unwrap();
    let run = world.begin_in(&case, "after", json!({})).await;
    let item = world.item(&run, "look").await;
    let open = ["runs-open", "tasks-open", "money-set-aside"];
    assert_eq!(words(&world.retention(&case).await), open);
    let refused = world.erase(&sam(), &case, &request).await;
    assert_eq!(code(refused), Code::NotErasable);
    let done = world.decide(&worker(), &item.id, "done", json!({})).await;
    done.unwrap();
    let over = world.run_over(&run).await;
    assert_eq!(over.status, "completed", "{:?}", over.error);
    world.erase(&sam(), &case, &request).await.unwrap();
}

#[tokio::test]
async fn a_pack_lengthens_what_is_closed_and_a_shorter_one_says_so() {
    let world = world().await;
    let case = world.closed().await;
    let deployed = |retention: String| {
        let administrator = "roles:\n  boss: { title: Boss, administers: true }\n";
        let mut files = files(&retention);
        let whole = files["pack.yaml"].replace("roles:\n", administrator);
        files.insert("pack.yaml".to_owned(), whole);
        files
    };
    world.deploy(deployed(RETENTION.to_owned())).await.unwrap();
    let boss = staff("u-boss", &["boss"]);
    let shorter = RETENTION.replace("P7Y", "P1M");
    let put = world
        .engine
        .deploy_pack(&boss, deployed(shorter), None)
        .await;
    assert_eq!(put.unwrap().shortened, ["file"]);
    assert_eq!(world.engine.pack(&boss).unwrap().shortened, ["file"]);
    world.day(date(2030, 1, 1));
    let view = world.retention(&case).await;
    assert_eq!(
        (view.until, words(&view)),
        (Some(date(2033, 8, 3)), vec!["kept"])
    );
    // What is closed under it is bound by it.
    let later = world.closed().await;
    assert_eq!(world.retention(&later).await.until, Some(date(2030, 2, 1)));
    let longer = RETENTION.replace("P7Y", "P10Y");
    let put = world
        .engine
        .deploy_pack(&boss, deployed(longer), None)
        .await;
    assert_eq!(put.unwrap().shortened, Vec::<String>::new());
    assert_eq!(world.retention(&case).await.until, Some(date(2036, 8, 3)));
    world.day(date(2034, 1, 1));
    let due = world.engine.files_due(&lee(), None).await.unwrap();
    assert!(due.items.is_empty(), "both are kept longer by now");
    let (without, _) = RETENTION.split_once("retention:").unwrap();
    let none = world
        .engine
        .deploy_pack(&boss, deployed(without.to_owned()), None)
        .await;
    assert_eq!(none.unwrap().shortened, ["children", "file"]);
}

#[tokio::test]
async fn an_unknown_birth_keeps_the_file_and_is_told() {
    let world = world().await;
    let run = world.start("fall", json!({"said": "x"})).await;
    let child = details("Kim", Relation::Child);
    let casey = worker();
    let child = world.engine.add_person(&casey, &run.case, child, None);
    let child = child.await.unwrap();
    world.close(&run.case).await;
    world.day(date(2040, 1, 1));
    let due = world.engine.files_due(&lee(), None).await.unwrap();
    assert_eq!(due.items[0].in_the_way[0].name, "birth-unknown");
    assert_eq!(code(world.ask_for(&run.case).await), Code::NotErasable);
    let known = Details {
        born: Some(date(2025, 6, 1)),
        ..child.details.clone()
    };
    let hidden = casewright_casework::person::Hidden {
        address: casewright_casework::person::Change::Keep,
        code_word: casewright_casework::person::Change::Keep,
    };
    let changed = world
        .engine
        .change_person(&casey, &run.case, &child.id, known, hidden, None, None);
    changed.await.unwrap();
    let view = world.retention(&run.case).await;
    assert_eq!(
        (view.until, words(&view)),
        (Some(date(2043, 6, 1)), vec!["kept"])
    );
}

#[tokio::test]
async fn what_is_to_be_handed_over_is_handed_over_first() {
    let world = world().await;
    let transfer = RETENTION.replace("P7Y, from: closed", "P7Y, from: closed, dispose: transfer");
    world.deploy(files(&transfer)).await.unwrap();
    let case = world.closed().await;
    world.day(date(2033, 8, 4));
    assert_eq!(words(&world.retention(&case).await), ["not-transferred"]);
    assert_eq!(code(world.ask_for(&case).await), Code::NotErasable);
    let hand = |to: &str, on| {
        let wish = (to.to_owned(), on);
        let engine = &world.engine;
        let case = case.clone();
        async move { engine.hand_file_over(&lee(), &case, wish, None).await }
    };
    assert_eq!(
        code(hand("nobody", date(2033, 8, 4)).await),
        Code::FormInvalid
    );
    assert_eq!(
        code(hand("department", date(2033, 8, 5)).await),
        Code::FormInvalid
    );
    let handed = hand("department", date(2033, 8, 4)).await.unwrap();
    assert!(handed.in_the_way.is_empty());
    let request = world.ask_for(&case).await.unwrap();
    let erased = world.erase(&sam(), &case, &request).await.unwrap();
    assert_eq!(
        (&*erased.transfers[0].to, erased.transfers.len()),
        ("department", 1)
    );
}

#[tokio::test]
async fn a_class_that_tells_of_hidden_work_is_not_named_to_others_and_counts() {
    let world = world().await;
    let harm = "    safety: { title: Safety, keep: P45Y, from: closed, workflows: [harm] }\n";
    let mut files = files(&format!("{RETENTION}{harm}"));
    let kept = "metadata: { visibleTo: [service-manager] }";
    let work = format!("document: {{ {HEAD}, name: harm, {kept} }}\ndo:{AGAIN}");
    files.insert("harm.yaml".to_owned(), work);
    world.deploy(files).await.unwrap();
    let run = world.start("fall", json!({"said": "x"})).await;
    world.run_over(&run.id).await;
    let start = Start {
        case: Some(run.case.clone()),
        ..start_of("harm", json!({}))
    };
    let sam = staff("u-sam", &["service-manager", "case-worker"]);
    let begun = world.engine.start(&sam, start, None).await.unwrap();
    let over = async || {
        let view = world.engine.instance(&sam, &begun.id).await;
        view.unwrap().status
    };
    while over().await != "completed" {
        tokio::task::yield_now().await;
    }
    world.close(&run.case).await;
    let shown = async |who: &Principal| {
        let view = world.engine.case_retention(who, &run.case).await.unwrap();
        let names: Vec<_> = view.classes.into_iter().map(|one| one.name).collect();
        (names, view.until)
    };
    let until = Some(date(2071, 8, 3));
    let both = vec!["file".to_owned(), "safety".to_owned()];
    assert_eq!(shown(&lee()).await, (vec!["file".to_owned()], until));
    assert_eq!(shown(&sam).await, (both, until));
}
