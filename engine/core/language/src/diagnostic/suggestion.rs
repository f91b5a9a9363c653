//! "Did you mean": the nearest known word.

/// How many words are listed before the rest is only counted.
const LISTED_MAX: usize = 24;

/// The known word that was probably meant, when one is near enough.
pub(crate) fn similar<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = word.to_lowercase();
    let length = word.chars().count();
    let budget = (length / 3).clamp(1, 3);
    known
        .into_iter()
        .filter(|candidate| candidate.chars().count().abs_diff(length) <= budget)
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
    let mut words = words.into_iter();
    let mut shown: Vec<String> = words
        .by_ref()
        .take(LISTED_MAX)
        .map(|word| format!("`{word}`"))
        .collect();
    let more = words.count();
    if more > 0 {
        shown.push(format!("and {more} more"));
    }
    shown.join(", ")
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
