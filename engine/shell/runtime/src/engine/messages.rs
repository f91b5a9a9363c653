//! Before a message goes out: whether it may at this moment, in which way, and the record that it
//! does.
//!
//! A run names a person and a template. The address and the text are put together here, after the
//! record is on disk, and go to the gateway alone: they stand in no journal, no log and no error.
//! The record holds only as long as the people it was decided on are as they were read, so that
//! what somebody takes back is either first, and nothing is sent, or comes after it. Each attempt
//! is asked anew.

use casewright_casework::audit::Action;
use casewright_casework::contact::{Held, Leave, Way, Wish};
use casewright_casework::message::{Order, To, to_staff};
use casewright_casework::principal::Kind;
use casewright_casework::{Case, Code, Message, Person, Principal, Refusal};
use casewright_language::Workflow;
use casewright_language::message::Filled;
use casewright_machine::{CallError, ErrorKind};
use casewright_store::{Batch, Guard, Put, Table, Under};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::{Value, json};

use super::disclosures::{Sending, Unsent};
use super::funds::permanent;
use super::shared::{Shared, not_found, unreadable};
use super::{Engine, Refused};
use crate::record::UserRow;
use crate::{id, key, record};

/// Users of all agencies.
const USERS_MAX: usize = 100_000;
/// Colleagues that one message goes to.
const STAFF_MAX: usize = 200;
/// What is written to colleagues: how they are reached is the gateway's matter.
const STAFF: &str = "staff";

/// A message that may go out: its record is on disk.
pub(super) struct Ready {
    /// For the gateway alone.
    pub(super) body: Value,
    /// For the task.
    pub(super) told: Value,
}

/// What the gateway is given, but for the key.
#[derive(Serialize)]
struct Body {
    channel: &'static str,
    to: Vec<String>,
    subject: Option<String>,
    text: String,
    language: String,
}

/// Why a message does not go out.
enum NotSent {
    /// It is safe from then on.
    Until(Timestamp),
    /// Nobody said that it is safe.
    Unsafe(Refusal),
    /// The task asks for what there is not.
    Wrong(CallError),
}

impl Engine {
    /// Names of the workflows in force for an agency that send any.
    pub fn message_senders(&self, agency: &str) -> Vec<String> {
        let in_force = self.shared.in_force(agency);
        in_force.map_or_else(Vec::new, |deployment| {
            let workflows = deployment.workflows.values();
            let senders = workflows.filter(|workflow| Workflow::sends_messages(workflow));
            senders
                .map(|workflow| workflow.document.name.clone())
                .collect()
        })
    }

    /// Messages that went out of a case, oldest first. Audited like opening the case.
    pub async fn messages(&self, who: &Principal, case: &str) -> Result<Vec<Message>, Refused> {
        self.shared.seen_case(who, case)?;
        self.shared.note_read(who, case).await?;
        self.shared.rows_of(Table::Message, case, "a message")
    }
}

impl Shared {
    /// Returns once it may be sent and that is on disk.
    pub(super) async fn message_ready(
        &self,
        sending: &Sending<'_>,
        input: &Value,
    ) -> Result<Ready, Unsent> {
        let order = Order::of(input).map_err(|sentence| Unsent::HeldBack(wrong(sentence)))?;
        let decide = || self.decide_message(sending, &order);
        match self.recorded(decide).await? {
            Ok(ready) => Ok(ready),
            Err(NotSent::Until(moment)) => {
                Err(Unsent::HeldBack(not_yet(moment.duration_since(self.now()))))
            }
            Err(NotSent::Wrong(error)) => Err(Unsent::HeldBack(error)),
            Err(NotSent::Unsafe(refusal)) => {
                let detail = order.template.clone().unwrap_or_default();
                let refused = self.not_sent(sending, Action::MessageRefused, detail, refusal);
                Err(refused.await)
            }
        }
    }

    /// The record of a message that may go out now, to be committed.
    #[cfg(test)]
    pub(super) fn message_decided(&self, sending: &Sending<'_>, input: &Value) -> Option<Batch> {
        let order = Order::of(input).ok()?;
        let decided = self.decide_message(sending, &order).ok()?;
        decided.ok().map(|(batch, _)| batch)
    }

    fn decide_message(
        &self,
        sending: &Sending<'_>,
        order: &Order,
    ) -> Result<Result<(Batch, Ready), NotSent>, Refused> {
        if order.to.is_staff() {
            self.to_staff(sending, order)
        } else {
            self.to_person(sending, order)
        }
    }

    fn to_person(
        &self,
        sending: &Sending<'_>,
        order: &Order,
    ) -> Result<Result<(Batch, Ready), NotSent>, Refused> {
        let filled = |way: &Way| filled(sending, order, way);
        let (people, guards) = self.people(&sending.row.case)?;
        let person = match order.to.person(&people) {
            Ok(person) => person,
            Err(refusal) => return Ok(Err(NotSent::Unsafe(refusal))),
        };
        let wish = Wish {
            channel: order.channel,
            leaves: if order.data.is_empty() {
                Leave::Neutral
            } else {
                Leave::Content
            },
        };
        let zone = sending.deployment.calendar().zone().clone();
        let way = match person.way_for(wish, &self.now().to_zoned(zone)) {
            Ok(way) => way,
            Err(Held::Until(moment)) => return Ok(Err(NotSent::Until(moment))),
            Err(Held::Unsafe(refusal)) => return Ok(Err(NotSent::Unsafe(refusal))),
        };
        let body = match filled(way) {
            Ok(filled) => body(person, way, filled),
            Err(error) => return Ok(Err(NotSent::Wrong(error))),
        };
        let recipients = vec![person.id.clone()];
        let batch = self.record_of(sending, order, recipients, Some(way.clone()), guards);
        Ok(Ok((batch, ready(&body))))
    }

