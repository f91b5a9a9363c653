//! Runs what is not ours: plugins in wasmtime, expressions in a disposable process.
//!
//! It knows nothing of cases, workflows or the store; JSON goes in and comes out. A bad plugin
//! ends as an error value, never as a fault of the engine.
//!
//! Own crate for reasons of weight: wasmtime, jaq and the HTTP client stay below it.

pub mod evaluator;
pub mod grant;
pub mod manifest;
pub mod plugin;
