//! Who is asking: a bearer token, or the console's session cookie. It only looks; whether they may
//! is decided by the engine.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use casewright_casework::Principal;
use casewright_runtime::Refused;
use sha2::{Digest, Sha256};

use crate::problem::Problem;
use crate::{Settings, Site, origin};

/// A known principal and how they showed it.
#[derive(Debug, Clone)]
pub(crate) struct Visitor {
    pub(crate) principal: Principal,
    pub(crate) via: Via,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Via {
    Token,
    /// The secret of the session, from the cookie.
    Session(String),
}

/// Name of the session cookie. The prefix makes browsers hold it to this host and to TLS.
pub(crate) const fn cookie_name(settings: &Settings) -> &'static str {
    if settings.secure_cookies {
        "__Host-casewright"
    } else {
        "casewright"
    }
}

/// The `Set-Cookie` value that opens a session.
pub(crate) fn cookie_set(settings: &Settings, secret: &str) -> String {
    let secure = if settings.secure_cookies {
        "; Secure"
    } else {
        ""
    };
    let name = cookie_name(settings);
    format!("{name}={secret}; Path=/; HttpOnly; SameSite=Lax{secure}")
}

/// The `Set-Cookie` value that ends it in the browser.
pub(crate) fn cookie_clear(settings: &Settings) -> String {
    format!("{}; Max-Age=0", cookie_set(settings, ""))
}

/// The session secret, if exactly one was sent: two are a sign of somebody planting one.
pub(crate) fn session_secret(settings: &Settings, headers: &HeaderMap) -> Option<String> {
    let name = cookie_name(settings);
    let mut found = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(key, value)| *key == name && !value.is_empty());
    let (_, secret) = found.next()?;
    found.next().is_none().then(|| secret.to_owned())
}

/// What forms of this session carry, so that a page from elsewhere cannot make one.
pub(crate) fn form_token(secret: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(b"casewright form token\0");
    hash.update(secret.as_bytes());
    hex(&hash.finalize()[..16])
}

/// Compares without telling by its duration where the first difference is.
pub(crate) fn form_token_fits(secret: &str, given: &str) -> bool {
    let expected = form_token(secret);
    expected.len() == given.len()
        && expected
            .bytes()
            .zip(given.bytes())
            .fold(0, |difference, (a, b)| difference | (a ^ b))
            == 0
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| char::from(DIGITS[usize::from(digit)]))
        .collect()
}

impl Visitor {
    /// The person behind the session cookie, if any.
    pub(crate) async fn of_session(
        site: &Site,
        headers: &HeaderMap,
    ) -> Result<Option<Self>, Refused> {
        let Some(secret) = session_secret(&site.settings, headers) else {
            return Ok(None);
        };
        let principal = site.engine.authenticate(&secret).await?;
        Ok(principal.map(|principal| Self {
            principal,
            via: Via::Session(secret),
        }))
    }
}

impl FromRequestParts<Site> for Visitor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Result<Self, Problem> {
        if let Some(value) = parts.headers.get(header::AUTHORIZATION) {
            let token = value
                .to_str()
                .ok()
                .and_then(|text| text.split_once(' '))
                .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
                .map(|(_, token)| token.trim())
                .ok_or_else(Problem::unauthenticated)?;
            let principal = site.engine.authenticate(token).await?;
            let principal = principal.ok_or_else(Problem::unauthenticated)?;
            let via = Via::Token;
            return Ok(Self { principal, via });
        }
        let visitor = Self::of_session(site, &parts.headers).await?;
        let visitor = visitor.ok_or_else(Problem::unauthenticated)?;
        if !parts.method.is_safe() && !origin::same(&parts.headers) {
            return Err(Problem::cross_origin());
        }
        Ok(visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOOPBACK: Settings = Settings {
        secure_cookies: false,
    };
    const SERVED: Settings = Settings {
        secure_cookies: true,
    };

    #[track_caller]
    fn secret(settings: &Settings, cookies: &[&str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for line in cookies {
            headers.append(header::COOKIE, line.parse().unwrap());
        }
        session_secret(settings, &headers)
    }

    #[test]
    fn cookies_are_held_to_the_host() {
        assert_eq!(
            cookie_set(&SERVED, "s3"),
            "__Host-casewright=s3; Path=/; HttpOnly; SameSite=Lax; Secure"
        );
        assert_eq!(
            cookie_clear(&LOOPBACK),
            "casewright=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0"
        );
    }

    #[test]
    fn a_planted_second_cookie_signs_nobody_in() {
        assert_eq!(
            secret(&LOOPBACK, &["a=1; casewright=s3"]),
            Some("s3".into())
        );
        assert_eq!(secret(&LOOPBACK, &["casewright=s3; casewright=s4"]), None);
        assert_eq!(secret(&LOOPBACK, &["casewright=s3", "casewright=s4"]), None);
        assert_eq!(secret(&SERVED, &["casewright=s3"]), None);
        assert_eq!(secret(&LOOPBACK, &["casewright=", "xcasewright=s"]), None);
        assert_eq!(secret(&LOOPBACK, &[]), None);
    }

    #[test]
    fn a_form_token_belongs_to_one_session() {
        let token = form_token("one");
        assert_eq!(token.len(), 32);
        assert!(form_token_fits("one", &token));
        assert!(!form_token_fits("two", &token));
        assert!(!form_token_fits("one", ""));
        assert!(!form_token_fits("one", &token[..31]));
        assert!(!token.contains("one"));
    }
}
