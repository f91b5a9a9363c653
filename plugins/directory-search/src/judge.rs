//! Whether a service may help this family, and why.

use crate::directory::{Area, Service, Status};
use crate::{Eligible, Family, Found, Location, Why, hours};

/// `None` for what is no longer offered.
pub(crate) fn judged(service: Service, family: &Family) -> Option<Found> {
    let closed = match service.status {
        Status::Active => false,
        Status::TemporarilyClosed => true,
        Status::Inactive | Status::Defunct => return None,
    };
    let mut why = Vec::new();
    let mut eligible = area(&service.areas, &family.postcode, &mut why);
    if !family.ages.is_empty() {
        eligible = eligible.max(ages(&service, &family.ages, &mut why));
    }
    if let Some(language) = &family.language {
        let spoken = service
            .languages
            .iter()
            .any(|one| one.code.as_ref() == Some(language));
        why.push(if spoken {
            Why::LanguageSpoken
        } else {
            // An interpreter can be asked for: no reason to leave it out.
            Why::LanguageNotListed
        });
    }
    if closed {
        why.push(Why::ClosedForATime);
    }
    let open = family.at.and_then(|at| hours::open(&service.schedules, at));
    let location = location(&service);
    Some(Found {
        service_id: service.id.to_string(),
        name: service.name.to_string(),
        organization: service.organization.map(|one| one.name.to_string()),
        phone: service.phones.first().map(|phone| phone.number.to_string()),
        email_domain: service.email.as_deref().and_then(domain),
        eligible,
        why,
        open_now: if closed { Some(false) } else { open },
        closed,
        location,
        documents: service
            .required_documents
            .into_iter()
            .filter_map(|one| Some(one.document?.to_string()))
            .collect(),
        languages: service
            .languages
            .into_iter()
            .filter_map(|one| Some(one.name?.to_string()))
            .collect(),
    })
}

/// Areas are written in many ways; only lists of postcodes can be compared.
fn area(areas: &[Area], postcode: &str, why: &mut Vec<Why>) -> Eligible {
    let lists: Vec<&str> = areas
        .iter()
        .filter_map(|area| area.extent.as_deref()?.strip_prefix("postcode:"))
        .collect();
    let served = lists
        .iter()
        .any(|list| list.split(',').any(|one| one.trim() == postcode));
    let (eligible, reason) = match (served, lists.is_empty()) {
        (true, _) => (Eligible::Yes, Why::AreaServed),
        (false, true) => (Eligible::Maybe, Why::AreaUnknown),
        (false, false) => (Eligible::No, Why::AreaNotServed),
    };
    why.push(reason);
    eligible
}

/// Some children may fit where others do not: somebody has to ask then.
fn ages(service: &Service, ages: &[u8], why: &mut Vec<Why>) -> Eligible {
    let least = service.minimum_age.unwrap_or(f64::MIN);
    let most = service.maximum_age.unwrap_or(f64::MAX);
    let fits = |age: &&u8| (least..=most).contains(&f64::from(**age));
    let count = ages.iter().filter(fits).count();
    let (eligible, reason) = match count {
        0 => (Eligible::No, Why::AgesDoNotFit),
        count if count == ages.len() => (Eligible::Yes, Why::AgesFit),
        _ => (Eligible::Maybe, Why::AgesFit),
    };
    why.push(reason);
    eligible
}

/// HSDS has no field for it, so directories write it into name or description. When in doubt a
/// refuge stays hidden.
fn location(service: &Service) -> Location {
    let says = |text: &str| {
        let text = text.to_lowercase();
        ["confidential", "undisclosed", "by phone only"]
            .iter()
            .any(|word| text.contains(word))
    };
    if says(&service.name) || service.description.as_deref().is_some_and(says) {
        Location::Confidential
    } else {
        Location::Public
    }
}

fn domain(email: &str) -> Option<String> {
    let (_, domain) = email.rsplit_once('@')?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'.' || b == b'-';
    (!domain.is_empty() && domain.bytes().all(plain)).then(|| domain.to_owned())
}
