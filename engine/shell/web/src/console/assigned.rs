//! Who a task was given to, in words.

use serde_json::Value;

use crate::console::words;

/// "team leader", "the housing team", "one person".
pub(crate) fn phrase(assigned: &Value) -> String {
    let name = |key: &str| assigned.get(key).and_then(Value::as_str);
    if let Some(role) = name("role") {
        words::phrase(role)
    } else if let Some(team) = name("team") {
        format!("the {} team", words::phrase(team))
    } else if name("person").is_some() {
        "one person".to_owned()
    } else {
        "nobody named".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn assignments_read_as_words() {
        for (assigned, words) in [
            (json!({"role": "team-leader"}), "team leader"),
            (json!({"team": "housing"}), "the housing team"),
            (json!({"person": "u-amina"}), "one person"),
            (json!(null), "nobody named"),
        ] {
            assert_eq!(phrase(&assigned), words);
        }
    }
}
