//! Steps of a test about the people of a case and the plan that is theirs.

use std::io;

use casewright_casework::person::{Contact, Details, Relation};
use casewright_casework::plan::Missing;
use casewright_language::pack_test::{Person, PlanState, Spot};

use super::{Amiss, finding, judged};
use crate::test::stage::{Stage, failed};

impl Stage {
    pub(super) async fn add(&mut self, spot: Spot, person: &Person) -> io::Result<Amiss> {
        let Some(case) = self.cases.last().cloned() else {
            return Ok(super::consent::no_case(spot));
        };
        let relation = Relation::named(&person.relation).unwrap_or(Relation::Other);
        let born = person
            .born
            .and_then(|day| jiff::civil::Date::new(day.year, day.month, day.day).ok());
        let details = Details {
            name: person.name.clone(),
            born,
            relation,
            phone: None,
            email: None,
            address: None,
            contact: Contact::default(),
            staff: None,
        };
        let who = self.person(&person.who);
        let added = self.engine.add_person(who, &case, details, None).await;
        self.quiet().await?;
        Ok(judged(spot, added, None, ""))
    }

    pub(super) async fn expect_plan(&self, spot: Spot, wanted: &PlanState) -> io::Result<Amiss> {
        let Some(case) = self.cases.last() else {
            return Ok(super::consent::no_case(spot));
        };
        let found = self.engine.plan_of(&self.onlooker, case).await;
        let Some(found) = found.map_err(|refused| failed(&refused))? else {
            let message = "the case has no plan".to_owned();
            return Ok(vec![finding(spot, message, None)]);
        };
        let mut amiss = Amiss::new();
        let status = found.status.as_str();
        if wanted.status.value != status {
            let missing = found.missing.iter().map(Missing::sentence);
            let missing: Vec<_> = missing.collect();
            let help = (!missing.is_empty()).then(|| missing.join("; "));
            let message = format!("the plan stands as `{status}`");
            amiss.push(finding(wanted.status.spot, message, help));
        }
        let active = found.active.map(|active| i64::from(active.version));
        let latest = Some(i64::from(found.latest.version));
        for (what, wanted, found) in [
            ("the latest version", &wanted.version, latest),
            ("the version in force", &wanted.active, active),
        ] {
            if let Some(wanted) = wanted.as_ref().filter(|it| Some(it.value) != found) {
                let found = found.map_or("none".to_owned(), |number| number.to_string());
                amiss.push(finding(wanted.spot, format!("{what} is {found}"), None));
            }
        }
        Ok(amiss)
    }
}
