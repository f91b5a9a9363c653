//! The stylesheet and the script, inside the binary. Their addresses carry a hash of their bytes,
//! so browsers may keep them for good and a new engine is seen at once.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use crate::problem::Problem;
use crate::visitor::hex;

/// A file with its address.
pub(crate) struct Asset {
    /// `/assets/console-0123456789abcdef.css`.
    pub(crate) path: String,
    kind: &'static str,
    bytes: &'static [u8],
}

pub(crate) static STYLE: LazyLock<Asset> = LazyLock::new(|| {
    let bytes = include_bytes!("../assets/console.css");
    Asset::new("css", "text/css; charset=utf-8", bytes)
});
pub(crate) static SCRIPT: LazyLock<Asset> = LazyLock::new(|| {
    let bytes = include_bytes!("../assets/console.js");
    Asset::new("js", "text/javascript; charset=utf-8", bytes)
});
pub(crate) static ICON: LazyLock<Asset> = LazyLock::new(|| {
    let bytes = include_bytes!("../assets/console.svg");
    Asset::new("svg", "image/svg+xml", bytes)
});

impl Asset {
    fn new(extension: &str, kind: &'static str, bytes: &'static [u8]) -> Self {
        let hash = hex(&Sha256::digest(bytes)[..8]);
        let path = format!("/assets/console-{hash}.{extension}");
        Self { path, kind, bytes }
    }
}

pub(crate) async fn serve(Path(name): Path<String>) -> Response {
    let found = [&STYLE, &SCRIPT, &ICON]
        .into_iter()
        .find(|asset| asset.path.strip_prefix("/assets/") == Some(&name));
    let Some(asset) = found else {
        return Problem::not_found().into_response();
    };
    let headers = [
        (header::CONTENT_TYPE, asset.kind),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    (StatusCode::OK, headers, asset.bytes).into_response()
}
