//! Texts of a request that hold secrets, with the values put in. No sentence here holds a value.

use std::collections::BTreeMap;

use casewright_host::grant::Secret;
use casewright_host::request;
use casewright_language::workflow::Piece;
use casewright_machine::http::{Sealed, Unanswered};

use super::Http;

impl Http {
    /// Refuses a secret that has no value for this agency.
    pub(super) fn unsealed(
        &self,
        agency: &str,
        sealed: &Sealed,
    ) -> Result<request::Sealed, Unanswered> {
        let mut words = Vec::new();
        Ok(request::Sealed {
            headers: self.filled(agency, &sealed.headers, &mut words)?,
            query: self.filled(agency, &sealed.query, &mut words)?,
            words,
        })
    }

    fn filled(
        &self,
        agency: &str,
        texts: &BTreeMap<String, Vec<Piece>>,
        words: &mut Vec<Secret>,
    ) -> Result<Vec<(String, Secret)>, Unanswered> {
        let mut filled = Vec::new();
        for (name, pieces) in texts {
            let mut text = String::new();
            for piece in pieces {
                match piece {
                    Piece::Text(written) => text.push_str(written),
                    Piece::Secret(name) => {
                        let value = self.secret(agency, name)?;
                        if value.is_empty() || value.contains(char::is_control) {
                            return Err(Unanswered::NoSecret(format!(
                                "the secret `{name}` cannot stand in a request: its file holds one \
                                 line of text"
                            )));
                        }
                        words.push(Secret::new(value));
                        text.push_str(value);
                    }
                }
            }
            filled.push((name.clone(), Secret::new(text)));
        }
        Ok(filled)
    }
}
