//! Request keys of forms: each page drawn carries a fresh one, so that sending it twice does one
//! thing.

use crate::visitor::hex;

/// 128 random bits. Without randomness the form goes out without a key: it works, once per click.
pub(crate) fn request_key() -> String {
    let mut bytes = [0; 16];
    match getrandom::fill(&mut bytes) {
        Ok(()) => hex(&bytes),
        Err(_) => String::new(),
    }
}
