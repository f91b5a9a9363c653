//! Who gave a token, where it says so: the `iss` of a JSON Web Token.
//!
//! Nothing is proven by it. Whoever is asked with the token checks its signature; this only keeps
//! a token of an unexpected issuer from being sent anywhere.

use serde_json::Value;

/// Longest token that is looked into.
const BYTES_MAX: usize = 64 * 1024;

pub(super) fn issuer(token: &str) -> Option<String> {
    if token.len() > BYTES_MAX {
        return None;
    }
    let mut parts = token.split('.');
    let (_, claims, _) = (parts.next()?, parts.next()?, parts.next()?);
    let claims: Value = serde_json::from_slice(&decoded(claims)?).ok()?;
    claims["iss"].as_str().map(str::to_owned)
}

/// The alphabet with `-` and `_`, without filling.
fn decoded(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    let (mut bits, mut count) = (0_u32, 0);
    for sign in text.bytes() {
        let value = match sign {
            b'A'..=b'Z' => sign - b'A',
            b'a'..=b'z' => sign - b'a' + 26,
            b'0'..=b'9' => sign - b'0' + 52,
            b'-' => 62,
            b'_' => 63,
            _ => return None,
        };
        bits = (bits << 6 | u32::from(value)) & 0x3fff;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).ok()?);
        }
    }
    Some(bytes)
}
