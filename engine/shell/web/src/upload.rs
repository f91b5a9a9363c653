//! Content of documents on its way in and out: pieces as they come, never a whole document.
//!
//! A name travels in `Content-Disposition`, and never in an address.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use casewright_casework::Document;
use casewright_runtime::engine::{Arriving, OpenDocument};
use futures_util::{Stream, StreamExt, stream};
use tokio::sync::mpsc;

use crate::console::address::encoded;

/// A sender that is silent for so long is gone.
const SILENCE: Duration = Duration::from_secs(30);

/// What is still read of a body that was refused, so that its sender hears why instead of a broken
/// connection.
const DRAINED_BYTES_MAX: usize = 32 << 20;

/// Pieces between the connection and the disk.
const PIECES_MAX: usize = 2;

/// The near end of a pipe to the engine.
pub(crate) struct Pipe {
    sender: mpsc::Sender<Arriving>,
    drained: usize,
}

impl Pipe {
    pub(crate) fn new() -> (Self, mpsc::Receiver<Arriving>) {
        let (sender, receiver) = mpsc::channel(PIECES_MAX);
        (Self { sender, drained: 0 }, receiver)
    }

    /// Passes on what comes. What breaks off has no end.
    pub(crate) async fn feed<E>(
        mut self,
        mut pieces: impl Stream<Item = Result<Bytes, E>> + Unpin,
    ) {
        loop {
            match tokio::time::timeout(SILENCE, pieces.next()).await {
                Ok(Some(Ok(bytes))) => {
                    let length = bytes.len();
                    let sent = self.sender.send(Arriving::Bytes(bytes.into())).await;
                    if sent.is_err() {
                        self.drained += length;
                        if self.drained > DRAINED_BYTES_MAX {
                            return;
                        }
                    }
                }
                Ok(None) => {
                    self.sender.send(Arriving::End).await.ok();
                    return;
                }
                Ok(Some(Err(_))) | Err(_) => return,
            }
        }
    }
}

/// A document as a file to be saved: no browser shows it as a page of this site.
pub(crate) fn download(opened: OpenDocument) -> Response {
    let document = opened.document();
    let headers = [
        (CONTENT_TYPE, document.format.media_type().to_owned()),
        (CONTENT_LENGTH, document.bytes.to_string()),
        (CONTENT_DISPOSITION, disposition(document)),
    ];
    let parts = stream::unfold(opened, async |mut opened| {
        let part = opened.part()?;
        if let Err(refused) = &part {
            tracing::error!(
                document = opened.document().id,
                refused = refused.in_log(),
                "a document broke off"
            );
        }
        Some((part, opened))
    });
    let mut response = Response::new(Body::from_stream(parts));
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// RFC 6266: a name that every program reads, and the real one.
fn disposition(document: &Document) -> String {
    let ending = document.format.endings()[0];
    let encoded = encoded(&document.name);
    format!("attachment; filename=\"document.{ending}\"; filename*=UTF-8''{encoded}")
}

/// The name in a request's `Content-Disposition`; empty where it says none.
pub(crate) fn sent_name(headers: &HeaderMap) -> String {
    let value = headers.get(CONTENT_DISPOSITION);
    let text = value
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let parameter = |wanted: &str| {
        text.split(';').find_map(|part| {
            let (name, value) = part.split_once('=')?;
            (name.trim().eq_ignore_ascii_case(wanted)).then(|| value.trim())
        })
    };
    if let Some(encoded) = parameter("filename*")
        && let Some((charset, rest)) = encoded.split_once('\'')
        && charset.eq_ignore_ascii_case("utf-8")
        && let Some((_, encoded)) = rest.split_once('\'')
        && let Some(name) = decoded(encoded)
    {
        return name;
    }
    parameter("filename")
        .unwrap_or_default()
        .trim_matches('"')
        .to_owned()
}

fn decoded(encoded: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || char::from(rest.next()?).to_digit(16);
        let value = digit()? * 16 + digit()?;
        bytes.push(u8::try_from(value).ok()?);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use casewright_casework::document::{Format, Kind};

    use super::*;

    #[test]
    fn a_name_goes_out_encoded_and_comes_in_the_same() {
        let name = "Mäi \"quote\"; x=1.pdf";
        let document = Document {
            id: "d1".to_owned(),
            case: "c1".to_owned(),
            kind: Kind::Quote,
            name: name.to_owned(),
            format: Format::Pdf,
            bytes: 1,
            sha256: String::new(),
            parts: 1,
            at: jiff::Timestamp::UNIX_EPOCH,
            by: "u-a".to_owned(),
        };
        let value = disposition(&document);
        assert_eq!(
            value,
            "attachment; filename=\"document.pdf\"; \
             filename*=UTF-8''M%C3%A4i%20%22quote%22%3B%20x%3D1.pdf"
        );
        let read = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_DISPOSITION, value.parse().unwrap());
            sent_name(&headers)
        };
        assert_eq!(read(&value), name);
        assert_eq!(read("attachment; filename=\"a quote.pdf\""), "a quote.pdf");
        assert_eq!(read("attachment; FileName=quote.pdf"), "quote.pdf");
        assert_eq!(
            read("attachment; filename*=UTF-8''%zz; filename=b.pdf"),
            "b.pdf"
        );
        assert_eq!(read("attachment; filename*=UTF-8''%ff"), "");
        assert_eq!(read("attachment; filename*=UTF-8''%4"), "");
        assert_eq!(read("inline"), "");
        assert_eq!(sent_name(&HeaderMap::new()), "");
    }
}
