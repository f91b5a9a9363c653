//! What is wrong with an application before anything of it is sent.

use casewright_sdk::prelude::*;

use crate::{Application, Role};

/// Above it somebody typed a yearly income, or cents twice.
const WEEKLY_MINOR_MAX: i64 = 2_000_000;
const APPLICANTS_MAX: usize = 20;
const WISHES_MAX: usize = 10;
const REASONS_MIN: usize = 2;
const REASONS_MAX: usize = 8;
const DOCUMENTS_MAX: usize = 20;
const BEDROOMS_MAX: u8 = 8;

pub(crate) fn application(application: &Application, context: &Context) -> Result<(), Error> {
    let wrong = |field: &str, problem: String| Err(Error::invalid_input(field, problem));
    let count = application.applicants.len();
    if !(1..=APPLICANTS_MAX).contains(&count) {
        return wrong("/applicants", format!("must be 1 to {APPLICANTS_MAX}"));
    }
    let leads = application
        .applicants
        .iter()
        .filter(|one| one.role == Role::Applicant);
    if leads.count() != 1 {
        return wrong(
            "/applicants",
            "must have exactly one with the role applicant".into(),
        );
    }
    if !(1..=WISHES_MAX).contains(&application.suburb_wishes.len()) {
        return wrong("/suburbWishes", format!("must be 1 to {WISHES_MAX}"));
    }
    if !(1..=BEDROOMS_MAX).contains(&application.bedrooms) {
        return wrong("/bedrooms", format!("must be 1 to {BEDROOMS_MAX}"));
    }
    reasons(application)?;
    if !(0..=WEEKLY_MINOR_MAX).contains(&application.weekly_income.minor) {
        let problem = format!("must be between 0 and {WEEKLY_MINOR_MAX}");
        return wrong("/weeklyIncome/minor", problem);
    }
    births(application, context)?;
    documents(application, context)
}

fn reasons(application: &Application) -> Result<(), Error> {
    let reasons = &application.wellbeing_reasons;
    let repeated = (1..reasons.len()).find(|&index| reasons[..index].contains(&reasons[index]));
    if let Some(index) = repeated {
        let field = format!("/wellbeingReasons/{index}");
        return Err(Error::invalid_input(&field, "is given twice"));
    }
    if !(REASONS_MIN..=REASONS_MAX).contains(&reasons.len()) {
        let problem = format!("must be {REASONS_MIN} to {REASONS_MAX}: the register asks for two");
        return Err(Error::invalid_input("/wellbeingReasons", problem));
    }
    Ok(())
}

/// Nobody is born after the application; a child on the way is told the register by the family.
fn births(application: &Application, context: &Context) -> Result<(), Error> {
    let today = context.step_started_unix_ms / 86_400_000;
    // A day later already east of Greenwich.
    let latest = i64::try_from(today).unwrap_or(i64::MAX).saturating_add(1);
    for (index, one) in application.applicants.iter().enumerate() {
        if one
            .date_of_birth
            .is_some_and(|birth| birth.days_since_epoch() > latest)
        {
            let field = format!("/applicants/{index}/dateOfBirth");
            return Err(Error::invalid_input(&field, "is in the future"));
        }
    }
    Ok(())
}

/// A reference to a document of another case is no slip of the pen.
fn documents(application: &Application, context: &Context) -> Result<(), Error> {
    if application.documents.len() > DOCUMENTS_MAX {
        let problem = format!("must be at most {DOCUMENTS_MAX}");
        return Err(Error::invalid_input("/documents", problem));
    }
    for (index, document) in application.documents.iter().enumerate() {
        let field = format!("/documents/{index}/ref");
        let parts = document.reference.strip_prefix("doc:");
        let Some((case, name)) = parts.and_then(|parts| parts.split_once('/')) else {
            let problem = "must be a reference such as doc:CASE/DOCUMENT";
            return Err(Error::invalid_input(&field, problem));
        };
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if name.is_empty() || !name.chars().all(plain) {
            let problem = "must be a reference such as doc:CASE/DOCUMENT";
            return Err(Error::invalid_input(&field, problem));
        }
        if case != context.case_id {
            let sentence = format!("`{field}` names a document that is not of this case");
            return Err(
                Error::permanent("denied", sentence).with_details(json!({ "field": field }))
            );
        }
    }
    Ok(())
}
