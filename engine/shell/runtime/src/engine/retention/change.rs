//! What people say of keeping and erasing a file, short of its erasure: each with a reason, in the
//! record of the case.

use casewright_casework::audit::Action;
use casewright_casework::retention::erasure::By;
use casewright_casework::{Code, Disposal, Principal, Refusal};
use jiff::civil::Date;

use super::{Outlook, RetentionView, by, put_disposal};
use crate::engine::case_file::filed;
use crate::engine::shared::Shared;
use crate::engine::{Engine, Refused, RequestKey};
use crate::id;

/// A change of what was said.
struct Wish {
    action: Action,
    /// What it is about where that is not made anew with each request, to tell requests apart.
    about: Option<String>,
    may: bool,
    /// Of the hold or the request, for the record.
    subject: String,
    /// A word of the pack, never a reason.
    detail: Option<String>,
}

impl Engine {
    /// How long a case is kept and what stands in the way of its erasure: nothing is changed.
    /// Audited like opening the case.
    pub async fn case_retention(
        &self,
        who: &Principal,
        case: &str,
    ) -> Result<RetentionView, Refused> {
        let found = self.shared.seen_case(who, case)?;
        self.shared.keeps_files(who)?;
        self.shared.note_read(who, case).await?;
        let outlook = self.shared.outlook(found)?;
        self.shared.retention_view(who, &outlook)
    }

    /// Holds a file back from erasure.
    pub async fn hold_file(
        &self,
        who: &Principal,
        case: &str,
        reason: String,
        key: Option<RequestKey>,
    ) -> Result<RetentionView, Refused> {
        let subject = self.fresh('h');
        let wish = Wish {
            action: Action::HoldSet,
            about: None,
            may: self.keeper(who).holds,
            subject: subject.clone(),
            detail: None,
        };
        self.change_disposal(who, case, wish, key, move |by, outlook| {
            outlook.disposal.hold(by, &subject, &reason)
        })
        .await
    }

    /// Takes one hold away. Whoever set it leaves that to another.
    pub async fn lift_hold(
        &self,
        who: &Principal,
        case: &str,
        hold: &str,
        reason: String,
        key: Option<RequestKey>,
    ) -> Result<RetentionView, Refused> {
        let hold = hold.to_owned();
        let wish = Wish {
            action: Action::HoldLifted,
            about: Some(hold.clone()),
            may: self.keeper(who).holds,
            subject: hold.clone(),
            detail: None,
        };
        self.change_disposal(who, case, wish, key, move |by, outlook| {
            outlook.disposal.lift(by, &hold, &reason)
        })
        .await
    }

    /// Writes down that the file was handed over to somebody whom the pack names.
    pub async fn hand_file_over(
        &self,
        who: &Principal,
        case: &str,
        (to, on): (String, Date),
        key: Option<RequestKey>,
    ) -> Result<RetentionView, Refused> {
        let recipients = self.file_recipients(who);
        let wish = Wish {
            action: Action::FileTransferred,
            about: None,
            may: self.keeper(who).asks,
            subject: case.to_owned(),
            detail: Some(to.clone()),
        };
        self.change_disposal(who, case, wish, key, move |by, outlook| {
            let state = outlook.state();
            let closed = outlook.closed_on.unwrap_or(state.today);
            let next = outlook.disposal.hand_over(by, &to, on, &state, closed)?;
            if recipients.iter().all(|(known, _)| *known != to) {
                return Err(unknown_recipient(&recipients));
            }
            Ok(next)
        })
        .await
    }

    /// Asks that a file be erased; another decides.
    pub async fn ask_erasure(
        &self,
        who: &Principal,
        case: &str,
        reason: String,
        key: Option<RequestKey>,
    ) -> Result<RetentionView, Refused> {
        let subject = self.fresh('q');
        let wish = Wish {
            action: Action::ErasureAsked,
            about: None,
            may: self.keeper(who).asks,
            subject: subject.clone(),
            detail: None,
        };
        self.change_disposal(who, case, wish, key, move |by, outlook| {
            let state = outlook.state();
            outlook.disposal.ask(by, &subject, &reason, &state)
        })
        .await
    }

    /// Does not agree to what was asked: the file stays.
    pub async fn decline_erasure(
        &self,
        who: &Principal,
        case: &str,
        (request, reason): (String, String),
        key: Option<RequestKey>,
    ) -> Result<RetentionView, Refused> {
        let wish = Wish {
            action: Action::ErasureDeclined,
            about: Some(request.clone()),
            may: self.keeper(who).decides,
            subject: request.clone(),
            detail: None,
        };
        self.change_disposal(who, case, wish, key, move |by, outlook| {
            let state = outlook.state();
            outlook.disposal.decline(by, &request, &reason, &state)
        })
        .await
    }

    fn fresh(&self, prefix: char) -> String {
        let shared = &self.shared;
        id::timed(prefix, shared.now(), &*shared.parts.entropy)
    }

    async fn change_disposal(
        &self,
        who: &Principal,
        case: &str,
        wish: Wish,
        key: Option<RequestKey>,
        change: impl Fn(By<'_>, &Outlook) -> Result<Disposal, Refusal> + Send + 'static,
    ) -> Result<RetentionView, Refused> {
        let author = who.clone();
        let about = wish.about.as_deref().unwrap_or_default();
        let route = format!("{:?} {case} {about}", wish.action);
        self.change_file(who, case, &route, key, move |shared, case, batch| {
            let (disposal, version) = shared.disposal(&case.id)?;
            let (found, guard) = shared.case_row(&case.id)?;
            let mut outlook = shared.outlook_with(found, disposal)?;
            let (stands, walls) = shared.has_wall(&author, &case.id)?;
            let at = shared.now();
            let (acts_for, absences) = shared.acted_for(&author, at)?;
            let by = by(&author, (wish.may, stands), &acts_for, at);
            let next = change(by, &outlook).map_err(Refused::Rule)?;
            batch.guards.extend([guard, absences]);
            batch.guards.extend(walls);
            put_disposal(&case.id, &next, version, batch);
            let detail = wish.detail.as_deref();
            let entry = filed(shared, &author, case, wish.action, &wish.subject, detail);
            batch.audit.push(entry);
            outlook.disposal = next;
            shared.retention_view(&author, &outlook)
        })
        .await
    }
}

impl Shared {
    /// Whether one of their roles has to do with keeping and erasing files.
    pub(super) fn keeps_files(&self, who: &Principal) -> Result<(), Refused> {
        if self.keeper(who).any() {
            return Ok(());
        }
        let sentence = "none of your roles keeps or erases files";
        Err(Refused::Rule(Refusal::new(Code::NotAssigned, sentence)))
    }
}

fn unknown_recipient(known: &[(String, String)]) -> Refusal {
    let known: Vec<_> = known.iter().map(|(word, _)| word.as_str()).collect();
    let sentence = format!("Choose one of: {}", known.join(", "));
    Refusal::mistake("to", sentence)
}
