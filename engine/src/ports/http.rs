//! `call: http`: requests of documents, under what pack and operator allow. The values of secrets
//! are here alone; they are put into a request when it is sent.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{PoisonError, RwLock};

use casewright_host::grant::Secret;
use casewright_host::request::{Allowed, Credential, FailedKind, Outgoing, Requests};
use casewright_language::workflow::Scheme;
use casewright_machine::http::{Answer, Request, Source, Unanswered};
use casewright_machine::{CallError, ErrorKind};
use casewright_runtime::port::{Invocation, Reply};
use serde_json::Value;

/// What the operator lets documents use.
#[derive(Clone, Default)]
pub(crate) struct Side {
    /// `HOST:PORT`, or origins.
    pub(crate) hosts: Vec<String>,
    /// Name to value.
    pub(crate) secrets: BTreeMap<String, String>,
}

impl fmt::Debug for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Side")
            .field("hosts", &self.hosts)
            .field("secrets", &self.secrets.keys())
            .finish()
    }
}

/// The operator's side: for documents of every agency, and more for those of one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Operator {
    pub(crate) everybody: Side,
    pub(crate) agencies: BTreeMap<String, Side>,
    /// Whether no pack has a say.
    pub(crate) alone: bool,
}

pub(crate) struct Http {
    requests: Requests,
    operator: Operator,
    /// What packs name, by agency: who named nothing asks nobody.
    bound: RwLock<BTreeMap<String, Vec<String>>>,
}

impl Http {
    pub(crate) fn new(operator: Operator) -> Self {
        Self {
            requests: Requests::default(),
            operator,
            bound: RwLock::default(),
        }
    }

    /// The hosts that a pack names take the place of those it named before.
    pub(crate) fn bind(&self, agency: &str, hosts: Vec<String>) {
        let mut bound = self.bound.write().unwrap_or_else(PoisonError::into_inner);
        bound.insert(agency.to_owned(), hosts);
    }

    pub(crate) async fn call(&self, invocation: Invocation) -> Result<Reply, CallError> {
        let Some(request) = Request::of(&invocation.input) else {
            return Err(no_request());
        };
        let answer = match self.outgoing(&request, &invocation) {
            Ok(outgoing) => self.send(&invocation.agency, outgoing).await,
            Err(unanswered) => Err(unanswered),
        };
        match answer {
            Ok(answer) => answer.output(&request, &invocation.key).map(Reply::Done),
            Err(unanswered) => Err(unanswered.error(&request)),
        }
    }

    async fn send(&self, agency: &str, outgoing: Outgoing) -> Result<Answer, Unanswered> {
        let allowed = self.allowed(agency);
        let patience = Requests::patience();
        let answered = self.requests.send(&allowed, outgoing, patience).await;
        answered
            .map(|incoming| Answer {
                status: incoming.status,
                headers: incoming.headers,
                body: incoming.body,
            })
            .map_err(|failed| match failed.kind {
                FailedKind::Denied => Unanswered::NotAllowed(failed.message),
                FailedKind::Invalid => Unanswered::Invalid(failed.message),
                FailedKind::Unreachable => Unanswered::Unreachable(failed.message),
                FailedKind::TimedOut => Unanswered::TimedOut(failed.message),
                FailedKind::Broken => Unanswered::Broken(failed.message),
            })
    }

    fn sides(&self, agency: &str) -> impl Iterator<Item = &Side> {
        let own = self.operator.agencies.get(agency);
        own.into_iter().chain([&self.operator.everybody])
    }

    fn allowed(&self, agency: &str) -> Allowed {
        let bound = self.bound.read().unwrap_or_else(PoisonError::into_inner);
        let named = || bound.get(agency).cloned().unwrap_or_default();
        let pack = (!self.operator.alone).then(named);
        let hosts = self.sides(agency).flat_map(|side| side.hosts.clone());
        Allowed {
            pack,
            operator: hosts.collect(),
        }
    }

    fn outgoing(&self, request: &Request, of: &Invocation) -> Result<Outgoing, Unanswered> {
        let credential = match &request.authentication {
            None => None,
            Some(authentication) => {
                let scheme = authentication.scheme;
                Some(match &authentication.from {
                    Source::Words(words) => credential(scheme, words)
                        .ok_or_else(|| Unanswered::Invalid("the credential is none".to_owned()))?,
                    Source::Secret(name) => self.secret(&of.agency, name, scheme)?,
                })
            }
        };
        Ok(Outgoing {
            method: request.method_name().to_owned(),
            url: request.uri.clone(),
            headers: request.headers_sent(&of.key),
            body: request.body_sent(),
            credential,
            follow: request.redirect,
        })
    }

