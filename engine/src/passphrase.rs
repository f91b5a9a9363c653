//! Passphrases that a person can read from a screen and type.

use std::io;

/// 64 of them, so that each stands for six bits.
const WORDS: &[&str; 64] = &[
    "amber", "anchor", "apple", "autumn", "bamboo", "basket", "beacon", "birch", "bridge",
    "candle", "canyon", "cedar", "cherry", "clover", "cobalt", "copper", "coral", "cotton",
    "cricket", "dune", "ember", "falcon", "feather", "fern", "fjord", "garnet", "ginger",
    "glacier", "granite", "harbour", "hazel", "heron", "indigo", "island", "ivory", "jasmine",
    "juniper", "kettle", "lagoon", "lantern", "lemon", "lilac", "linen", "maple", "marble",
    "meadow", "mint", "nectar", "ocean", "olive", "opal", "orchard", "pebble", "pepper", "pine",
    "plum", "quartz", "river", "saffron", "silver", "spruce", "thistle", "walnut", "willow",
];

/// So many random words and a number: six bits for each word and eight more.
pub(crate) fn new(words: usize) -> io::Result<String> {
    let mut bytes = vec![0_u8; words + 1];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    let (number, bytes) = bytes.split_last().expect("one more than words");
    let mut all: Vec<String> = bytes
        .iter()
        .map(|byte| WORDS[usize::from(*byte) % WORDS.len()].to_owned())
        .collect();
    all.push(number.to_string());
    Ok(all.join("-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passphrase_has_its_words_and_is_new_each_time() {
        let made = new(7).unwrap();
        let parts: Vec<&str> = made.split('-').collect();
        assert_eq!(parts.len(), 8);
        assert!(parts[..7].iter().all(|word| WORDS.contains(word)));
        assert_ne!(new(7).unwrap(), made);
    }
}
