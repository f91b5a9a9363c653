//! Before facts about people go out: whether they may at this moment, and the record that they do.
//!
//! The record is on disk before anything is sent, in a batch that holds only as long as the
//! consents and the people it was decided on are as they were read. So a withdrawal comes either
//! before the record, and nothing is sent, or after it. Each attempt is asked anew.

use casewright_casework::audit::{Action, Entry};
use casewright_casework::disclosure::{Basis, Ground, Wish, unnamed};
use casewright_casework::person::Relation;
use casewright_casework::{Disclosure, Principal, Refusal};
use casewright_language::{Template, workflow};
use casewright_machine::{CallError, Delivery, openapi};
use casewright_store::{AuditAppend, Batch, Put, SubmitError, Table, Under};
use jiff::SignedDuration;

use super::calls::AGAIN_MS;
use super::funds::permanent;
use super::shared::{ENGINE, Shared, refused};
use super::{Engine, Refused};
use crate::deployment::Deployment;
use crate::record::InstanceRow;
use crate::{id, key, record};

/// What is about to be sent.
pub(super) struct Sending<'a> {
    pub(super) instance: &'a str,
    pub(super) row: &'a InstanceRow,
    pub(super) deployment: &'a Deployment,
    pub(super) function: &'a str,
    pub(super) delivery: &'a Delivery,
    pub(super) key: &'a str,
    /// Why consent was not sought, where the document takes it from the case.
    pub(super) because: Option<&'a str>,
}

/// Why it is not sent.
pub(super) enum Unsent {
    /// Nobody agreed to it: what the task is told.
    HeldBack(CallError),
    Refused(Refused),
}

impl Engine {
    /// What went out of a case, oldest first. Audited like opening the case.
    pub async fn disclosures(
        &self,
        who: &Principal,
        case: &str,
    ) -> Result<Vec<Disclosure>, Refused> {
        self.shared.seen_case(who, case)?;
        self.shared.note_read(who, case).await?;
        let rows = self
            .shared
            .rows_of::<Disclosure>(Table::Disclosure, case, "a disclosure")?;
        let mut seen = Vec::new();
        for row in rows {
            if self.shared.sees_run(who, &row.instance)? {
                seen.push(row);
            }
        }
        Ok(seen)
    }
}

impl Shared {
    /// Returns once it may be sent and that is on disk; at once for what hands out nothing.
    pub(super) async fn clear(&self, sending: &Sending<'_>) -> Result<(), Unsent> {
        let discloses = self.discloses(sending);
        let wish = sending.wish();
        if wish.is_none() && discloses.is_empty() || sending.function == openapi::FUNCTION {
            return Ok(());
        }
        let decide = || {
            let decided = self.try_clear(sending, wish.as_ref(), &discloses)?;
            Ok(decided.map(|batch| (batch, ())))
        };
        match self.recorded(decide).await? {
            Ok(()) => Ok(()),
            Err(refusal) => Err(self.held_back(sending, refusal).await),
        }
    }

    /// Commits what stands in the record before something is sent, with what is decided beside it;
    /// decided anew as long as something else that it rests on was first.
    pub(super) async fn recorded<T, E>(
        &self,
        decide: impl Fn() -> Result<Result<(Batch, T), E>, Refused>,
    ) -> Result<Result<T, E>, Unsent> {
        loop {
            let (batch, beside) = match decide().map_err(Unsent::Refused)? {
                Ok(decided) => decided,
                Err(held) => return Ok(Err(held)),
            };
            match self.submit(batch) {
                Ok(ticket) => {
                    let flushed = ticket.flushed().await;
                    self.changed();
                    return match flushed {
                        Ok(_) => Ok(Ok(beside)),
                        Err(error) => Err(Unsent::Refused(refused(error))),
                    };
                }
                // A withdrawal or another change was first.
                Err(SubmitError::Guard { .. }) => {}
                Err(SubmitError::Full | SubmitError::DiskFull) => {
                    let again = self.parts.clock.now() + SignedDuration::from_millis(AGAIN_MS);
                    self.parts.clock.wait_until(again).await;
                }
                Err(error) => return Err(Unsent::Refused(refused(error))),
            }
            if self.stopping() {
                return Err(Unsent::Refused(Refused::Stopping));
            }
        }
    }

    fn discloses(&self, sending: &Sending<'_>) -> Vec<String> {
        let digest = sending.deployment.plugin_of(sending.function);
        digest.map_or_else(Vec::new, |digest| {
            self.parts.invoke.discloses(sending.function, digest)
        })
    }

