//! An invoice is paid once: the same supplier, number and amount under another key is refused,
//! however it is written.
//!
//! Small differences in writing make no other invoice: case, blanks and punctuation do not count.
//! How rows of paid invoices are kept is the shell's; nothing of an invoice stands in their keys.

use serde::{Deserialize, Serialize};

use crate::{Code, Money, Refusal};

/// Longest supplier or number, in characters.
pub const WORDS_LENGTH_MAX: usize = 200;

/// What an invoice is told apart by, in the form that is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invoice {
    supplier: String,
    number: String,
}

/// By what an invoice was paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settled {
    pub fund: String,
    pub reservation: String,
    pub case: String,
}

impl Invoice {
    /// The supplier by tax number or by name, and the number that the supplier gave it.
    pub fn new(supplier: &str, number: &str) -> Result<Self, Refusal> {
        let read = |what: &str, written: &str| {
            let kept = compared(written);
            if kept.is_empty() || written.chars().count() > WORDS_LENGTH_MAX {
                let sentence = format!(
                    "the {what} of an invoice has letters or digits, and at most \
                     {WORDS_LENGTH_MAX} characters"
                );
                return Err(Refusal::new(Code::InvoiceInvalid, sentence));
            }
            Ok(kept)
        };
        Ok(Self {
            supplier: read("supplier", supplier)?,
            number: read("number", number)?,
        })
    }

    /// What two payments of the same invoice have in common, to be hashed before it is kept.
    pub fn print(&self, money: &Money) -> String {
        let (minor, currency) = (money.minor, &money.currency);
        format!("{}\0{}\0{minor}\0{currency}", self.supplier, self.number)
    }
}

impl Settled {
    /// Whether another payment of it may be made by this reservation of this case, whose number is
    /// told only to itself: what a run was told is shown to everybody who sees its case.
    pub fn admits(&self, reservation: &str, case: &str, number: &str) -> Result<(), Refusal> {
        if self.reservation == reservation {
            return Ok(());
        }
        let sentence = if self.case == case {
            format!("this invoice was paid already, in this case ({number})")
        } else {
            "this invoice was paid already, in another case".to_owned()
        };
        Err(Refusal::new(Code::DuplicateInvoice, sentence))
    }
}

/// Letters and digits in lower case; everything else is writing.
fn compared(written: &str) -> String {
    let kept = written.chars().filter(|c| c.is_alphanumeric());
    kept.flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn print(supplier: &str, number: &str, minor: i64) -> String {
        let invoice = Invoice::new(supplier, number).unwrap();
        invoice.print(&Money::new(minor, "AUD"))
    }

    #[test]
    fn writing_makes_no_other_invoice_and_everything_else_does() {
        let first = print("Bed World Pty. Ltd.", "INV-0042/a", 5);
        assert_eq!(first, print("  BED WORLD pty ltd", "inv 0042 A", 5));
        assert_eq!(print("MÖBEL-HAUS", "1", 5), print("Möbel Haus", "1", 5));
        for other in [
            print("Bed Worlds Pty Ltd", "INV-0042/a", 5),
            print("Bed World Pty Ltd", "INV-0042/b", 5),
            print("Bed World Pty Ltd", "INV-0042/a", 6),
            // Parts do not run into each other.
            print("Bed World Pty LtdI", "NV-0042/a", 5),
        ] {
            assert_ne!(first, other);
        }
    }

    #[test]
    fn an_invoice_says_who_sent_it_and_which_one_it_is() {
        let long = "x".repeat(WORDS_LENGTH_MAX + 1);
        for (supplier, number) in [("", "1"), ("A", " - "), ("...", "1"), (&long, "1")] {
            let refused = Invoice::new(supplier, number).unwrap_err();
            assert_eq!(refused.code, Code::InvoiceInvalid);
        }
    }

    #[test]
    fn another_case_is_not_named() {
        let settled = Settled {
            fund: "f".to_owned(),
            reservation: "k".to_owned(),
            case: "c-1".to_owned(),
        };
        assert_eq!(settled.admits("k", "c-2", "IFS-2"), Ok(()));
        let told = |case| settled.admits("l", case, "IFS-7").unwrap_err().message;
        assert!(told("c-1").contains("IFS-7"));
        assert!(!told("c-2").contains("IFS"));
    }
}