    fn secret(&self, agency: &str, name: &str, scheme: Scheme) -> Result<Credential, Unanswered> {
        let mut sides = self.sides(agency);
        let Some(value) = sides.find_map(|side| side.secrets.get(name)) else {
            return Err(Unanswered::NoSecret(format!(
                "the secret `{name}` has no value here: the operator gives it one with `--secret \
                 {name}=FILE`, or with `{name} = \"FILE\"` under [http.secrets] of the server's \
                 configuration"
            )));
        };
        credential(scheme, &words(scheme, value)).ok_or_else(|| {
            let holds = match scheme {
                Scheme::Basic => "`name:password`, or JSON with `username` and `password`",
                Scheme::Bearer => "the token, or JSON with `token`",
            };
            Unanswered::NoSecret(format!(
                "the secret `{name}` is no such credential: its file holds {holds}"
            ))
        })
    }
}

/// A secret is an object, as the language has it, or what people write into a file.
fn words(scheme: Scheme, value: &str) -> BTreeMap<String, String> {
    if let Ok(Value::Object(members)) = serde_json::from_str(value) {
        let text = |(name, value): (String, Value)| Some((name, value.as_str()?.to_owned()));
        return members.into_iter().filter_map(text).collect();
    }
    let pairs = match scheme {
        Scheme::Basic => value.split_once(':').map_or_else(Vec::new, |(user, word)| {
            vec![("username", user), ("password", word)]
        }),
        Scheme::Bearer => vec![("token", value)],
    };
    let pairs = pairs.into_iter();
    pairs
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn credential(scheme: Scheme, words: &BTreeMap<String, String>) -> Option<Credential> {
    let word = |name: &str| words.get(name).filter(|word| !word.is_empty());
    Some(match scheme {
        Scheme::Basic => {
            Credential::Basic(word("username")?.clone(), Secret::new(word("password")?))
        }
        Scheme::Bearer => Credential::Bearer(Secret::new(word("token")?)),
    })
}

fn no_request() -> CallError {
    CallError {
        kind: ErrorKind::Permanent,
        code: "validation".to_owned(),
        status: 400,
        message: "the input of the call is no request".to_owned(),
        details: None,
        retry_after_ms: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn http(secrets: &[(&str, &str)]) -> Http {
        let secrets = secrets.iter();
        let secrets = secrets.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let everybody = Side {
            hosts: vec!["a.example:443".to_owned()],
            secrets: secrets.collect(),
        };
        let own = Side {
            hosts: vec!["b.example:443".to_owned()],
            secrets: BTreeMap::from([("own".to_owned(), "only-theirs".to_owned())]),
        };
        Http::new(Operator {
            everybody,
            agencies: BTreeMap::from([("north".to_owned(), own)]),
            alone: false,
        })
    }

    #[test]
    fn a_secret_is_an_object_or_what_people_write() {
        let all = [
            ("token", "abc"),
            (
                "object",
                "{\"token\":\"abc\",\"username\":\"kim\",\"password\":\"pw:x\"}",
            ),
            ("pair", "kim:pw:x"),
            ("nothing", ""),
        ];
        let http = http(&all);
        for (name, scheme, expected) in [
            ("token", Scheme::Bearer, true),
            ("object", Scheme::Bearer, true),
            ("object", Scheme::Basic, true),
            ("pair", Scheme::Basic, true),
            ("token", Scheme::Basic, false),
            ("nothing", Scheme::Bearer, false),
            ("absent", Scheme::Bearer, false),
        ] {
            let found = http.secret("south", name, scheme);
            assert_eq!(found.is_ok(), expected, "{name}");
            let shown = format!("{found:?}");
            assert!(!shown.contains("abc") && !shown.contains("pw:x"), "{shown}");
        }
        assert!(!format!("{:?}", http.operator).contains("abc"));
    }

    #[test]
    fn what_is_one_agencys_is_no_other_agencys() {
        let http = http(&[]);
        assert!(http.secret("north", "own", Scheme::Bearer).is_ok());
        assert!(http.secret("south", "own", Scheme::Bearer).is_err());
        assert_eq!(
            http.allowed("north").operator,
            ["b.example:443", "a.example:443"]
        );
        assert_eq!(http.allowed("south").operator, ["a.example:443"]);
    }

    #[test]
    fn an_agency_whose_pack_says_nothing_asks_nobody() {
        let http = http(&[]);
        assert_eq!(http.allowed("north").pack, Some(Vec::new()));
        http.bind("north", vec!["a.example:443".to_owned()]);
        assert_eq!(
            http.allowed("north").pack,
            Some(vec!["a.example:443".to_owned()])
        );
        let alone = Operator {
            alone: true,
            ..Operator::default()
        };
        assert_eq!(Http::new(alone).allowed("north").pack, None);
    }
}
