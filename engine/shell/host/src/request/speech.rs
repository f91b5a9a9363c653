//! How one request says who asks: at once, or with a digest after the server has asked for it.
//!
//! What is said is put in after every check, and every form of it that a server may repeat is known
//! here, so that it can be taken out of the answer.

use url::Url;

use super::digest::{self, Challenge, Turn};
use super::{Credential, Failed, FailedKind, Outgoing, Requests};
use crate::grant::Secret;
use crate::http;
use crate::origin::Origin;

/// Shortest word that is looked for in an answer. Shorter ones stand in any text by chance.
const SECRET_BYTES_MIN: usize = 4;

/// What one request says, from its first hop to its last.
pub(super) struct Speech<'a> {
    credential: Option<&'a Credential>,
    sealed: &'a [Secret],
    memory: &'a digest::Memory,
    key: digest::Key,
    turn: Option<Turn>,
    /// Whether the turn was kept from an earlier request.
    recalled: bool,
    /// Whether a challenge of this very request was answered: the next 401 is the answer.
    answered: bool,
    /// Hashes that were sent.
    sent: Vec<String>,
}

impl Requests {
    pub(super) fn speech<'a>(&'a self, request: &'a Outgoing, target: &Url) -> Speech<'a> {
        let mut speech = Speech {
            credential: request.credential.as_ref(),
            sealed: &request.sealed.words,
            memory: &self.challenges,
            key: digest::Key::default(),
            turn: None,
            recalled: false,
            answered: false,
            sent: Vec::new(),
        };
        if let Some(Credential::Digest(user, password)) = &request.credential {
            let origin = Origin::of(target).to_string();
            speech.key = digest::key(&request.owner, &origin, user, password);
            speech.again();
        }
        speech
    }
}

impl Speech<'_> {
    /// The header of the next request.
    pub(super) fn said(&mut self, request: &Outgoing, to: &Url) -> Result<Option<String>, Failed> {
        let Some(credential) = self.credential else {
            return Ok(None);
        };
        Ok(match credential {
            Credential::Basic(user, password) => {
                Some(http::headers::basic(user, password.expose()))
            }
            Credential::Bearer(token) => Some(format!("Bearer {}", token.expose())),
            Credential::Digest(user, password) => {
                let Some(turn) = self.turn.take() else {
                    return Ok(None);
                };
                let uri = to.query().map_or_else(
                    || to.path().to_owned(),
                    |query| format!("{}?{query}", to.path()),
                );
                let own = digest::fresh().map_err(refused)?;
                let of = (request.method.as_str(), uri.as_str());
                let said = digest::answer(&turn, (user, password), of, &own);
                self.sent.extend(digest::response(&said));
                Some(said)
            }
        })
    }

    /// After a 401: whether there is something to answer that was not answered yet.
    pub(super) fn asked(&mut self, headers: &[(String, String)]) -> Result<bool, Failed> {
        if !matches!(self.credential, Some(Credential::Digest(..))) {
            return Ok(false);
        }
        if self.answered {
            self.memory.forget(&self.key);
            return Ok(false);
        }
        let recalled = std::mem::take(&mut self.recalled);
        let Some(challenge) = Challenge::of(headers).map_err(refused)? else {
            // What was kept did not fit, and the server does not say what would: it is asked.
            self.memory.forget(&self.key);
            return Ok(recalled);
        };
        self.turn = Some(self.memory.learn(self.key, challenge));
        self.answered = true;
        Ok(true)
    }

    /// Before another hop to the same server.
    pub(super) fn again(&mut self) {
        self.turn = self.memory.next(&self.key);
        self.recalled = self.turn.is_some();
        self.answered = false;
    }

    /// Every form in which a server may repeat what was said.
    pub(super) fn words(&self) -> Vec<Vec<u8>> {
        let mut words: Vec<Vec<u8>> = self.sealed.iter().flat_map(sealed_words).collect();
        let Some(credential) = self.credential else {
            return words;
        };
        let (secret, coded) = match credential {
            Credential::Basic(user, secret) => {
                let header = http::headers::basic(user, secret.expose());
                let coded = header.split_once(' ').map_or("", |(_, coded)| coded);
                (secret.expose(), coded.to_owned())
            }
            Credential::Bearer(secret) | Credential::Digest(_, secret) => {
                (secret.expose(), secret.expose().to_owned())
            }
        };
        let quoted = within_json(secret);
        let said = [secret, &coded, &quoted].into_iter();
        let said = said.chain(self.sent.iter().map(String::as_str));
        let said = said.filter(|word| word.len() >= SECRET_BYTES_MIN);
        words.extend(said.map(|word| word.as_bytes().to_vec()));
        words
    }
}

/// Without the quotes around it; one that ends the text is its own.
fn within_json(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    let inner = quoted
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    inner.unwrap_or(&quoted).to_owned()
}

/// As it is, within JSON, and within an address.
fn sealed_words(secret: &Secret) -> impl Iterator<Item = Vec<u8>> {
    let plain = secret.expose().to_owned();
    let quoted = within_json(&plain);
    let coded = url::form_urlencoded::byte_serialize(plain.as_bytes()).collect::<String>();
    let percent = coded.replace('+', "%20");
    let forms = [quoted, coded, percent, plain];
    let forms = forms
        .into_iter()
        .filter(|word| word.len() >= SECRET_BYTES_MIN);
    forms.map(String::into_bytes)
}

fn refused(message: String) -> Failed {
    Failed {
        kind: FailedKind::Refused,
        message,
    }
}
