//! Who a task was given to, in words.

use casewright_runtime::view::WorkItemView;
use serde_json::{Value, json};

use crate::console::words;

/// Everybody who may take it: "team leader or service manager".
pub(crate) fn phrase_of_all(item: &WorkItemView) -> String {
    let mut words = vec![phrase(&item.assigned)];
    for escalated in item.escalated_to.iter().map(phrase) {
        if !words.contains(&escalated) {
            words.push(escalated);
        }
    }
    words.join(" or ")
}

/// `role service-manager`, as the record of a case names those asked as well.
pub(crate) fn phrase_of_bucket(bucket: &str) -> String {
    let (kind, name) = bucket.split_once(' ').unwrap_or_default();
    phrase(&json!({ kind: name }))
}

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
        assert_eq!(phrase_of_bucket("role service-manager"), "service manager");
        assert_eq!(phrase_of_bucket("team housing"), "the housing team");
        assert_eq!(phrase_of_bucket(""), "nobody named");
    }
}
