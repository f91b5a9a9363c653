//! Messages that the engine sends: to whom, what colleagues are told, and the record that one was
//! about to go out.
//!
//! The record holds no content and no address. Who is reached and how is decided each time
//! something is sent, with [`Person::way_for`]; colleagues are told one constant and a number.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::contact::{Channel, Way};
use crate::person::Relation;
use crate::{Code, Person, Refusal};

/// All that a colleague is ever told, but for the number: no document can put anything beside it.
pub const TO_STAFF: &str = "You have a task in Casewright.";

/// Longest value that stands in a message.
pub const VALUE_LENGTH_MAX: usize = 100;

/// What a task wants sent: the input of its call.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    pub to: To,
    /// Any that is safe without.
    #[serde(default)]
    pub channel: Option<Channel>,
    /// A message of the pack; colleagues are told [`TO_STAFF`].
    #[serde(default)]
    pub template: Option<String>,
    /// What stands in it.
    #[serde(default)]
    pub data: BTreeMap<String, Value>,
}

/// To whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum To {
    /// Id of a person of the case.
    Person(String),
    /// The only person of the case who is this to it.
    Relation(Relation),
    /// Colleagues who hold a role.
    Role(String),
    /// Colleagues of a team.
    Team(String),
    /// One colleague.
    Staff(String),
}

/// That a message was about to go out: written before it does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    pub id: String,
    pub case: String,
    pub at: Timestamp,
    pub instance: String,
    /// JSON pointer of the task.
    pub task: String,
    /// From 1; another attempt is another sending.
    pub attempt: u32,
    /// As the document names them.
    pub to: To,
    /// Ids of the person, or of the colleagues, that this came to.
    pub recipients: Vec<String>,
    /// How a person was reached; how colleagues are is not the engine's matter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub way: Option<Way>,
    /// Name of a message of the pack.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
}

impl Order {
    /// The error is a sentence that repeats no value.
    pub fn of(input: &Value) -> Result<Self, String> {
        let order = Self::deserialize(input).map_err(|_| {
            "notify takes `to` with one of person, relation, role, team and staff, and for \
             somebody of the case `template`, and perhaps `channel` and `data`"
                .to_owned()
        })?;
        let content = order.template.is_some() || !order.data.is_empty();
        if order.to.is_staff() && (content || order.channel.is_some()) {
            return Err("colleagues are told that they have a task, and nothing else".to_owned());
        }
        if !order.to.is_staff() && order.template.is_none() {
            return Err("somebody of the case is told what `template` says".to_owned());
        }
        Ok(order)
    }

    /// What stands in the message, as text; the error is a sentence that repeats no value.
    pub fn values(&self) -> Result<BTreeMap<String, String>, String> {
        let text = |(name, value): (&String, &Value)| {
            let text = match value {
                Value::String(text) => Some(text.trim().to_owned()),
                Value::Number(number) => Some(number.to_string()),
                Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
            };
            let short = |text: &String| {
                let length = text.chars().count();
                (1..=VALUE_LENGTH_MAX).contains(&length) && !text.contains(char::is_control)
            };
            let text = text.filter(short).ok_or_else(|| {
                format!("`{name}` must be one line of at most {VALUE_LENGTH_MAX} characters")
            })?;
            Ok((name.clone(), text))
        };
        self.data.iter().map(text).collect()
    }
}

impl To {
    /// Whether it is about colleagues.
    pub const fn is_staff(&self) -> bool {
        match self {
            Self::Role(_) | Self::Team(_) | Self::Staff(_) => true,
            Self::Person(_) | Self::Relation(_) => false,
        }
    }

    /// Who of the case is meant; nobody is guessed.
    pub fn person<'p>(&self, persons: &'p [Person]) -> Result<&'p Person, Refusal> {
        let refused = |sentence: String| Err(Refusal::new(Code::UnsafeContact, sentence));
        match self {
            Self::Person(id) => match persons.iter().find(|person| person.id == *id) {
                Some(person) => Ok(person),
                None => refused("whom it is for is not a person of this case".to_owned()),
            },
            Self::Relation(relation) => {
                let fits = |person: &&Person| person.details.relation == *relation;
                let found: Vec<_> = persons.iter().filter(fits).collect();
                match found.as_slice() {
                    [only] => Ok(only),
                    none_or_several => refused(format!(
                        "{} people of this case stand in it as `{}`: a message goes to exactly one",
                        none_or_several.len(),
                        relation.as_str(),
                    )),
                }
            }
            Self::Role(_) | Self::Team(_) | Self::Staff(_) => {
                refused("colleagues are no persons of the case".to_owned())
            }
        }
    }
}

/// What colleagues are told; `reference` is a number of a case.
pub fn to_staff(reference: &str) -> String {
    format!("{TO_STAFF} Reference: {reference}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::contact::tests::person;

    #[test]
    fn colleagues_are_told_one_constant_and_a_number() {
        assert_eq!(
            to_staff("IFS-2026-00007"),
            "You have a task in Casewright. Reference: IFS-2026-00007"
        );
        let bare = json!({"to": {"role": "team-leader"}});
        assert!(Order::of(&bare).is_ok());
        for more in [
            json!({"template": "hello"}),
            json!({"data": {"name": "Mai"}}),
            json!({"channel": "e-mail"}),
        ] {
            let mut order = bare.clone();
            let more = more.as_object().unwrap().clone();
            order.as_object_mut().unwrap().extend(more);
            assert!(Order::of(&order).is_err(), "{order}");
        }
    }

    #[test]
    fn an_order_names_one_receiver_and_what_is_said() {
        let order = |to: Value| Order::of(&json!({"to": to, "template": "call-us"}));
        assert!(order(json!({"person": "p1"})).is_ok());
        assert!(order(json!({"relation": "parent"})).is_ok());
        assert!(order(json!({"relation": "neighbour"})).is_err());
        assert!(order(json!({"person": null})).is_err());
        assert!(order(json!({"person": "p1", "relation": "parent"})).is_err());
        assert!(order(json!("p1")).is_err());
        assert!(Order::of(&json!({"to": {"person": "p1"}})).is_err());
    }

    #[test]
    fn a_value_is_one_short_line() {
        let value = |value: Value| {
            let order = json!({"to": {"person": "p"}, "template": "t", "data": {"day": value}});
            Order::of(&order).unwrap().values()
        };
        assert_eq!(value(json!(" Monday ")).unwrap()["day"], "Monday");
        assert_eq!(value(json!(3)).unwrap()["day"], "3");
        let longest = "x".repeat(VALUE_LENGTH_MAX);
        assert!(value(json!(longest)).is_ok());
        for bad in [
            json!(longest + "x"),
            json!(""),
            json!("a\nb"),
            json!(null),
            json!(["a"]),
        ] {
            let sentence = value(bad).unwrap_err();
            assert!(!sentence.contains("xx"), "{sentence}");
        }
    }

    #[test]
    fn nobody_is_guessed() {
        let mut other = person();
        other.id = "p2".to_owned();
        let both = [person(), other];
        let id = To::Person("p2".to_owned());
        assert_eq!(id.person(&both).unwrap().id, "p2");
        let gone = To::Person("p3".to_owned()).person(&both).unwrap_err();
        assert_eq!(gone.code, Code::UnsafeContact);
        let parent = To::Relation(Relation::Parent);
        assert_eq!(parent.person(&both[..1]).unwrap().id, "p1");
        assert!(parent.person(&both).is_err());
        assert!(parent.person(&[]).is_err());
    }
}
