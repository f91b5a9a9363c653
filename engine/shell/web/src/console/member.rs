//! The signed-in person behind a request to the console, and what they submit.
//!
//! A page may be asked for by anybody who is signed in; a submission must also come from one of
//! our own pages and carry the session's form token.

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Redirect, Response};
use casewright_casework::Principal;
use casewright_runtime::Refused;
use casewright_runtime::engine::{Keeper, RequestKey};
use jiff::civil::Date;

use crate::body::{self, request_hash};
use crate::console::session;
use crate::problem::Problem;
use crate::visitor::{Via, Visitor, form_token_fits};
use crate::{Site, origin};

/// Field names that belong to the console; a form's own fields never start with `_`.
pub(crate) const TOKEN: &str = "_token";
pub(crate) const KEY: &str = "_key";

/// Somebody with a session.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) principal: Principal,
    pub(crate) secret: String,
    /// Whether they look after the agency's runs.
    pub(crate) administers: bool,
    /// Whether they see the agency's reports.
    pub(crate) reports: bool,
    /// What they do with files whose time is over.
    pub(crate) keeper: Keeper,
}

impl Member {
    async fn find(site: &Site, parts: &Parts) -> Result<Option<Self>, Problem> {
        let visitor = Visitor::of_session(site, &parts.headers).await?;
        Ok(visitor.and_then(|visitor| match visitor.via {
            Via::Session(secret) => Some(Self {
                administers: site.engine.administers(&visitor.principal),
                reports: site.engine.reports(&visitor.principal),
                keeper: site.engine.keeper(&visitor.principal),
                principal: visitor.principal,
                secret,
            }),
            Via::Token => None,
        }))
    }
}

impl FromRequestParts<Site> for Member {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Result<Self, Response> {
        let member = Self::find(site, parts).await;
        let member = member.map_err(IntoResponse::into_response)?;
        member.ok_or_else(|| {
            let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
            Redirect::to(&session::sign_in_address(path)).into_response()
        })
    }
}

/// A checked POST of one of our forms.
#[derive(Debug, Clone)]
pub(crate) struct Submission {
    pub(crate) member: Member,
    /// In the order of the page, without the console's own secrets.
    pub(crate) pairs: Vec<(String, String)>,
    /// From the page: a second click is the same request.
    pub(crate) key: Option<RequestKey>,
}

impl Submission {
    /// A field of the console.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        value(&self.pairs, name)
    }

    /// A day in a field of the console; `which` names it in the sentence.
    pub(crate) fn day(&self, name: &str, which: &str) -> Result<Date, Refused> {
        let written = self.value(name).unwrap_or_default().trim();
        written.parse().map_err(|_| Refused::Invalid {
            code: "invalid-input",
            status: 422,
            message: format!("enter {which} as year-month-day, like 2026-11-30"),
        })
    }

    /// The fields of the author's form.
    pub(crate) fn fields(&self) -> Vec<(String, String)> {
        self.pairs
            .iter()
            .filter(|(name, _)| !name.starts_with('_'))
            .cloned()
            .collect()
    }
}

impl FromRequest<Site> for Submission {
    type Rejection = Response;

    async fn from_request(request: Request, site: &Site) -> Result<Self, Response> {
        let (parts, pairs) = pairs(request).await.map_err(IntoResponse::into_response)?;
        let member = Member::find(site, &parts).await;
        let Some(member) = member.map_err(IntoResponse::into_response)? else {
            return Err(session::ended(parts.uri.path(), &pairs));
        };
        let token = value(&pairs, TOKEN).unwrap_or_default();
        if !form_token_fits(&member.secret, token) {
            return Err(foreign_form().into_response());
        }
        let key = value(&pairs, KEY).filter(|key| !key.is_empty());
        let key = key.map(|key| RequestKey {
            key: format!("form-{key}"),
            body_hash: pairs_hash(&parts, &pairs),
        });
        Ok(Self { member, pairs, key })
    }
}

/// Reads a form that came from one of our own pages.
pub(crate) async fn pairs(request: Request) -> Result<(Parts, Vec<(String, String)>), Problem> {
    const FORM: &str = "application/x-www-form-urlencoded";
    let (parts, body) = request.into_parts();
    if !origin::same(&parts.headers) {
        return Err(Problem::cross_origin());
    }
    if body::content_type(&parts.headers) != Some(FORM) {
        return Err(Problem::unsupported_media_type(FORM));
    }
    let bytes = body::read(body).await?;
    let request = Request::builder()
        .method("POST")
        .header("content-type", FORM)
        .body(axum::body::Body::from(bytes))
        .map_err(|_| Problem::bug())?;
    let axum::Form(pairs) = axum::Form::from_request(request, &())
        .await
        .map_err(|_| Problem::invalid_input("the form could not be read"))?;
    Ok((parts, pairs))
}

/// The first value under a name.
pub(crate) fn value<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let found = pairs.iter().find(|(key, _)| key == name);
    found.map(|(_, value)| value.as_str())
}

/// What was asked, without the token: it changes with every session.
fn pairs_hash(parts: &Parts, pairs: &[(String, String)]) -> [u8; 32] {
    let body: Vec<u8> = pairs
        .iter()
        .filter(|(name, _)| name != TOKEN)
        .flat_map(|(name, value)| {
            let lengths = [name.len() as u64, value.len() as u64];
            let lengths = lengths.into_iter().flat_map(u64::to_be_bytes);
            lengths
                .chain(name.bytes())
                .chain(value.bytes())
                .collect::<Vec<_>>()
        })
        .collect();
    request_hash(&parts.method, parts.uri.path(), &body)
}

pub(crate) fn foreign_form() -> Problem {
    let detail = "this form belongs to another sign-in; open the page again";
    Problem::new(StatusCode::FORBIDDEN, "foreign-form", detail)
}
