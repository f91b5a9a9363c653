//! "Did you mean": the nearest known word.

/// The known word that was probably meant, when one is near enough.
pub(crate) fn similar<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = word.to_lowercase();
    let budget = (word.chars().count() / 3).clamp(1, 3);
    known
        .into_iter()
        .map(|candidate| {
            let distance = strsim::damerau_levenshtein(&lower, &candidate.to_lowercase());
            (distance, candidate)
        })
        .filter(|(distance, _)| *distance <= budget)
        .min_by_key(|(distance, candidate)| (*distance, *candidate))
        .map(|(_, candidate)| candidate)
}

/// "did you mean `x`?" or the list of what may stand there; `none` when nothing is known.
pub(crate) fn suggestion<'a>(
    word: &str,
    known: impl IntoIterator<Item = &'a str>,
    none: &str,
) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    match similar(word, known.iter().copied()) {
        Some(candidate) => format!("did you mean `{candidate}`?"),
        None if known.is_empty() => none.to_owned(),
        None => format!("write one of: {}", listed(known)),
    }
}

/// `` `a`, `b`, `c` ``
pub(crate) fn listed<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<String> = words.into_iter().map(|word| format!("`{word}`")).collect();
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_near_words_are_suggested() {
        let known = ["call", "switch", "differentPersonFrom"];
        assert_eq!(similar("cal", known), Some("call"));
        assert_eq!(similar("Switch", known), Some("switch"));
        assert_eq!(
            similar("differentpersonFrm", known),
            Some("differentPersonFrom")
        );
        assert_eq!(similar("set", known), None);
        assert_eq!(suggestion("x", [], "there is none"), "there is none");
        assert_eq!(suggestion("zzz", ["a", "b"], ""), "write one of: `a`, `b`");
    }
}
