//! What a server asks for in `WWW-Authenticate`: the strongest of its digest challenges.
//!
//! Headers are read as the grammar of RFC 9110 has it: several challenges may stand in one header,
//! and commas separate both challenges and their words.

/// A digest challenge that can be answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::request) struct Challenge {
    pub(super) realm: String,
    pub(super) nonce: String,
    pub(super) opaque: Option<String>,
    pub(super) algorithm: Algorithm,
    /// The server said which; otherwise it is MD5 and not repeated.
    pub(super) algorithm_named: bool,
    /// `qop=auth`; servers from before it existed leave it out.
    pub(super) protected: bool,
    /// The user's name is sent as a hash.
    pub(super) hides_user: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::request) struct Algorithm {
    pub(super) hash: Hash,
    /// The nonce goes into what stands for the user.
    pub(super) session: bool,
}

/// Weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::request) enum Hash {
    Md5,
    Sha256,
    Sha512Of256,
}

const ALGORITHMS: [(&str, Hash, bool); 6] = [
    ("MD5", Hash::Md5, false),
    ("MD5-sess", Hash::Md5, true),
    ("SHA-256", Hash::Sha256, false),
    ("SHA-256-sess", Hash::Sha256, true),
    ("SHA-512-256", Hash::Sha512Of256, false),
    ("SHA-512-256-sess", Hash::Sha512Of256, true),
];

impl Algorithm {
    pub(super) fn name(self) -> &'static str {
        let mut known = ALGORITHMS.iter();
        let found = known.find(|(_, hash, session)| (*hash, *session) == (self.hash, self.session));
        found.map_or("MD5", |(name, _, _)| name)
    }

    fn named(text: &str) -> Option<Self> {
        let mut known = ALGORITHMS.iter();
        let found = known.find(|(name, _, _)| name.eq_ignore_ascii_case(text));
        found.map(|&(_, hash, session)| Self { hash, session })
    }
}

impl Challenge {
    /// The strongest challenge of an answer's headers; `None` when no digest is asked for. The
    /// sentence says why none of them can be answered.
    pub(in crate::request) fn of(headers: &[(String, String)]) -> Result<Option<Self>, String> {
        let asked = headers
            .iter()
            .filter(|(name, _)| name == "www-authenticate");
        let asked = asked.flat_map(|(_, value)| challenges(value));
        let digests = asked.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("digest"));
        let read: Vec<Result<Self, String>> =
            digests.map(|(_, words)| Self::read(&words)).collect();
        let refused = read.iter().find_map(|one| one.as_ref().err()).cloned();
        let best = read.into_iter().flatten().max_by_key(|one| one.algorithm);
        match (best, refused) {
            (Some(best), _) => Ok(Some(best)),
            (None, Some(reason)) => Err(reason),
            (None, None) => Ok(None),
        }
    }

    fn read(words: &[(String, String)]) -> Result<Self, String> {
        let word = |wanted: &str| {
            let mut words = words.iter();
            let found = words.find(|(name, _)| name.eq_ignore_ascii_case(wanted));
            found.map(|(_, value)| value.clone())
        };
        let named = word("algorithm");
        let algorithm = Algorithm::named(named.as_deref().unwrap_or("MD5")).ok_or(
            "the server asks for a digest with an algorithm that the engine does not have; it has \
             MD5, SHA-256 and SHA-512-256",
        )?;
        let qualities = word("qop");
        let auth = |text: &String| {
            text.split(',')
                .any(|one| one.trim().eq_ignore_ascii_case("auth"))
        };
        if qualities.as_ref().is_some_and(|text| !auth(text)) {
            let reason = "the server asks for a digest without `qop=auth`, the one kind that the \
                          engine has";
            return Err(reason.to_owned());
        }
        let (Some(realm), Some(nonce)) = (word("realm"), word("nonce")) else {
            return Err("the server asks for a digest without `realm` or `nonce`".to_owned());
        };
        Ok(Self {
            realm,
            nonce,
            opaque: word("opaque"),
            algorithm,
            algorithm_named: named.is_some(),
            protected: qualities.is_some(),
            hides_user: word("userhash").is_some_and(|it| it.eq_ignore_ascii_case("true")),
        })
    }
}

/// A scheme with its words.
type Asked = (String, Vec<(String, String)>);

/// The challenges of one header.
fn challenges(header: &str) -> Vec<Asked> {
    let mut found: Vec<Asked> = Vec::new();
    for part in parts(header) {
        let end = part.find(|sign: char| sign == '=' || sign.is_ascii_whitespace());
        let (first, rest) = part.split_at(end.unwrap_or(part.len()));
        let rest = rest.trim_start();
        if let (Some(value), Some((_, words))) = (rest.strip_prefix('='), found.last_mut()) {
            words.push((first.to_owned(), unquoted(value.trim())));
            continue;
        }
        let mut words = Vec::new();
        if let Some((name, value)) = rest.split_once('=') {
            words.push((name.trim().to_owned(), unquoted(value.trim())));
        }
        found.push((first.to_owned(), words));
    }
    found
}

/// What stands between commas that are in no quotes.
fn parts(header: &str) -> Vec<&str> {
    let (mut quoted, mut escaped, mut from) = (false, false, 0);
    let mut found = Vec::new();
    for (at, sign) in header.char_indices() {
        match sign {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ',' if !quoted => {
                found.push(header[from..at].trim());
                from = at + 1;
            }
            _ => {}
        }
    }
    found.push(header[from..].trim());
    found.retain(|part| !part.is_empty());
    found
}

fn unquoted(text: &str) -> String {
    let inner = text
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    let Some(inner) = inner else {
        return text.to_owned();
    };
    let mut plain = String::with_capacity(inner.len());
    let mut signs = inner.chars();
    while let Some(sign) = signs.next() {
        plain.extend(if sign == '\\' {
            signs.next()
        } else {
            Some(sign)
        });
    }
    plain
}
