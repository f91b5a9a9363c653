//! A supplier's invoice: whether it can be one, and whether it was paid before.

use casewright_sdk::prelude::*;

use crate::finding::{Code, Finding};
use crate::{abn, amount_is_sound, not_in_future};

/// The goods and services tax is an eleventh of a price that includes it.
const GST_PARTS: i64 = 11;

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Invoice {
    number: Line<40>,
    /// The supplier's ABN.
    #[schemars(length(max = 14))]
    tax_id: String,
    /// The total, tax included.
    money: Money,
    /// The tax within the total.
    gst: Option<Money>,
    date: Date,
}

/// An invoice paid before.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Paid {
    number: Line<40>,
    #[schemars(length(max = 14))]
    tax_id: String,
    money: Money,
}

impl Invoice {
    /// What no rule can be held against.
    pub(crate) fn sound(&self, currency: Currency, today: Date) -> Result<(), Error> {
        amount_is_sound("/invoice/money", self.money, currency)?;
        not_in_future("/invoice/date", self.date, today)?;
        if abn::digits(&self.tax_id).is_none() {
            return Err(Error::invalid_input(
                "/invoice/taxId",
                "must be eleven digits",
            ));
        }
        match self.gst {
            Some(gst) => self.gst_is_sound(gst, currency),
            None => Ok(()),
        }
    }

    /// Some lines may be free of tax, so it can be less than an eleventh, but never more; suppliers
    /// round it either way.
    fn gst_is_sound(&self, gst: Money, currency: Currency) -> Result<(), Error> {
        if gst.currency != currency {
            let problem = "must be the currency of the request";
            return Err(Error::invalid_input("/invoice/gst/currency", problem));
        }
        if gst.minor < 0 || gst.minor > (self.money.minor + GST_PARTS - 1) / GST_PARTS {
            let problem = "does not add up: tax is at most an eleventh of the total";
            return Err(Error::invalid_input("/invoice/gst/minor", problem));
        }
        Ok(())
    }

    pub(crate) fn findings(&self, earlier: &[Paid]) -> Vec<Finding> {
        let mut findings = Vec::new();
        if !abn::digits(&self.tax_id).is_some_and(abn::holds) {
            let message = "the supplier's ABN on the invoice has a wrong checksum";
            findings.push(Finding::error(Code::AbnInvalid, message));
        }
        if earlier.iter().any(|paid| self.is(paid)) {
            let message = "an invoice of this supplier, number and amount was paid before";
            findings.push(Finding::error(Code::DuplicateInvoice, message));
        }
        findings
    }

    /// Supplier, number and amount make an invoice the same, however somebody typed them.
    fn is(&self, paid: &Paid) -> bool {
        essence(&self.tax_id) == essence(&paid.tax_id)
            && essence(&self.number) == essence(&paid.number)
            && self.money == paid.money
    }
}

fn essence(text: &str) -> String {
    text.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_uppercase)
        .collect()
}
