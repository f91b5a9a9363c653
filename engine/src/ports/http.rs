//! `call: http` and `call: openapi`: requests of documents, under what pack and operator allow. The
//! values of secrets are here alone; they are put into a request when it is sent.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant};

use casewright_host::grant::Secret;
use casewright_host::request::{
    ANSWER_BYTES_MAX, Allowed, Credential, FailedKind, Outgoing, Requests, Sealed,
};
use casewright_language::workflow::Scheme;
use casewright_machine::http::{Answer, Authentication, Request, Unanswered};
use casewright_machine::{CallError, ErrorKind};
use casewright_runtime::port::{Invocation, Reply};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use oauth::{Asking, Endpoint};
use tokens::{Given, Token, Tokens};

mod credential;
mod description;
mod oauth;
mod sealed;
mod tokens;

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
    tokens: Tokens,
    operator: Operator,
    /// What packs name, by agency: who named nothing asks nobody.
    bound: RwLock<BTreeMap<String, Vec<String>>>,
}

/// The time that a call may take, with all that is asked for it.
struct Patience(Instant);

impl Patience {
    fn begin() -> Self {
        Self(Instant::now())
    }

    fn left(&self) -> Duration {
        Requests::patience().saturating_sub(self.0.elapsed())
    }

    /// A request that is sent with no time for its answer would only be in doubt.
    fn suffices(&self) -> Result<(), Unanswered> {
        if self.left() >= LEFT_MIN {
            return Ok(());
        }
        let sentence = "no time is left for the request after asking for its token";
        Err(Unanswered::NoToken(504, sentence.to_owned()))
    }
}

/// Least time that a request is given.
const LEFT_MIN: Duration = Duration::from_secs(1);

