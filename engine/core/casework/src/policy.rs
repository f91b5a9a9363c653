//! Limits by role and amount: who alone may approve how much.

use serde::{Deserialize, Serialize};

use crate::{Money, Principal, Refusal};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    pub name: String,
    pub rows: Vec<Row>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    pub role: String,
    pub up_to: Money,
}

impl Policy {
    /// The role under which this principal may approve the amount; `over-limit` otherwise.
    pub fn permits(&self, _who: &Principal, _amount: &Money) -> Result<String, Refusal> {
        unimplemented!()
    }
}
