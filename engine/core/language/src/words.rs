//! Plain words for names that programs use: `team-leader` becomes "Team leader".

/// A key, role or outcome as a label.
pub fn humanize(name: &str) -> String {
    let mut words = String::new();
    let mut before: Option<char> = None;
    for character in name.chars() {
        let joint = matches!(character, '-' | '_' | '.' | ' ');
        let hump = character.is_uppercase()
            && before.is_some_and(|before| before.is_lowercase() || before.is_ascii_digit());
        if (joint || hump) && !words.is_empty() && !words.ends_with(' ') {
            words.push(' ');
        }
        if !joint {
            if words.is_empty() {
                words.extend(character.to_uppercase());
            } else if hump {
                words.extend(character.to_lowercase());
            } else {
                words.push(character);
            }
        }
        before = Some(character);
    }
    words
}

/// The same within a sentence.
pub fn phrase(name: &str) -> String {
    let words = humanize(name);
    let mut characters = words.chars();
    match (characters.next(), characters.clone().next()) {
        (Some(first), Some(second)) if second.is_uppercase() => {
            format!("{first}{}", characters.as_str())
        }
        (Some(first), _) => format!("{}{}", first.to_lowercase(), characters.as_str()),
        (None, _) => words,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_words() {
        for (name, words) in [
            ("team-leader", "Team leader"),
            ("ask-for-changes", "Ask for changes"),
            ("needBy", "Need by"),
            ("supplier.name", "Supplier name"),
            ("taxId", "Tax id"),
            ("NDIS_plan", "NDIS plan"),
            ("", ""),
            ("--", ""),
        ] {
            assert_eq!(humanize(name), words);
        }
        assert_eq!(phrase("team-leader"), "team leader");
        assert_eq!(phrase("NDIS-plan"), "NDIS plan");
        assert_eq!(phrase(""), "");
    }
}