impl Http {
    pub(crate) fn new(operator: Operator) -> Self {
        Self {
            requests: Requests::default(),
            tokens: Tokens::default(),
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
        let (agency, key) = (&invocation.agency, &invocation.key);
        let sealed = self.unsealed(agency, &request.sealed);
        let sealed = sealed.map_err(|unanswered| unanswered.error(&request))?;
        let outgoing = Outgoing {
            sealed,
            ..outgoing(&request, agency, key)
        };
        let authentication = request.authentication.as_ref();
        match self.authenticated(agency, outgoing, authentication).await {
            Ok(answer) => answer.output(&request, key).map(Reply::Done),
            Err(unanswered) => Err(unanswered.error(&request)),
        }
    }

    /// Sends a request as whoever it says.
    async fn authenticated(
        &self,
        agency: &str,
        outgoing: Outgoing,
        who: Option<&Authentication>,
    ) -> Result<Answer, Unanswered> {
        let patience = Patience::begin();
        let Some(who) = who else {
            return self.send(agency, outgoing, &patience).await;
        };
        let words = self.words(agency, who)?;
        let unfit = |reason: String| credential::unfit(who, &reason);
        if matches!(who.scheme, Scheme::Oauth2 | Scheme::Oidc) {
            let asking = Asking::of(who.scheme, &words).map_err(unfit)?;
            let key = token_key(agency, who.scheme, &words);
            return self
                .with_token(agency, outgoing, (&asking, key), &patience)
                .await;
        }
        let credential = credential::of(who.scheme, &words).map_err(unfit)?;
        let outgoing = Outgoing {
            credential: Some(credential),
            ..outgoing
        };
        self.send(agency, outgoing, &patience).await
    }

    /// A kept token may have been taken back: its 401 is worth another one, once.
    async fn with_token(
        &self,
        agency: &str,
        outgoing: Outgoing,
        (asking, key): (&Asking, tokens::Key),
        patience: &Patience,
    ) -> Result<Answer, Unanswered> {
        let bearer = |token: &Token| Outgoing {
            credential: Some(Credential::Bearer(Secret::new(&token.text))),
            ..outgoing.clone()
        };
        let now = Instant::now();
        let ask = self.ask(agency, asking, patience);
        let Given { token, kept } = self.tokens.get(key, None, now, ask).await?;
        patience.suffices()?;
        let answer = self.send(agency, bearer(&token), patience).await?;
        if answer.status != 401 || !kept {
            return Ok(answer);
        }
        let ask = self.ask(agency, asking, patience);
        let again = self.tokens.get(key, Some(&token), now, ask).await?;
        patience.suffices()?;
        self.send(agency, bearer(&again.token), patience).await
    }

    async fn ask(
        &self,
        agency: &str,
        asking: &Asking,
        patience: &Patience,
    ) -> Result<Token, Unanswered> {
        let url = match asking.endpoint() {
            Endpoint::Known(url) => url,
            Endpoint::Described(address) => {
                let look_up = Asking::look_up(address, agency);
                let answer = self.send(agency, look_up, patience).await;
                Asking::described(&answer.map_err(no_token)?)?
            }
        };
        let asked = Instant::now();
        let answer = self.send(agency, asking.ask(url, agency), patience).await;
        let given = asking.given(&answer.map_err(no_token)?)?;
        Ok(Token::new(given.text, asked, given.life))
    }

    async fn send(
        &self,
        agency: &str,
        outgoing: Outgoing,
        patience: &Patience,
    ) -> Result<Answer, Unanswered> {
        let allowed = self.allowed(agency);
        let answered = self
            .requests
            .send(&allowed, outgoing, patience.left())
            .await;
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
                FailedKind::Refused => Unanswered::NotKnown(failed.message),
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
}

fn outgoing(request: &Request, agency: &str, key: &str) -> Outgoing {
    Outgoing {
        method: request.method_name().to_owned(),
        url: request.uri.clone(),
        headers: request.headers_sent(key),
        body: request.body_sent(),
        credential: None,
        sealed: Sealed::default(),
        follow: request.redirect,
        answer_bytes_max: ANSWER_BYTES_MAX,
        owner: agency.to_owned(),
    }
}

/// All that goes into asking, and whose it is.
fn token_key(agency: &str, scheme: Scheme, words: &Map<String, Value>) -> tokens::Key {
    let mut hash = Sha256::new();
    for part in [agency, scheme.name()] {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    hash.update(Value::Object(words.clone()).to_string());
    hash.finalize().into()
}

/// What went wrong before the request itself was sent: it certainly did nothing.
fn no_token(unanswered: Unanswered) -> Unanswered {
    let told = |message: &str| format!("no token: {message}");
    match unanswered {
        Unanswered::TimedOut(message) => Unanswered::NoToken(504, told(&message)),
        Unanswered::Broken(message) => Unanswered::NoToken(502, told(&message)),
        Unanswered::Unreachable(message) => Unanswered::NoToken(503, told(&message)),
        Unanswered::Invalid(message) => Unanswered::Invalid(told(&message)),
        Unanswered::NotAllowed(_)
        | Unanswered::NoSecret(_)
        | Unanswered::NotKnown(_)
        | Unanswered::NoToken(..) => unanswered,
    }
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
    use casewright_machine::http::Source;

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

    fn secret(
        http: &Http,
        agency: &str,
        name: &str,
        scheme: Scheme,
    ) -> Result<Credential, Unanswered> {
        let who = Authentication {
            scheme,
            from: Source::Secret(name.to_owned()),
        };
        let words = http.words(agency, &who)?;
        credential::of(scheme, &words).map_err(|reason| credential::unfit(&who, &reason))
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
            ("pair", Scheme::Digest, true),
            ("token", Scheme::Digest, false),
            ("token", Scheme::Bearer, true),
            ("object", Scheme::Bearer, true),
            ("object", Scheme::Basic, true),
            ("pair", Scheme::Basic, true),
            ("token", Scheme::Basic, false),
            ("nothing", Scheme::Bearer, false),
            ("absent", Scheme::Bearer, false),
        ] {
            let found = secret(&http, "south", name, scheme);
            assert_eq!(found.is_ok(), expected, "{name}");
            let shown = format!("{found:?}");
            assert!(!shown.contains("abc") && !shown.contains("pw:x"), "{shown}");
        }
        assert!(!format!("{:?}", http.operator).contains("abc"));
    }

    #[test]
    fn what_is_one_agencys_is_no_other_agencys() {
        let http = http(&[]);
        assert!(secret(&http, "north", "own", Scheme::Bearer).is_ok());
        assert!(secret(&http, "south", "own", Scheme::Bearer).is_err());
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

    #[test]
    fn a_request_is_not_sent_without_time_for_its_answer() {
        assert!(Patience::begin().suffices().is_ok());
        let long_ago = Instant::now().checked_sub(Requests::patience());
        let spent = Patience(long_ago.unwrap()).suffices();
        assert!(matches!(spent, Err(Unanswered::NoToken(504, _))));
    }

    #[test]
    fn a_token_is_nobody_elses() {
        let key = |agency: &str, scheme, words: &str| {
            let Ok(Value::Object(words)) = serde_json::from_str(words) else {
                panic!("an object")
            };
            token_key(agency, scheme, &words)
        };
        let own = key("north", Scheme::Oauth2, r#"{"scopes":["a"],"grant":"g"}"#);
        assert_eq!(
            own,
            key("north", Scheme::Oauth2, r#"{"grant":"g","scopes":["a"]}"#)
        );
        for other in [
            key("south", Scheme::Oauth2, r#"{"scopes":["a"],"grant":"g"}"#),
            key("north", Scheme::Oidc, r#"{"scopes":["a"],"grant":"g"}"#),
            key("north", Scheme::Oauth2, r#"{"scopes":["b"],"grant":"g"}"#),
        ] {
            assert_ne!(own, other);
        }
    }
}
