//! Ways in which it is safe to reach somebody, and whether a message may take one at a moment.
//!
//! A way that is not listed is not used, whatever else is known of the person. It names no number
//! and no address: those stand with the person, and a way is for the one that stood there when
//! somebody said that it is safe.

use std::collections::BTreeSet;

use jiff::civil::{Date, Time, Weekday};
use jiff::{Timestamp, ToSpan, Zoned};
use serde::{Deserialize, Serialize};

use crate::person::{Details, Safety};
use crate::{Code, Person, Refusal};

/// Ways of one person.
pub const WAYS_MAX: usize = 20;
const LANGUAGE_LENGTH_MAX: usize = 35;

/// One way that is safe, as somebody said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Way {
    pub channel: Channel,
    #[serde(default)]
    pub leave: Leave,
    /// Every day when there is none.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub days: BTreeSet<Day>,
    /// At any time of these days without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<Hours>,
    /// What is spoken and written, such as `vi`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Whether whoever calls needs an interpreter.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub interpreter: bool,
    /// The last day on which it counts as safe: it is to be looked at again by then.
    pub review_on: Date,
}

/// How somebody is reached. The names are a format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Channel {
    /// By a colleague: the engine calls nobody.
    PhoneCall,
    TextMessage,
    EMail,
    Letter,
}

/// What may stand where others could read or hear it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Leave {
    /// Only they themselves may be spoken to.
    #[default]
    Nothing,
    /// What is the same for every family and says nothing of the case.
    Neutral,
    /// What says something of the case.
    Content,
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Day {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

/// From one time of day up to another, where the agency is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hours {
    pub from: Time,
    pub until: Time,
}

/// What is about to be sent to somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wish {
    /// Any that the person has, when the document leaves it open.
    pub channel: Option<Channel>,
    /// [`Leave::Neutral`], or [`Leave::Content`] where something of the case stands in it.
    pub leaves: Leave,
}

/// Why a message does not go out at this moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Held {
    /// It is safe from then on.
    Until(Timestamp),
    /// Nobody said that it is safe.
    Unsafe(Refusal),
}

impl Channel {
    pub const ALL: [Self; 4] = [
        Self::PhoneCall,
        Self::TextMessage,
        Self::EMail,
        Self::Letter,
    ];

    /// As API and documents write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PhoneCall => "phone-call",
            Self::TextMessage => "text-message",
            Self::EMail => "e-mail",
            Self::Letter => "letter",
        }
    }

    /// The channel of this name.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == word)
    }

    /// Whether the engine itself sends by it.
    pub const fn is_sent(self) -> bool {
        match self {
            Self::TextMessage | Self::EMail | Self::Letter => true,
            Self::PhoneCall => false,
        }
    }

    /// The number or the address of somebody that it goes to.
    pub fn address_of(self, details: &Details) -> Option<&str> {
        match self {
            Self::PhoneCall | Self::TextMessage => details.phone.as_deref(),
            Self::EMail => details.email.as_deref(),
            Self::Letter => details.address.as_ref().map(|one| one.text.as_str()),
        }
    }
}

impl Leave {
    pub const ALL: [Self; 3] = [Self::Nothing, Self::Neutral, Self::Content];

    /// As API and forms write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Neutral => "neutral",
            Self::Content => "content",
        }
    }

    /// What has this name.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == word)
    }
}

impl Day {
    pub const ALL: [Self; 7] = [
        Self::Mon,
        Self::Tue,
        Self::Wed,
        Self::Thu,
        Self::Fri,
        Self::Sat,
        Self::Sun,
    ];

    /// As API and forms write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mon => "mon",
            Self::Tue => "tue",
            Self::Wed => "wed",
            Self::Thu => "thu",
            Self::Fri => "fri",
            Self::Sat => "sat",
            Self::Sun => "sun",
        }
    }

    const fn of(weekday: Weekday) -> Self {
        match weekday {
            Weekday::Monday => Self::Mon,
            Weekday::Tuesday => Self::Tue,
            Weekday::Wednesday => Self::Wed,
            Weekday::Thursday => Self::Thu,
            Weekday::Friday => Self::Fri,
            Weekday::Saturday => Self::Sat,
            Weekday::Sunday => Self::Sun,
        }
    }
}

impl Way {
    /// Whether it is safe on a day, as far as days go.
    fn is_for(&self, day: Date) -> bool {
        day <= self.review_on
            && (self.days.is_empty() || self.days.contains(&Day::of(day.weekday())))
    }

    fn is_open(&self, now: &Zoned) -> bool {
        let within = |hours: Hours| hours.from <= now.time() && now.time() < hours.until;
        self.is_for(now.date()) && self.hours.is_none_or(within)
    }

    /// When it is next safe, for one that is not at this moment.
    fn opens(&self, now: &Zoned) -> Option<Timestamp> {
        let from = self.hours.map_or(Time::midnight(), |hours| hours.from);
        // A week on is the same day of the week, earlier.
        (0..=7).find_map(|ahead: i64| {
            let day = now.date().checked_add(ahead.days()).ok()?;
            let opens = day.to_datetime(from).to_zoned(now.time_zone().clone());
            let opens = opens.ok()?.timestamp();
            (self.is_for(day) && opens > now.timestamp()).then_some(opens)
        })
    }
}

