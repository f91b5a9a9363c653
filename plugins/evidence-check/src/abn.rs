//! The Australian Business Number: eleven digits with a checksum.

/// By position; the sum of the weighted digits, the first less one, divides by 89.
const WEIGHTS: [u32; 11] = [10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19];

/// The digits, when the text is eleven of them, with or without the usual spaces.
pub(crate) fn digits(text: &str) -> Option<[u8; 11]> {
    let mut digits = [0; 11];
    let mut count = 0;
    for c in text.chars().filter(|c| *c != ' ') {
        *digits.get_mut(count)? = u8::try_from(c.to_digit(10)?).ok()?;
        count += 1;
    }
    (count == digits.len()).then_some(digits)
}

/// Whether the checksum holds.
pub(crate) fn holds(digits: [u8; 11]) -> bool {
    let Some(first) = digits[0].checked_sub(1) else {
        return false;
    };
    let rest = digits[1..].iter().copied();
    let digits = std::iter::once(first).chain(rest).map(u32::from);
    digits
        .zip(WEIGHTS)
        .map(|(digit, weight)| digit * weight)
        .sum::<u32>()
        % 89
        == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_numbers() {
        for good in ["51 824 753 556", "53004085616", "99 000 000 000"] {
            assert!(digits(good).is_some_and(holds), "{good}");
        }
        assert!(!digits("51 824 753 557").is_some_and(holds));
        assert!(!digits("01 824 753 556").is_some_and(holds));
        for shapeless in [
            "5182475355",
            "518247535566",
            "51-824-753-556",
            "",
            "５1824753556",
        ] {
            assert_eq!(digits(shapeless), None, "{shapeless}");
        }
    }
}
