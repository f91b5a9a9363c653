//! How it is safe to reach somebody, as the API says it.

use casewright_casework::contact::{Channel, Day, Hours, Leave, Way};
use casewright_casework::person::{Contact, Messages, Safety};
use jiff::civil::{Date, Time};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How it is safe to reach somebody.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ContactShape {
    /// `unknown`, `safe` (as `how` says) or `do-not-contact`.
    #[serde(default)]
    #[schema(value_type = String, example = "safe")]
    safety: Safety,
    how: Option<String>,
    /// Whether messages may be left: `no` or `yes`.
    #[serde(default)]
    #[schema(value_type = String, example = "no")]
    messages: Messages,
    /// Ways that are safe. What is not listed is not used by the engine.
    #[serde(default)]
    ways: Vec<WayShape>,
}

/// One way that is safe, to the number or address that stands with the person.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct WayShape {
    /// `phone-call`, `text-message`, `e-mail` or `letter`.
    #[schema(value_type = String, example = "text-message")]
    channel: Channel,
    /// What may be left where others could read or hear it: `nothing`, `neutral` (what is the same
    /// for every family) or `content`.
    #[serde(default)]
    #[schema(value_type = String, example = "neutral")]
    leave: Leave,
    /// `mon` to `sun`; every day when it is empty.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    days: Vec<Day>,
    /// From and until which time of day, where the agency is; at any time without.
    hours: Option<HoursShape>,
    /// A short code such as `vi`.
    language: Option<String>,
    /// Whether whoever calls needs an interpreter.
    #[serde(default)]
    interpreter: bool,
    /// The last day on which it counts as safe.
    #[schema(value_type = String, format = Date)]
    review_on: Date,
}

#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct HoursShape {
    #[schema(value_type = String, example = "09:00:00")]
    from: Time,
    #[schema(value_type = String, example = "17:00:00")]
    until: Time,
}

impl ContactShape {
    pub(super) fn into_contact(self) -> Contact {
        Contact {
            safety: self.safety,
            how: self.how,
            messages: self.messages,
            ways: self.ways.into_iter().map(Way::from).collect(),
            code_word: None,
        }
    }
}

impl From<Contact> for ContactShape {
    fn from(contact: Contact) -> Self {
        Self {
            safety: contact.safety,
            how: contact.how,
            messages: contact.messages,
            ways: contact.ways.into_iter().map(WayShape::from).collect(),
        }
    }
}

impl From<WayShape> for Way {
    fn from(shape: WayShape) -> Self {
        Self {
            channel: shape.channel,
            leave: shape.leave,
            days: shape.days.into_iter().collect(),
            hours: shape.hours.map(|hours| Hours {
                from: hours.from,
                until: hours.until,
            }),
            language: shape.language,
            interpreter: shape.interpreter,
            review_on: shape.review_on,
        }
    }
}

impl From<Way> for WayShape {
    fn from(way: Way) -> Self {
        Self {
            channel: way.channel,
            leave: way.leave,
            days: way.days.into_iter().collect(),
            hours: way.hours.map(|hours| HoursShape {
                from: hours.from,
                until: hours.until,
            }),
            language: way.language,
            interpreter: way.interpreter,
            review_on: way.review_on,
        }
    }
}
