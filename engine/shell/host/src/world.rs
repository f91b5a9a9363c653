//! The plugin world, `sdk/wit/plugin.wit`, in Rust. Generated; the host side is in
//! [`crate::imports`].

wasmtime::component::bindgen!({
    path: "../../../sdk/wit",
    world: "plugin",
    imports: {
        "casewright:plugin/http.send": async | trappable,
        default: trappable,
    },
    exports: { default: async },
});
