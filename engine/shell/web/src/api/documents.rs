//! `/cases/{id}/documents`: quotes, receipts and letters of a case, taken in and given out as
//! streams.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use casewright_casework::document::{self, Kind};
use casewright_runtime::Engine;
use casewright_runtime::engine::NewDocument;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::dto::Page;
use crate::api::query::{Checked, Id, Ids};
use crate::body::idempotency_key;
use crate::problem::Problem;
use crate::upload::{self, Pipe};
use crate::visitor::Visitor;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct KindQuery {
    /// `quote`, `receipt`, `agreement`, `letter` or `other`.
    #[param(value_type = String, example = "quote")]
    kind: Kind,
}

/// A document of a case; it never changes.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Document {
    id: String,
    case: String,
    /// `quote`, `receipt`, `agreement`, `letter` or `other`.
    kind: &'static str,
    name: String,
    /// Of the content, whatever its sender called it.
    media_type: &'static str,
    bytes: u64,
    /// In hexadecimal digits.
    sha256: String,
    #[schema(format = DateTime)]
    at: String,
    /// Id of who added it.
    by: String,
}

/// The documents of a case, oldest first. That you looked is recorded.
#[utoipa::path(
    get, operation_id = "listDocuments",
    path = "/cases/{id}/documents", tag = "cases", params(("id" = String, Path)),
    responses(
        (status = 200, body = Page<Document>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list(
    State(engine): State<Engine>,
    visitor: Visitor,
    Id(case): Id,
) -> Result<Json<Page<Document>>, Problem> {
    let documents = engine.documents(&visitor.principal, &case).await?;
    Ok(Json(Page::whole(documents)))
}

/// Add a document: a PDF or a photo (JPEG, PNG, WebP, HEIC) of at most 10 MiB as the body. Its name
/// goes in `Content-Disposition`. With an `Idempotency-Key` the same kind, name and content are the
/// same document.
#[utoipa::path(
    post, operation_id = "addDocument",
    path = "/cases/{id}/documents", tag = "cases",
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    params(
        ("id" = String, Path), KindQuery,
        ("Content-Disposition" = Option<String>, Header),
        ("Idempotency-Key" = Option<String>, Header),
    ),
    responses(
        (status = 201, body = Document),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn add(
    State(engine): State<Engine>,
    visitor: Visitor,
    Id(case): Id,
    Checked(query): Checked<KindQuery>,
    request: Request,
) -> Result<(StatusCode, Json<Document>), Problem> {
    let key = idempotency_key(request.headers())?;
    let new = NewDocument {
        kind: query.kind,
        name: upload::sent_name(request.headers()),
    };
    let (pipe, receiver) = Pipe::new();
    let feed = pipe.feed(request.into_body().into_data_stream());
    let added = engine.add_document(&visitor.principal, &case, new, receiver, key);
    let ((), added) = tokio::join!(feed, added);
    Ok((StatusCode::CREATED, Json(added?.into())))
}

/// What is known of a document.
#[utoipa::path(
    get, operation_id = "getDocument",
    path = "/cases/{id}/documents/{document}", tag = "cases",
    params(("id" = String, Path), ("document" = String, Path)),
    responses(
        (status = 200, body = Document),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn get(
    State(engine): State<Engine>,
    visitor: Visitor,
    Ids(case, id): Ids,
) -> Result<Json<Document>, Problem> {
    let document = engine.document(&visitor.principal, &case, &id).await?;
    Ok(Json(document.into()))
}

/// The content of a document, as a file to be saved. That you asked for it is recorded.
#[utoipa::path(
    get, operation_id = "getDocumentContent",
    path = "/cases/{id}/documents/{document}/content", tag = "cases",
    params(("id" = String, Path), ("document" = String, Path)),
    responses(
        (status = 200, body = Vec<u8>, content_type = "application/octet-stream"),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn content(
    State(engine): State<Engine>,
    visitor: Visitor,
    Ids(case, id): Ids,
) -> Result<Response, Problem> {
    let opened = engine.open_document(&visitor.principal, &case, &id).await?;
    Ok(upload::download(opened))
}

impl From<document::Document> for Document {
    fn from(document: document::Document) -> Self {
        Self {
            id: document.id,
            case: document.case,
            kind: document.kind.as_str(),
            name: document.name,
            media_type: document.format.media_type(),
            bytes: document.bytes,
            sha256: document.sha256,
            at: document.at.to_string(),
            by: document.by,
        }
    }
}
