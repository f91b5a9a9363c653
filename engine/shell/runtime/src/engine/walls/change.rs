//! Walls are declared, lifted and taken away: each with a reason, in the record of the case.

use casewright_casework::audit::Action;
use casewright_casework::wall::By;
use casewright_casework::{Principal, Refusal, Walls};
use jiff::Timestamp;
use jiff::civil::Date;

use super::Shared;
use crate::engine::case_file::filed;
use crate::engine::{Engine, Refused, RequestKey};
use crate::record::UserRow;
use crate::view::{LiftedView, PersonView, WallView};

/// A change of the wall of one member of staff.
struct Wish {
    staff: String,
    action: Action,
    /// For the record: a day, never a reason.
    detail: Option<String>,
}

/// The moment, and the day where the agency is.
type When = (Timestamp, Date);

impl Engine {
    /// Whether one of their roles keeps the walls: declares them for others, lifts them and takes
    /// them away.
    pub fn keeps_walls(&self, who: &Principal) -> bool {
        let in_force = self.shared.in_force(&who.agency);
        in_force.is_some_and(|found| found.pack.keeps_walls(&who.roles))
    }

    /// Who of the staff stands in a case. Audited like opening the case.
    pub async fn walls(&self, who: &Principal, case: &str) -> Result<Vec<WallView>, Refused> {
        self.shared.seen_case(who, case)?;
        self.shared.note_read(who, case).await?;
        let walls = self.shared.flushed_walls(case)?;
        let staff = walls.staff();
        staff
            .into_iter()
            .map(|staff| self.shared.wall_view(who, &walls, staff))
            .collect()
    }

    /// Says that a member of staff, or whoever asks, stands in the case: it is closed to them from
    /// then on.
    pub async fn declare_wall(
        &self,
        who: &Principal,
        case: &str,
        person: Option<&str>,
        reason: String,
        key: Option<RequestKey>,
    ) -> Result<WallView, Refused> {
        let wish = Wish {
            staff: self.shared.meant(who, person.unwrap_or(&who.id))?,
            action: Action::WallDeclared,
            detail: None,
        };
        let staff = wish.staff.clone();
        self.change_walls(who, case, wish, key, move |walls, by, (at, _)| {
            walls.declare(by, &staff, &reason, at)
        })
        .await
    }

    /// Opens the case again for reading to somebody who stands in it, up to a day.
    pub async fn lift_wall(
        &self,
        who: &Principal,
        case: &str,
        person: &str,
        (reason, until): (String, Date),
        key: Option<RequestKey>,
    ) -> Result<WallView, Refused> {
        let wish = Wish {
            staff: self.shared.standing(who, person)?,
            action: Action::WallLifted,
            detail: Some(until.to_string()),
        };
        let staff = wish.staff.clone();
        self.change_walls(who, case, wish, key, move |walls, by, when| {
            walls.lift(by, &staff, &reason, until, when)
        })
        .await
    }

    /// Takes a declaration away.
    pub async fn take_wall_away(
        &self,
        who: &Principal,
        case: &str,
        person: &str,
        reason: String,
        key: Option<RequestKey>,
    ) -> Result<WallView, Refused> {
        let wish = Wish {
            staff: self.shared.standing(who, person)?,
            action: Action::WallTakenAway,
            detail: None,
        };
        let staff = wish.staff.clone();
        self.change_walls(who, case, wish, key, move |walls, by, _| {
            walls.take_away(by, &staff, &reason)
        })
        .await
    }

    async fn change_walls(
        &self,
        who: &Principal,
        case: &str,
        wish: Wish,
        key: Option<RequestKey>,
        change: impl Fn(&Walls, By<'_>, When) -> Result<Walls, Refusal> + Send + 'static,
    ) -> Result<WallView, Refused> {
        let (author, keeps) = (who.clone(), self.keeps_walls(who));
        let route = format!("{:?} {case} {}", wish.action, wish.staff);
        self.change_file(who, case, &route, key, move |shared, case, batch| {
            let by = if keeps {
                By::Keeper(&author)
            } else {
                By::Colleague(&author)
            };
            let (at, on) = (shared.now(), shared.today(&case.agency));
            let (before, guards) = shared.walls(&case.id)?;
            let next = change(&before, by, (at, on)).map_err(Refused::Rule)?;
            batch.guards.extend(guards);
            if next != before {
                shared.put_walls(case, &next, at, batch)?;
                let detail = wish.detail.as_deref();
                let entry = filed(shared, &author, case, wish.action, &wish.staff, detail);
                batch.audit.push(entry);
            }
            shared.wall_view(&author, &next, &wish.staff)
        })
        .await
    }
}

impl Shared {
    /// Id of the member of staff who is meant, which may be given as a sign-in name.
    fn meant(&self, who: &Principal, named: &str) -> Result<String, Refused> {
        let named = named.trim();
        if named == who.id {
            return Ok(who.id.clone());
        }
        if let Some(user) = self.member(who, named)? {
            return Ok(user.id);
        }
        let sentence = "There is no member of staff with this id or sign-in name";
        Err(Refused::Rule(Refusal::mistake("person", sentence)))
    }

    /// The same of somebody who stands before a wall, and may not work here any more.
    fn standing(&self, who: &Principal, named: &str) -> Result<String, Refused> {
        let named = named.trim();
        let user = self.member(who, named)?;
        Ok(user.map_or_else(|| named.to_owned(), |user| user.id))
    }

    fn wall_view(&self, who: &Principal, walls: &Walls, staff: &str) -> Result<WallView, Refused> {
        let today = self.today(&who.agency);
        let declared = walls.declared.get(staff);
        let name = |id: &str| -> Result<PersonView, Refused> {
            let user: Option<UserRow> = self.member(who, id)?;
            let display_name = user.map_or_else(|| id.to_owned(), |user| user.display_name);
            let id = id.to_owned();
            Ok(PersonView { id, display_name })
        };
        let lifted = walls.lifted_on(staff, today).map(|lifted| {
            Ok::<_, Refused>(LiftedView {
                by: name(&lifted.by)?,
                at: lifted.at,
                reason: lifted.reason.clone(),
                until: lifted.until,
            })
        });
        let related = walls.related.iter().filter(|(_, one)| *one == staff);
        Ok(WallView {
            person: name(staff)?,
            closed: walls.closed_to(staff, today),
            stands_as: related.map(|(person, _)| person.clone()).collect(),
            declared: declared.map(|one| one.at),
            by: declared.map(|one| name(&one.by)).transpose()?,
            reason: declared.map(|one| one.reason.clone()),
            lifted: lifted.transpose()?,
        })
    }
}
