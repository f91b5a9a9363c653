//! From cargo's core module to a component.
//!
//! The SDK's bindings left a description of the plugin world in the module, so that the author
//! needs no other tool.

use std::error::Error;

use wit_component::ComponentEncoder;

/// The component; the error is a sentence.
pub(super) fn encode(module: &[u8]) -> Result<Vec<u8>, String> {
    let encoded = ComponentEncoder::default()
        .module(module)
        .and_then(|encoder| encoder.validate(true).encode());
    encoded.map_err(|error| {
        let error: Box<dyn Error + Send + Sync> = error.into();
        let mut sentence = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            sentence.push_str(": ");
            sentence.push_str(&error.to_string());
            cause = error.source();
        }
        sentence
    })
}

#[cfg(test)]
mod tests {
    use super::encode;

    #[test]
    fn what_is_no_plugin_is_refused_with_a_reason() {
        assert!(!encode(b"\x7fELF").unwrap_err().is_empty());
        let without_world = b"\0asm\x01\0\0\0";
        let component = encode(without_world).unwrap();
        assert_eq!(
            component[4..8],
            [0x0d, 0, 1, 0],
            "an empty module makes an empty component"
        );
    }
}