    fn to_staff(
        &self,
        sending: &Sending<'_>,
        order: &Order,
    ) -> Result<Result<(Batch, Ready), NotSent>, Refused> {
        let staff = self.staff_of(&sending.row.agency, &order.to)?;
        if staff.is_empty() || staff.len() > STAFF_MAX {
            let sentence = format!(
                "{} colleagues are meant: a message goes to 1 to {STAFF_MAX}",
                staff.len()
            );
            let error = permanent("no-recipient", 409, sentence);
            return Ok(Err(NotSent::Wrong(error)));
        }
        let case = sending.row.case.as_bytes();
        let case: Case = self
            .read(Table::Case, case, "a case")?
            .ok_or_else(not_found)?;
        let body = Body {
            channel: STAFF,
            to: staff.iter().map(|user| user.sign_in.clone()).collect(),
            subject: None,
            text: to_staff(&case.number),
            language: "en".to_owned(),
        };
        let recipients = staff.into_iter().map(|user| user.id).collect();
        let batch = self.record_of(sending, order, recipients, None, Vec::new());
        Ok(Ok((batch, ready(&body))))
    }

    /// Colleagues who are meant, in the order of their ids.
    fn staff_of(&self, agency: &str, to: &To) -> Result<Vec<UserRow>, Refused> {
        let end = [u8::MAX; 64];
        let rows = self.parts.store.scan(Table::User, &[], &end, USERS_MAX);
        let mut found = Vec::new();
        for (_, row) in rows.map_err(unreadable)? {
            let user: UserRow = record::decode("a user", &row.value)?;
            if user.agency == agency && self.is_meant(&user, to) {
                found.push(user);
            }
        }
        Ok(found)
    }

    fn is_meant(&self, user: &UserRow, to: &To) -> bool {
        let who = || {
            self.with_included_roles(Principal {
                id: user.id.clone(),
                display_name: String::new(),
                agency: user.agency.clone(),
                roles: user.roles.clone(),
                kind: Kind::Staff,
            })
        };
        match to {
            To::Role(role) => who().holds(role),
            To::Team(team) => who().in_team(team),
            To::Staff(id) => user.id == *id,
            To::Person(_) | To::Relation(_) => false,
        }
    }

    fn record_of(
        &self,
        sending: &Sending<'_>,
        order: &Order,
        recipients: Vec<String>,
        way: Option<Way>,
        guards: Vec<Guard>,
    ) -> Batch {
        let (at, case) = (self.now(), &sending.row.case);
        let channel = way.as_ref().map_or(STAFF, |way| way.channel.as_str());
        let detail = match &order.template {
            Some(template) => format!("{template} by {channel}"),
            None => channel.to_owned(),
        };
        let message = Message {
            id: id::timed('m', at, &*self.parts.entropy),
            case: case.clone(),
            at,
            instance: sending.instance.to_owned(),
            task: sending.delivery.reference.clone(),
            attempt: sending.delivery.attempt,
            to: order.to.clone(),
            recipients,
            way,
            template: order.template.clone(),
        };
        Batch {
            guards,
            puts: vec![Put {
                table: Table::Message,
                key: key::join(&[case, &message.id]),
                value: Some(record::encode(&message)),
                under: Under::Case(case.clone()),
            }],
            audit: vec![self.disclosed(sending, Action::MessageSent, detail)],
            ..Batch::default()
        }
    }
}

/// What is said, in the language of the way.
fn filled(sending: &Sending<'_>, order: &Order, way: &Way) -> Result<Filled, CallError> {
    let name = order.template.as_deref().unwrap_or_default();
    let message = sending.deployment.messages.get(name).ok_or_else(|| {
        let sentence = "there is no such message in the pack that this run began with";
        permanent("unknown-message", 404, sentence.to_owned())
    })?;
    let values = order.values().map_err(wrong)?;
    if !values.keys().eq(message.data.iter()) {
        return Err(wrong(format!(
            "`data` of the message `{name}` must have exactly what it names"
        )));
    }
    Ok(message.filled(way.language.as_deref(), &values))
}

fn body(person: &Person, way: &Way, filled: Filled) -> Body {
    let address = way.channel.address_of(&person.details);
    Body {
        channel: way.channel.as_str(),
        // A way is only given for an address that is there.
        to: address.into_iter().map(str::to_owned).collect(),
        subject: filled.subject,
        text: filled.text,
        language: filled.language,
    }
}

fn ready(body: &Body) -> Ready {
    Ready {
        told: json!({"channel": body.channel}),
        body: json!(body),
    }
}

fn wrong(sentence: String) -> CallError {
    permanent("invalid-arguments", 400, sentence)
}

fn not_yet(wait: SignedDuration) -> CallError {
    // Rounded up, so that nothing is early.
    let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(0) + 1;
    CallError {
        kind: ErrorKind::NotYet,
        code: NOT_SAFE_NOW.to_owned(),
        status: i64::from(Code::UnsafeContact.status()),
        message: "this is no hour at which it is safe: it is sent when one begins".to_owned(),
        details: None,
        retry_after_ms: Some(wait_ms),
    }
}

/// Told while a message waits for its hour.
const NOT_SAFE_NOW: &str = "not-safe-now";
