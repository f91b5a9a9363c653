//! A document of a case: the form that sends one, and the file that is given out.

use askama::Template;
use axum::body::Bytes;
use axum::extract::multipart::{Field, Multipart};
use axum::extract::{FromRequest, Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use casewright_casework::document::{BYTES_MAX, Document, Format, Kind};
use casewright_runtime::Engine;
use casewright_runtime::engine::NewDocument;

use crate::console::address::encoded;
use crate::console::chrome::{Chrome, Place, page};
use crate::console::failure::{Explanation, explain};
use crate::console::keys::request_key;
use crate::console::member::{self, KEY, Member, TOKEN};
use crate::console::notice::Notice;
use crate::console::words::humanize;
use crate::problem::Problem;
use crate::upload::{self, Pipe};
use crate::visitor::form_token_fits;
use crate::{Site, body, origin};

/// Bytes of a field that is no file: they are words of ours.
const FIELD_BYTES_MAX: usize = 4_096;

/// More than the form has.
const FIELDS_MAX: usize = 8;

#[derive(Template)]
#[template(path = "document.html")]
struct DocumentPage {
    chrome: Chrome,
    case: String,
    key: String,
    errors: Vec<(String, String)>,
    refusal: Option<Explanation>,
    kind: String,
    kinds: Vec<(&'static str, String)>,
    accept: String,
    mib_max: u64,
}

pub(crate) async fn blank(
    State(engine): State<Engine>,
    member: Member,
    Path(case): Path<String>,
) -> Result<Response, Problem> {
    engine.case_file(&member.principal, &case).await?;
    Ok(draw(&member, &case, "", None, Vec::new()))
}

/// The words of the form come before its file; they are few, and the file is passed on as it
/// comes.
pub(crate) async fn add(
    State(site): State<Site>,
    member: Member,
    Path(case): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    const FORM: &str = "multipart/form-data";
    if !origin::same(request.headers()) {
        return Err(Problem::cross_origin());
    }
    if body::content_type(request.headers()) != Some(FORM) {
        return Err(Problem::unsupported_media_type(FORM));
    }
    let mut form = Multipart::from_request(request, &())
        .await
        .map_err(|_| unreadable())?;
    let mut pairs = Vec::new();
    let file = loop {
        match form.next_field().await.map_err(|_| unreadable())? {
            Some(field) if field.name() == Some("file") => break Some(field),
            Some(field) if pairs.len() < FIELDS_MAX => pairs.push(word(field).await?),
            Some(_) => return Err(unreadable()),
            None => break None,
        }
    };
    let token = member::value(&pairs, TOKEN).unwrap_or_default();
    if !form_token_fits(&member.secret, token) {
        return Err(member::foreign_form());
    }
    let kind = member::value(&pairs, "kind").unwrap_or_default();
    let found = Kind::ALL.into_iter().find(|one| one.as_str() == kind);
    let (Some(chosen), Some(file)) = (found, file) else {
        let mut errors = Vec::new();
        if found.is_none() {
            errors.push(("kind".to_owned(), "Choose what the document is".to_owned()));
        }
        // A browser does not keep a chosen file on a page that is drawn anew.
        errors.push(("file".to_owned(), "Choose the document".to_owned()));
        return Ok(draw(&member, &case, kind, None, errors));
    };
    let key = member::value(&pairs, KEY).filter(|key| !key.is_empty());
    let key = key.map(|key| format!("form-{key}"));
    let new = NewDocument {
        kind: chosen,
        name: file.file_name().unwrap_or_default().to_owned(),
    };
    let (pipe, receiver) = Pipe::new();
    let feed = pipe.feed(file);
    let added = site
        .engine
        .add_document(&member.principal, &case, new, receiver, key);
    let ((), added) = tokio::join!(feed, added);
    match added {
        Ok(_) => {
            let word = Notice::DocumentSaved.word();
            let address = format!("/cases/{}?done={word}#documents", encoded(&case));
            Ok(Redirect::to(&address).into_response())
        }
        Err(refused) => {
            let problem = Problem::from(refused);
            let errors = match problem.code() {
                "too-large" => vec![("file".to_owned(), too_large())],
                _ => problem
                    .fields()
                    .map(|(field, message)| (field.to_owned(), message.to_owned()))
                    .collect(),
            };
            Ok(draw(&member, &case, kind, Some(&problem), errors))
        }
    }
}

pub(crate) async fn download(
    State(engine): State<Engine>,
    member: Member,
    Path((case, id)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let opened = engine.open_document(&member.principal, &case, &id).await?;
    Ok(upload::download(opened))
}

async fn word(mut field: Field<'_>) -> Result<(String, String), Problem> {
    let name = field.name().unwrap_or_default().to_owned();
    let mut bytes: Vec<u8> = Vec::new();
    while let Some(piece) = field.chunk().await.map_err(|_| unreadable())? {
        let piece: Bytes = piece;
        bytes.extend_from_slice(&piece);
        if bytes.len() > FIELD_BYTES_MAX {
            return Err(unreadable());
        }
    }
    let text = String::from_utf8(bytes).map_err(|_| unreadable())?;
    Ok((name, text))
}

fn unreadable() -> Problem {
    Problem::invalid_input("the form could not be read")
}

fn too_large() -> String {
    format!("Choose a document of at most {} MB", BYTES_MAX >> 20)
}

fn draw(
    member: &Member,
    case: &str,
    kind: &str,
    problem: Option<&Problem>,
    errors: Vec<(String, String)>,
) -> Response {
    let refusal = problem.filter(|_| errors.is_empty());
    let refusal = refusal.map(|problem| explain(problem.code(), problem.detail()));
    let faulty = !errors.is_empty() || refusal.is_some();
    let status = match problem {
        Some(problem) => problem.status(),
        None if faulty => StatusCode::UNPROCESSABLE_ENTITY,
        None => StatusCode::OK,
    };
    let body = DocumentPage {
        chrome: Chrome::new(member, Place::Cases, "Add a document").faulty(faulty),
        case: case.to_owned(),
        key: request_key(),
        errors,
        refusal,
        kind: kind.to_owned(),
        kinds: Kind::ALL
            .map(|one| (one.as_str(), kind_words(one)))
            .to_vec(),
        accept: Format::ALL.map(Format::media_type).join(","),
        mib_max: BYTES_MAX >> 20,
    };
    page(status, &body)
}

/// A kind as people say it.
pub(crate) fn kind_words(kind: Kind) -> String {
    humanize(kind.as_str())
}

/// The size as people say it; a document is never said to be empty.
pub(crate) fn size_words(document: &Document) -> String {
    match document.bytes {
        bytes if bytes < 1_000_000 => format!("{} kB", bytes.div_ceil(1_000)),
        bytes => format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000),
    }
}
