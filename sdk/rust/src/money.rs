//! Money as the whole engine writes it: whole minor units and a currency, never a float.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserializer, Unexpected, Visitor};
use serde::{Deserialize, Serialize};

/// An amount: `{"minor": 130000, "currency": "AUD"}` is 1,300 dollars.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct Money {
    /// In the smallest unit of the currency: cents of a dollar.
    pub minor: i64,
    /// ISO 4217, three capitals.
    pub currency: Currency,
}

impl Money {
    /// An amount of so many minor units.
    pub const fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }
}

/// An ISO 4217 code, by its shape: three capitals.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

impl Currency {
    /// Australian dollars.
    pub const AUD: Self = Self(*b"AUD");
    /// Dollars of the United States.
    pub const USD: Self = Self(*b"USD");

    /// `None` unless the text is three capitals.
    pub fn new(text: &str) -> Option<Self> {
        let letters: [u8; 3] = text.as_bytes().try_into().ok()?;
        letters
            .iter()
            .all(u8::is_ascii_uppercase)
            .then_some(Self(letters))
    }

    /// The code.
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).expect("three ASCII capitals")
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Currency {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl Visitor<'_> for Reader {
            type Value = Currency;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a currency of three capitals such as AUD")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Currency::new(text)
                    .ok_or_else(|| E::invalid_value(Unexpected::Other("text"), &self))
            }
        }

        deserializer.deserialize_str(Reader)
    }
}

impl JsonSchema for Currency {
    fn schema_name() -> Cow<'static, str> {
        "Currency".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[A-Z]{3}$" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_reads_and_writes_whole_units_only() {
        let money: Money = serde_json::from_str(r#"{"minor":130000,"currency":"AUD"}"#).unwrap();
        assert_eq!(money, Money::new(130_000, Currency::AUD));
        assert_eq!(
            serde_json::to_string(&money).unwrap(),
            r#"{"minor":130000,"currency":"AUD"}"#
        );
        for bad in [
            r#"{"minor":1300.5,"currency":"AUD"}"#,
            r#"{"minor":"130000","currency":"AUD"}"#,
            r#"{"minor":99999999999999999999,"currency":"AUD"}"#,
            r#"{"minor":1,"currency":"aud"}"#,
            r#"{"minor":1,"currency":"AUDS"}"#,
            r#"{"minor":1,"currency":null}"#,
            r#"{"minor":1,"currency":"AUD","cents":2}"#,
        ] {
            assert!(serde_json::from_str::<Money>(bad).is_err(), "{bad}");
        }
    }
}
