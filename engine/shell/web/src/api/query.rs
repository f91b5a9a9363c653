//! What may stand after the `?` of lists, and ids in paths: read strictly, refused as problems.

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
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
        fits(&id).then_some(Self(id)).ok_or_else(Problem::not_found)
    }
}

/// A case's id and the id of something in it.
pub(super) struct Ids(pub(super) String, pub(super) String);

impl FromRequestParts<Site> for Ids {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Result<Self, Problem> {
        let axum::extract::Path((case, id)) =
            axum::extract::Path::<(String, String)>::from_request_parts(parts, site)
                .await
                .map_err(|_| Problem::not_found())?;
        let both = fits(&case) && fits(&id);
        both.then_some(Self(case, id))
            .ok_or_else(Problem::not_found)
    }
}

fn fits(id: &str) -> bool {
    id.len() <= ID_LENGTH_MAX && id.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The revision of `If-Match`; `*` means any.
pub(super) fn if_match(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let Some(value) = headers.get(header::IF_MATCH) else {
        return Ok(None);
    };
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(None);
    }
    text.strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .and_then(|digits| digits.parse().ok())
        .map(Some)
        .ok_or_else(|| Problem::invalid_input("If-Match must be one ETag as it was sent to you"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn if_match_is_the_revision_in_quotes() {
        let read = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::IF_MATCH, value.parse().unwrap());
            if_match(&headers)
        };
        assert_eq!(if_match(&HeaderMap::new()).unwrap(), None);
        assert_eq!(read("\"7\"").unwrap(), Some(7));
        assert_eq!(read("*").unwrap(), None);
        for bad in ["7", "\"7", "W/\"7\"", "\"\"", "\"-1\"", "\"7\", \"8\""] {
            assert_eq!(read(bad).unwrap_err().code(), "invalid-input", "{bad}");
        }
    }
}
