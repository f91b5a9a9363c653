//! `/hsds`: a directory of services as HSDS 3.0 writes it. It knows three, whatever is looked for.

use axum::extract::Query;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

const FIRST: &str = include_str!("../../../plugins/directory-search/src/hsds-services.json");
const NO_MORE: &str = r#"{"last_page":true,"empty":true,"contents":[]}"#;

#[derive(Deserialize)]
pub(super) struct Page {
    #[serde(default)]
    page: u32,
}

pub(super) async fn services(Query(Page { page }): Query<Page>) -> Response {
    let text = if page <= 1 { FIRST } else { NO_MORE };
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}
