//! Headers in both directions: which a guest may set, and how much is passed.

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};

/// Headers of a request or an answer.
pub(super) const COUNT_MAX: usize = 64;
const BYTES_MAX: usize = 32 * 1024;

/// These decide how the bytes on the wire are cut or where they go: the client's alone.
const FORBIDDEN: [&str; 10] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
];

/// Checks what a guest wants to send.
pub(crate) fn of_guest(given: &[(String, String)]) -> Result<HeaderMap, String> {
    let bytes: usize = given
        .iter()
        .map(|(name, value)| name.len() + value.len())
        .sum();
    if given.len() > COUNT_MAX || bytes > BYTES_MAX {
        return Err(format!(
            "{} headers of {bytes} bytes; at most {COUNT_MAX} of {BYTES_MAX} are sent",
            given.len()
        ));
    }
    let mut headers = HeaderMap::new();
    for (key, value) in given {
        let name = name(key)?;
        let value = HeaderValue::try_from(value)
            .map_err(|_| format!("the value of header `{name}` cannot stand in a header"))?;
        headers.append(name, value);
    }
    Ok(headers)
}

/// A header's name that a guest may use.
pub(super) fn name(text: &str) -> Result<HeaderName, String> {
    let name = HeaderName::try_from(text)
        .map_err(|_| "a header's name holds a character that cannot stand there".to_owned())?;
    if FORBIDDEN.contains(&name.as_str()) || name.as_str().starts_with("proxy-") {
        return Err(format!(
            "header `{name}` is set by the host alone; leave it out"
        ));
    }
    Ok(name)
}

/// Values that are not text are left out: the world's headers are text.
pub(super) fn of_response(headers: &HeaderMap) -> Result<Vec<(String, String)>, String> {
    let bytes: usize = headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len())
        .sum();
    if bytes > BYTES_MAX {
        return Err(format!(
            "the answer's headers have {bytes} bytes; at most {BYTES_MAX} are taken"
        ));
    }
    let text = |(name, value): (&HeaderName, &HeaderValue)| {
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
    };
    Ok(headers.iter().filter_map(text).collect())
}

/// Whether the body is text by its type.
pub(super) fn is_textual(headers: &HeaderMap) -> bool {
    let Some(Ok(value)) = headers.get(CONTENT_TYPE).map(HeaderValue::to_str) else {
        return false;
    };
    let kind = value
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    kind.starts_with("text/")
        || kind.ends_with("+json")
        || kind.ends_with("+xml")
        || matches!(
            kind.as_str(),
            "application/json"
                | "application/xml"
                | "application/javascript"
                | "application/x-www-form-urlencoded"
        )
}

/// The value of a basic credential.
pub(crate) fn basic(user: &str, password: &str) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::from("Basic ");
    for chunk in format!("{user}:{password}").as_bytes().chunks(3) {
        let [a, b, c] =
            [0, 1, 2].map(|index| u32::from(chunk.get(index).copied().unwrap_or_default()));
        let bits = a << 16 | b << 8 | c;
        for index in 0..4 {
            let sextet = (bits >> (18 - 6 * index) & 63) as usize;
            text.push(if index <= chunk.len() {
                char::from(ALPHABET[sextet])
            } else {
                '='
            });
        }
    }
    text
}
