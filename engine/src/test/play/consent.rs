//! Steps of a test in which a family agrees to something, or takes it back.

use std::io;

use casewright_casework::consent::{How, Terms};
use casewright_casework::person::{Contact, Details, Relation};
use casewright_language::pack_test::{Consent, Spot, Withdrawal};
use casewright_runtime::engine::Refused;
use jiff::ToSpan;

use super::{Amiss, finding, judged};
use crate::test::stage::Stage;

impl Stage {
    pub(super) async fn consent(&mut self, spot: Spot, consent: &Consent) -> io::Result<Amiss> {
        let Some(case) = self.cases.last().cloned() else {
            return Ok(no_case(spot));
        };
        let agreed = self.agree(&case, consent).await;
        self.quiet().await?;
        Ok(judged(spot, agreed, None, ""))
    }

    async fn agree(&self, case: &str, consent: &Consent) -> Result<(), Refused> {
        let who = self.person(&consent.who);
        let today = self.engine.today(who);
        let family = |persons: Vec<casewright_casework::Person>| {
            let persons = persons.into_iter();
            let family = persons.filter(|person| person.details.relation.is_family());
            family.map(|person| person.id).collect::<Vec<_>>()
        };
        let mut family = family(self.engine.persons(who, case).await?);
        if family.is_empty() {
            let added = self.engine.add_person(who, case, parent(), None).await?;
            family.push(added.id);
        }
        for person in family {
            let terms = Terms {
                purposes: vec![consent.purpose.clone()],
                recipients: vec![consent.recipient.clone()],
                what: "What the form says".to_owned(),
                how: How::Spoken,
                given_by: None,
                witness: None,
                interpreter: None,
                given_on: today,
                expires_on: today.saturating_add(1.year()),
            };
            let given = self.engine.give_consent(who, case, &person, terms, None);
            given.await?;
        }
        Ok(())
    }

    pub(super) async fn withdrawal(&mut self, spot: Spot, back: &Withdrawal) -> io::Result<Amiss> {
        let Some(case) = self.cases.last().cloned() else {
            return Ok(no_case(spot));
        };
        let taken = self.take_back(&case, back).await;
        self.quiet().await?;
        Ok(match taken {
            Ok(0) => {
                let sentence = format!("nobody has agreed to anything for `{}`", back.purpose);
                let help = "add a step `consent` before it".to_owned();
                vec![finding(spot, sentence, Some(help))]
            }
            taken => judged(spot, taken, None, ""),
        })
    }

    async fn take_back(&self, case: &str, back: &Withdrawal) -> Result<usize, Refused> {
        let who = self.person(&back.who);
        let all = self.engine.consents(who, case).await?;
        let meant = all.into_iter().filter(|one| {
            let same = |word: &String| *word == back.purpose;
            one.withdrawn.is_none() && one.terms.purposes.iter().any(same)
        });
        let mut count = 0;
        for one in meant {
            let (engine, how) = (&self.engine, How::Spoken);
            engine
                .withdraw_consent(who, case, &one.id, how, None, None)
                .await?;
            count += 1;
        }
        Ok(count)
    }
}

fn parent() -> Details {
    Details {
        name: "A parent".to_owned(),
        born: None,
        relation: Relation::Parent,
        phone: None,
        email: None,
        address: None,
        contact: Contact::default(),
        staff: None,
    }
}

pub(super) fn no_case(spot: Spot) -> Amiss {
    let help = "start a workflow before it".to_owned();
    vec![finding(spot, "there is no case yet".to_owned(), Some(help))]
}
