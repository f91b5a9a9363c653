//! The plugin world as Rust, generated from `sdk/wit/plugin.wit` at compile time.

#![expect(
    unsafe_code,
    reason = "generated: lifting and lowering of the component model"
)]
#![expect(missing_docs, unreachable_pub, clippy::pedantic, reason = "generated")]

wit_bindgen::generate!({
    path: "../wit",
    world: "plugin",
    pub_export_macro: true,
    default_bindings_module: "casewright_sdk::bindings",
});
