//! What may stand after the `?` of lists, and ids in paths: read strictly, refused as problems.

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use crate::Site;
use crate::problem::Problem;

/// A query that fits, or `invalid-input`.
pub(super) struct Checked<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequestParts<Site> for Checked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Site) -> Result<Self, Problem> {
        Query::try_from_uri(&parts.uri)
            .map(|Query(query)| Self(query))
            .map_err(|rejection| {
                let detail = format!("the query does not fit: {}", reason(&rejection));
                Problem::invalid_input(detail)
            })
    }
}

fn reason(rejection: &axum::extract::rejection::QueryRejection) -> String {
    let text = rejection.body_text();
    let prefix = "Failed to deserialize query string: ";
    text.strip_prefix(prefix).unwrap_or(&text).to_owned()
}

/// An id from the path. What cannot be one is simply not there.
pub(super) struct Id(pub(super) String);

const ID_LENGTH_MAX: usize = 200;

impl FromRequestParts<Site> for Id {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Result<Self, Problem> {
        let axum::extract::Path(id) =
            axum::extract::Path::<String>::from_request_parts(parts, site)
                .await
                .map_err(|_| Problem::not_found())?;
        let fits = id.len() <= ID_LENGTH_MAX && id.bytes().all(|byte| byte.is_ascii_graphic());
        fits.then_some(Self(id)).ok_or_else(Problem::not_found)
    }
}
