//! `/cases/{id}/notes`: what staff write down about a case.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use casewright_casework::note;
use casewright_runtime::Engine;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::dto::Page;
use crate::api::query::Id;
use crate::body::Posted;
use crate::problem::Problem;
use crate::visitor::Visitor;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NoteRequest {
    text: String,
    /// Id of the note that this one corrects.
    corrects: Option<String>,
}

/// A note of a case; it never changes.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Note {
    id: String,
    case: String,
    text: String,
    corrects: Option<String>,
    #[schema(format = DateTime)]
    at: String,
    /// Id of who wrote it.
    by: String,
}

/// The notes of a case, oldest first. That you looked is recorded.
#[utoipa::path(
    get, operation_id = "listNotes",
    path = "/cases/{id}/notes", tag = "cases", params(("id" = String, Path)),
    responses(
        (status = 200, body = Page<Note>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list(
    State(engine): State<Engine>,
    visitor: Visitor,
    Id(case): Id,
) -> Result<Json<Page<Note>>, Problem> {
    let notes = engine.notes(&visitor.principal, &case).await?;
    Ok(Json(Page::whole(notes)))
}

/// Write a note. It stays as it is; a mistake is corrected by another note.
#[utoipa::path(
    post, operation_id = "addNote",
    path = "/cases/{id}/notes", tag = "cases", request_body = NoteRequest,
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses(
        (status = 201, body = Note),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn add(
    State(engine): State<Engine>,
    visitor: Visitor,
    Id(case): Id,
    posted: Posted,
) -> Result<(StatusCode, Json<Note>), Problem> {
    let NoteRequest { text, corrects } = posted.json()?;
    let who = &visitor.principal;
    let note = engine
        .add_note(who, &case, &text, corrects, posted.key)
        .await?;
    Ok((StatusCode::CREATED, Json(note.into())))
}

impl From<note::Note> for Note {
    fn from(note: note::Note) -> Self {
        Self {
            id: note.id,
            case: note.case,
            text: note.text,
            corrects: note.corrects,
            at: note.at.to_string(),
            by: note.by,
        }
    }
}
