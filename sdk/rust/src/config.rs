//! The plugin's configuration, bound by the pack and the operator.

use serde::de::DeserializeOwned;

use crate::{Error, decode, world};

/// The configuration as `T`; declare the same type in `plugin!(..; config = T)`.
///
/// A plugin that nobody configured sees an empty object, so fields with `#[serde(default)]` just
/// work.
pub fn config<T: DeserializeOwned>() -> Result<T, Error> {
    let text = world::config();
    let text = if text.trim() == "null" {
        "{}"
    } else {
        text.as_str()
    };
    decode::read(text).map_err(|mistake| {
        let place = if mistake.pointer.is_empty() {
            "/"
        } else {
            &mistake.pointer
        };
        Error::permanent(
            "bad-config",
            format!("setting `{place}` {}", mistake.problem),
        )
    })
}
