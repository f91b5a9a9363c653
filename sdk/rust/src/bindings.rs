//! The plugin world as Rust, generated from `sdk/wit/plugin.wit` at compile time. The lifting and
//! lowering in it is the only unsafe code of the SDK.

#![expect(missing_docs, reason = "generated; the WIT file has the comments")]

wit_bindgen::generate!({
    path: "../wit",
    world: "plugin",
    pub_export_macro: true,
    default_bindings_module: "casewright_sdk::bindings",
});
