//! Secrets and written words as credentials. No sentence here holds a value.

use casewright_host::grant::Secret;
use casewright_host::request::Credential;
use casewright_language::workflow::Scheme;
use casewright_machine::http::{Authentication, Source, Unanswered};
use serde_json::{Map, Value};

use super::Http;

impl Http {
    /// What somebody says to be known, from a secret or as it was written.
    pub(super) fn words(
        &self,
        agency: &str,
        who: &Authentication,
    ) -> Result<Map<String, Value>, Unanswered> {
        let name = match &who.from {
            Source::Words(words) => return Ok(words.clone()),
            Source::Secret(name) => name,
        };
        Ok(read(who.scheme, self.secret(agency, name)?))
    }

    /// The value that the operator gives documents of this agency.
    pub(super) fn secret(&self, agency: &str, name: &str) -> Result<&str, Unanswered> {
        let mut sides = self.sides(agency);
        let value = sides.find_map(|side| side.secrets.get(name));
        value.map(String::as_str).ok_or_else(|| {
            Unanswered::NoSecret(format!(
                "the secret `{name}` has no value here: the operator gives it one with `--secret \
                 {name}=FILE`, or with `{name} = \"FILE\"` under [http.secrets] of the server's \
                 configuration"
            ))
        })
    }
}

/// A secret is an object, as the language has it, or what people write into a file.
fn read(scheme: Scheme, value: &str) -> Map<String, Value> {
    if let Ok(Value::Object(members)) = serde_json::from_str(value) {
        return members;
    }
    let pairs = match scheme {
        Scheme::Basic | Scheme::Digest => {
            value.split_once(':').map_or_else(Vec::new, |(user, word)| {
                vec![("username", user), ("password", word)]
            })
        }
        Scheme::Bearer => vec![("token", value)],
        Scheme::Oauth2 | Scheme::Oidc => Vec::new(),
    };
    let pairs = pairs.into_iter();
    pairs
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect()
}

/// The credential that these words are; the sentence names what is missing.
pub(super) fn of(scheme: Scheme, words: &Map<String, Value>) -> Result<Credential, String> {
    let word = |name: &str| {
        let word = words.get(name).and_then(Value::as_str);
        let word = word.filter(|word| !word.is_empty());
        word.ok_or_else(|| format!("it has no `{name}`"))
    };
    let pair = || Ok::<_, String>((word("username")?.to_owned(), Secret::new(word("password")?)));
    match scheme {
        Scheme::Basic => pair().map(|(user, word)| Credential::Basic(user, word)),
        Scheme::Digest => pair().map(|(user, word)| Credential::Digest(user, word)),
        Scheme::Bearer => Ok(Credential::Bearer(Secret::new(word("token")?))),
        Scheme::Oauth2 | Scheme::Oidc => Err("a token has to be asked for first".to_owned()),
    }
}

/// Says what would be a credential.
pub(super) fn unfit(who: &Authentication, reason: &str) -> Unanswered {
    let Source::Secret(name) = &who.from else {
        let scheme = who.scheme.name();
        return Unanswered::Invalid(format!("`{scheme}` of `authentication`: {reason}"));
    };
    let holds = match who.scheme {
        Scheme::Basic | Scheme::Digest => "`name:password`, or JSON with `username` and `password`",
        Scheme::Bearer => "the token, or JSON with `token`",
        Scheme::Oauth2 | Scheme::Oidc => {
            "JSON as a document would write it, with `authority`, `grant` and `client`"
        }
    };
    Unanswered::NoSecret(format!(
        "the secret `{name}` is no such credential ({reason}): its file holds {holds}"
    ))
}
