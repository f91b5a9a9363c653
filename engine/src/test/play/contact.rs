//! Steps of a test in which somebody of a family says how they are safe to reach.

use std::collections::BTreeSet;
use std::io;

use casewright_casework::contact::{Channel, Leave, Way};
use casewright_casework::person::{
    Address, AddressChange, AddressKind, Change, Contact, Details, Hidden, Person, Relation, Safety,
};
use casewright_language::pack_test::{DoNotContact, SafeWay, Spot};
use casewright_runtime::engine::Refused;
use jiff::ToSpan;

use super::consent::no_case;
use super::{Amiss, finding, judged};
use crate::test::stage::Stage;

impl Stage {
    pub(super) async fn safe_way(&mut self, spot: Spot, said: &SafeWay) -> io::Result<Amiss> {
        let Some(case) = self.cases.last().cloned() else {
            return Ok(no_case(spot));
        };
        let words = (
            Channel::named(&said.channel),
            Leave::named(&said.leave),
            Relation::named(&said.relation),
        );
        let (Some(channel), Some(leave), Some(relation)) = words else {
            unreachable!("the reader of tests takes no other words");
        };
        let today = self.engine.today(self.person(&said.who));
        let way = Way {
            channel,
            leave,
            days: BTreeSet::new(),
            hours: None,
            language: None,
            interpreter: false,
            review_on: today.saturating_add(1.year()),
        };
        let listed = self.list(&case, &said.who, relation, way).await;
        self.quiet().await?;
        Ok(judged(spot, listed, None, ""))
    }

    async fn list(
        &self,
        case: &str,
        who: &str,
        relation: Relation,
        way: Way,
    ) -> Result<(), Refused> {
        let principal = self.person(who);
        let Some(known) = self.of_case(case, who, relation).await? else {
            let mut details = reachable(relation);
            details.contact.ways.push(way);
            let added = self.engine.add_person(principal, case, details, None);
            return added.await.map(drop);
        };
        let mut details = known.details.clone();
        let somewhere = reachable(relation);
        let address = match details.address {
            Some(_) => Change::Keep,
            None => somewhere.address.map_or(Change::Keep, Change::Set),
        };
        details.phone = details.phone.or(somewhere.phone);
        details.email = details.email.or(somewhere.email);
        details.contact.safety = Safety::Safe;
        details.contact.ways.push(way);
        self.change(who, &known, details, address).await
    }

    pub(super) async fn do_not_contact(
        &mut self,
        spot: Spot,
        said: &DoNotContact,
    ) -> io::Result<Amiss> {
        let Some(case) = self.cases.last().cloned() else {
            return Ok(no_case(spot));
        };
        let Some(relation) = Relation::named(&said.relation) else {
            unreachable!("the reader of tests takes no other words");
        };
        let done = match self.of_case(&case, &said.who, relation).await {
            Ok(None) => {
                let sentence = format!("nobody of the case is `{}` to it", said.relation);
                let help = "add a step `safeWay` before it".to_owned();
                return Ok(vec![finding(spot, sentence, Some(help))]);
            }
            Ok(Some(known)) => {
                let mut details = known.details.clone();
                details.contact.safety = Safety::DoNotContact;
                self.change(&said.who, &known, details, Change::Keep).await
            }
            Err(refused) => Err(refused),
        };
        self.quiet().await?;
        Ok(judged(spot, done, None, ""))
    }

    async fn of_case(
        &self,
        case: &str,
        who: &str,
        relation: Relation,
    ) -> Result<Option<Person>, Refused> {
        let persons = self.engine.persons(self.person(who), case).await?;
        let mut persons = persons.into_iter();
        Ok(persons.find(|person| person.details.relation == relation))
    }

    async fn change(
        &self,
        who: &str,
        known: &Person,
        details: Details,
        address: AddressChange,
    ) -> Result<(), Refused> {
        let hidden = Hidden {
            address,
            ..Hidden::KEPT
        };
        let (who, revision) = (self.person(who), Some(known.revision));
        let (engine, case) = (&self.engine, &known.case);
        let changed = engine.change_person(who, case, &known.id, details, hidden, revision, None);
        changed.await.map(drop)
    }
}

/// With a number and addresses that nobody has.
fn reachable(relation: Relation) -> Details {
    Details {
        name: format!("A {}", relation.as_str()),
        born: None,
        relation,
        phone: Some("0400 000 000".to_owned()),
        email: Some("somebody@family.example".to_owned()),
        address: Some(Address {
            text: "1 Sample Street".to_owned(),
            confidential: false,
            kind: AddressKind::Home,
        }),
        contact: Contact {
            safety: Safety::Safe,
            ..Contact::default()
        },
        staff: None,
    }
}
