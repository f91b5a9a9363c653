//! RFC 9457 problems: how every failure under `/api` looks. The code is the contract, the
//! sentences are for people. No content of cases ever gets in here.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use casewright_casework::Refusal;
use casewright_language::{Diagnostic, Severity};
use casewright_runtime::Refused;
use casewright_runtime::engine::NotDeployed;
use serde::Serialize;
use utoipa::ToSchema;

/// A failure, as sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// `urn:casewright:error:<code>`.
    #[serde(rename = "type")]
    #[schema(value_type = String)]
    kind: Box<str>,
    /// The status in words.
    title: &'static str,
    status: u16,
    /// What happened and what to do.
    detail: String,
    /// Stable; branch on this.
    #[schema(value_type = String)]
    code: Box<str>,
    /// For `form-invalid`: what is wrong with which field. For `not-erasable`: all that stands in
    /// the way, by its name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fields: Vec<FieldProblem>,
    /// For `pack-invalid`: every mistake in the files.
    // Boxed: a problem is the error of nearly every function, and small where it can be.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Vec<PackMistake>)]
    diagnostics: Option<Box<[PackMistake]>>,
}

/// A mistake in a file of a pack; the names are those of `validate --json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PackMistake {
    /// Such as `CW0103`.
    code: &'static str,
    #[schema(value_type = String, example = "error")]
    severity: Severity,
    message: String,
    /// Its path within the pack.
    file: String,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
    help: Option<String>,
}

/// One thing wrong with submitted data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct FieldProblem {
    field: String,
    message: String,
}

/// Whether this path is answered with problems and not with pages.
pub(crate) fn wanted(path: &str) -> bool {
    path == "/api" || path.starts_with("/api/") || path == "/openapi.json"
}

impl Problem {
    pub(crate) fn new(status: StatusCode, code: &str, detail: impl Into<String>) -> Self {
        Self {
            kind: format!("urn:casewright:error:{code}").into(),
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            detail: detail.into(),
            code: code.into(),
            fields: Vec::new(),
            diagnostics: None,
        }
    }

    pub(crate) fn code(&self) -> &str {
        &self.code
    }

    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    pub(crate) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    pub(crate) fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields
            .iter()
            .map(|field| (field.field.as_str(), field.message.as_str()))
    }

    pub(crate) fn not_found() -> Self {
        let detail = "there is nothing here, or nothing you may see";
        Self::new(StatusCode::NOT_FOUND, "not-found", detail)
    }

    pub(crate) fn method_not_allowed() -> Self {
        let detail = "this address does not answer to that method; see the Allow header";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", detail)
    }

    pub(crate) fn unauthenticated() -> Self {
        let detail = "send a valid token as `Authorization: Bearer <token>`, or sign in";
        Self::new(StatusCode::UNAUTHORIZED, "unauthenticated", detail)
    }

    pub(crate) fn cross_origin() -> Self {
        let detail = "a request with a sign-in cookie must come from this site's own pages";
        Self::new(StatusCode::FORBIDDEN, "cross-origin", detail)
    }

    pub(crate) fn invalid_json(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid-json", detail)
    }

    pub(crate) fn invalid_input(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-input", detail)
    }

    pub(crate) fn too_large(limit_bytes: usize) -> Self {
        let detail = format!("the body is larger than {limit_bytes} bytes");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", detail)
    }

    pub(crate) fn unsupported_media_type(expected: &str) -> Self {
        let detail = format!("send the body with `Content-Type: {expected}`");
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        Self::new(status, "unsupported-media-type", detail)
    }

    pub(crate) fn bug() -> Self {
        let detail = "the engine made a mistake; nothing is known to have changed";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let status = StatusCode::from_u16(refusal.code.status()).unwrap_or(StatusCode::FORBIDDEN);
        let fields = refusal
            .fields
            .into_iter()
            .map(|(field, message)| FieldProblem { field, message })
            .collect();
        Self {
            fields,
            ..Self::new(status, refusal.code.as_str(), refusal.message)
        }
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        let detail = refused.to_string();
        match refused {
            Refused::Rule(refusal) => refusal.into(),
            Refused::Invalid {
                code,
                status,
                message,
            } => {
                let status =
                    StatusCode::from_u16(status).unwrap_or(StatusCode::UNPROCESSABLE_ENTITY);
                Self::new(status, code, message)
            }
            Refused::KeyReused => Self::new(StatusCode::UNPROCESSABLE_ENTITY, "key-reused", detail),
            Refused::Busy => Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", detail),
            Refused::DiskFull => Self::new(StatusCode::INSUFFICIENT_STORAGE, "disk-full", detail),
            Refused::Stopping => Self::new(StatusCode::SERVICE_UNAVAILABLE, "stopping", detail),
            Refused::Damaged(_) => Self::new(StatusCode::INTERNAL_SERVER_ERROR, "damaged", detail),
        }
    }
}

impl From<NotDeployed> for Problem {
    fn from(not: NotDeployed) -> Self {
        let findings = match not {
            NotDeployed::Refused(refused) => return refused.into(),
            NotDeployed::Mistakes(findings) => findings,
        };
        let detail =
            "the pack has mistakes, and nothing was changed; mend them and deploy it again";
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        Self {
            diagnostics: Some(findings.into_iter().map(PackMistake::from).collect()),
            ..Self::new(status, "pack-invalid", detail)
        }
    }
}

impl From<Diagnostic> for PackMistake {
    fn from(found: Diagnostic) -> Self {
        Self {
            code: found.code,
            severity: found.severity,
            message: found.message,
            file: found.file,
            line: found.line,
            column: found.column,
            end_line: found.end_line,
            end_column: found.end_column,
            help: found.help,
        }
    }
}

/// Seconds after which a busy engine is worth asking again.
const RETRY_SOON: HeaderValue = HeaderValue::from_static("1");
/// The same after too many tries.
const RETRY_LATER: HeaderValue = HeaderValue::from_static("60");

/// Leaves the problem with the response, so that the guard can draw a page of it.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.status();
        let body = serde_json::to_vec(&self).expect("a problem has only text and numbers");
        let mut response = (status, body).into_response();
        response.extensions_mut().insert(self);
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        match status {
            StatusCode::SERVICE_UNAVAILABLE => {
                headers.insert(header::RETRY_AFTER, RETRY_SOON);
            }
            StatusCode::TOO_MANY_REQUESTS => {
                headers.insert(header::RETRY_AFTER, RETRY_LATER);
            }
            _ => {}
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

#[cfg(test)]
mod tests;