    /// The record of it, to be committed; or why it must not be sent.
    pub(super) fn try_clear(
        &self,
        sending: &Sending<'_>,
        wish: Option<&Wish>,
        discloses: &[String],
    ) -> Result<Result<Batch, Refusal>, Refused> {
        let Some(wish) = wish else {
            return Ok(Err(unnamed(sending.function)));
        };
        let case = &sending.row.case;
        let (people, mut guards) = self.people(case)?;
        let (consents, guard) = self.consents(case)?;
        guards.push(guard);
        let (at, pack) = (self.now(), &sending.deployment.pack);
        let today = at.to_zoned(sending.deployment.calendar().zone().clone());
        let bases: Vec<&str> = pack.disclosure.bases.keys().map(String::as_str).collect();
        let persons = wish.concerns(&people);
        let all: Vec<_> = consents.values().collect();
        let ground = match wish.ground(&persons, &all, &bases, today.date()) {
            Ok(ground) => ground,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let disclosure = Disclosure {
            id: id::timed('s', at, &*self.parts.entropy),
            case: case.clone(),
            at,
            instance: sending.instance.to_owned(),
            task: sending.delivery.reference.clone(),
            function: sending.function.to_owned(),
            attempt: sending.delivery.attempt,
            discloses: discloses.to_vec(),
            purpose: wish.purpose.clone(),
            recipient: wish.recipient.clone(),
            persons,
            ground,
        };
        let on = match &disclosure.ground {
            Ground::Consents(_) => "consent".to_owned(),
            Ground::Basis { name, .. } => name.clone(),
        };
        let detail = format!("{} to {} on {on}", wish.purpose, wish.recipient);
        let row = Put {
            table: Table::Disclosure,
            key: key::join(&[case, &disclosure.id]),
            value: Some(record::encode(&disclosure)),
            under: Under::Case(case.clone()),
        };
        Ok(Ok(Batch {
            guards,
            puts: vec![row],
            audit: vec![self.disclosed(sending, Action::Disclosed, detail)],
            ..Batch::default()
        }))
    }

    async fn held_back(&self, sending: &Sending<'_>, refusal: Refusal) -> Unsent {
        let function = sending.function.to_owned();
        self.not_sent(sending, Action::DisclosureRefused, function, refusal)
            .await
    }

    /// Writes down that something was held back, and gives what the task is told.
    pub(super) async fn not_sent(
        &self,
        sending: &Sending<'_>,
        action: Action,
        detail: String,
        refusal: Refusal,
    ) -> Unsent {
        let code = refusal.code;
        let batch = Batch {
            audit: vec![self.disclosed(sending, action, detail)],
            reserve: true,
            ..Batch::default()
        };
        if let Err(refused) = self.commit(batch).await {
            return Unsent::Refused(refused);
        }
        let status = i64::from(code.status());
        Unsent::HeldBack(permanent(code.as_str(), status, refusal.message))
    }

    pub(super) fn disclosed(
        &self,
        sending: &Sending<'_>,
        action: Action,
        detail: String,
    ) -> AuditAppend {
        AuditAppend {
            case: sending.row.case.clone(),
            entry: Entry {
                at: self.now(),
                who: ENGINE.to_owned(),
                action,
                instance: Some(sending.instance.to_owned()),
                subject: Some(sending.key.to_owned()),
                detail: Some(detail),
            },
        }
    }
}

impl Sending<'_> {
    /// What its document says of it.
    pub(super) fn wish(&self) -> Option<Wish> {
        let workflow = self.deployment.workflows.get(&self.row.workflow)?;
        let task = workflow.task(&self.delivery.reference)?;
        let said = task.disclosure.as_ref();
        said.map(|said| wish(said, self.because))
    }
}

/// `because` is what the case gave. A call that began before the document could take it from
/// there has none, and is held back if this one does.
fn wish(said: &workflow::Disclosure, because: Option<&str>) -> Wish {
    let relations = said.about.iter();
    Wish {
        purpose: said.purpose.clone(),
        recipient: said.recipient.clone(),
        about: relations.filter_map(|word| Relation::named(word)).collect(),
        basis: said.basis.as_ref().map(|basis| Basis {
            name: basis.name.clone(),
            because: match &basis.because {
                Template::Literal(words) => words.as_str().unwrap_or_default().to_owned(),
                Template::Expression(_) | Template::List(_) | Template::Map(_) => {
                    because.unwrap_or_default().to_owned()
                }
            },
        }),
    }
}
