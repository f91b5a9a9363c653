//! Signing in and out.

use askama::Template;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use crate::Site;
use crate::console::address::{Lenient, encoded};
use crate::console::chrome::{Chrome, page};
use crate::console::member::{self, Submission};
use crate::origin;
use crate::problem::Problem;
use crate::visitor::{Visitor, cookie_clear, cookie_set, session_secret};

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage {
    chrome: Chrome,
    return_to: String,
    name: String,
    error: Option<&'static str>,
}

#[derive(Template)]
#[template(path = "ended.html")]
struct EndedPage {
    chrome: Chrome,
    sign_in: String,
    typed: Vec<(String, String)>,
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct SignInQuery {
    return_to: Option<String>,
}

/// Where a person who is not signed in is sent.
pub(crate) fn sign_in_address(return_to: &str) -> String {
    format!("/sign-in?return_to={}", encoded(return_to))
}

pub(crate) async fn show(
    State(site): State<Site>,
    headers: HeaderMap,
    Lenient(query): Lenient<SignInQuery>,
) -> Result<Response, Problem> {
    let return_to = origin::return_to(query.return_to.as_deref());
    if Visitor::of_session(&site, &headers).await?.is_some() {
        return Ok(Redirect::to(return_to).into_response());
    }
    Ok(sign_in_page(StatusCode::OK, return_to, "", None))
}

/// Opens a new session, whatever there was before.
pub(crate) async fn sign_in(
    State(site): State<Site>,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, pairs) = member::pairs(request).await?;
    let name = member::value(&pairs, "name").unwrap_or_default().trim();
    let passphrase = member::value(&pairs, "passphrase").unwrap_or_default();
    let return_to = origin::return_to(member::value(&pairs, "return_to"));
    let secret = site.engine.sign_in(name, passphrase).await?;
    site.meter.sign_in(secret.is_some());
    let Some(secret) = secret else {
        let error = Some("The name or the passphrase is not right. Check both and try again.");
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        return Ok(sign_in_page(status, return_to, name, error));
    };
    if let Some(old) = session_secret(&site.settings, &parts.headers) {
        site.engine.sign_out(&old).await?;
    }
    let cookie = cookie_set(&site.settings, &secret.0);
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to(return_to)).into_response())
}

pub(crate) async fn sign_out(
    State(site): State<Site>,
    submission: Submission,
) -> Result<Response, Problem> {
    site.engine.sign_out(&submission.member.secret).await?;
    let cookie = cookie_clear(&site.settings);
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to("/sign-in")).into_response())
}

/// The session ended before a form came: nothing was done, and what was typed is shown.
pub(crate) fn ended(path: &str, pairs: &[(String, String)]) -> Response {
    let from = ["/claim", "/release", "/complete", "/draft"]
        .iter()
        .find_map(|end| path.strip_suffix(end))
        .unwrap_or(path);
    let typed = pairs
        .iter()
        .filter(|(name, value)| {
            *name == "_comment" || (!name.starts_with('_') && !value.is_empty())
        })
        .map(|(name, value)| (crate::console::words::humanize(name), value.clone()))
        .collect();
    let body = EndedPage {
        chrome: Chrome::outside("Your sign-in has ended"),
        sign_in: sign_in_address(from),
        typed,
    };
    page(StatusCode::UNAUTHORIZED, &body)
}

fn sign_in_page(
    status: StatusCode,
    return_to: &str,
    name: &str,
    error: Option<&'static str>,
) -> Response {
    let body = SignInPage {
        chrome: Chrome::outside("Sign in").faulty(error.is_some()),
        return_to: return_to.to_owned(),
        name: name.to_owned(),
        error,
    };
    page(status, &body)
}