impl Person {
    /// The way that a message may take at this moment.
    pub fn way_for(&self, wish: Wish, now: &Zoned) -> Result<&Way, Held> {
        let contact = &self.details.contact;
        match contact.safety {
            Safety::Safe => {}
            Safety::DoNotContact => {
                return Err(no_way("this person is not to be contacted at all"));
            }
            Safety::Unknown => {
                return Err(no_way("nobody has said how this person is safe to contact"));
            }
        }
        let wanted = |way: &&Way| match wish.channel {
            Some(channel) => way.channel == channel,
            None => way.channel.is_sent(),
        };
        let listed: Vec<_> = contact.ways.iter().filter(wanted).collect();
        if listed.is_empty() {
            return Err(no_way(match wish.channel {
                Some(channel) => format!("no way by {} is listed as safe", channel.as_str()),
                None => "no way in which a message could be sent is listed as safe".to_owned(),
            }));
        }
        let today = now.date();
        let counts = |way: &&Way| today <= way.review_on;
        let listed: Vec<_> = listed.into_iter().filter(counts).collect();
        if listed.is_empty() {
            return Err(no_way(
                "what is listed as safe was to be looked at again before today",
            ));
        }
        let bears = |way: &&Way| way.leave >= wish.leaves && way.channel.is_sent();
        let listed: Vec<_> = listed.into_iter().filter(bears).collect();
        if listed.is_empty() {
            return Err(no_way(match wish.leaves {
                Leave::Content => "in no way that is listed may others see what is in it",
                Leave::Neutral | Leave::Nothing => "in no way that is listed may a message be left",
            }));
        }
        let reaches = |way: &&Way| way.channel.address_of(&self.details).is_some();
        let listed: Vec<_> = listed.into_iter().filter(reaches).collect();
        if let Some(open) = listed.iter().find(|way| way.is_open(now)) {
            return Ok(open);
        }
        let opens = listed.iter().filter_map(|way| way.opens(now)).min();
        Err(opens.map_or_else(
            || no_way("what is listed as safe does not come again before it is looked at"),
            Held::Until,
        ))
    }
}

fn no_way(reason: impl Into<String>) -> Held {
    let reason = reason.into();
    let sentence = format!(
        "{reason}: ask them, write down how they are safe to reach, and try again, or give this up"
    );
    Held::Unsafe(Refusal::new(Code::UnsafeContact, sentence))
}

/// What is wrong with the ways that are listed, with a person who has the other details.
pub(crate) fn mistakes(details: &Details) -> Vec<String> {
    let contact = &details.contact;
    let mut found = Vec::new();
    let ways = &contact.ways;
    if ways.len() > WAYS_MAX {
        found.push(format!("List at most {WAYS_MAX} ways"));
    }
    if !ways.is_empty() && contact.safety == Safety::Unknown {
        found.push(
            "Say that it is safe to contact this person, or take the ways out of the list"
                .to_owned(),
        );
    }
    for way in ways {
        let name = way.channel.as_str();
        if way.channel.address_of(details).is_none() {
            let needed = match way.channel {
                Channel::PhoneCall | Channel::TextMessage => "a phone number",
                Channel::EMail => "an e-mail address",
                Channel::Letter => "an address",
            };
            found.push(format!("Enter {needed}, or take `{name}` out of the list"));
        }
        if way.hours.is_some_and(|hours| hours.from >= hours.until) {
            found.push(format!(
                "Let the hours of `{name}` begin before they end, on one day"
            ));
        }
        if way
            .language
            .as_deref()
            .is_some_and(|word| !is_language(word))
        {
            found.push(format!(
                "Write the language of `{name}` as a short code such as vi or zh-Hant"
            ));
        }
    }
    found
}

/// Channels whose number or address is another than before while they stay listed: nobody has said
/// that the new one is safe.
pub(crate) fn carried_over(before: &Details, after: &Details) -> Vec<String> {
    let listed = |details: &Details, channel| {
        let mut ways = details.contact.ways.iter();
        ways.any(|way| way.channel == channel)
    };
    Channel::ALL
        .into_iter()
        .filter(|&channel| listed(before, channel) && listed(after, channel))
        .filter(|channel| channel.address_of(before) != channel.address_of(after))
        .map(|channel| {
            format!(
                "`{}` was safe at the number or address that stood here before: take it out, \
                 save, and list it again once they have said that the new one is safe",
                channel.as_str()
            )
        })
        .collect()
}

/// Whether it may stand for a language: letters, digits and hyphens.
pub fn is_language(word: &str) -> bool {
    let sign = |sign: char| sign.is_ascii_alphanumeric() || sign == '-';
    word.len() >= 2 && word.len() <= LANGUAGE_LENGTH_MAX && word.chars().all(sign)
}

#[cfg(test)]
pub(crate) mod tests;
