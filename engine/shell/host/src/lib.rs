//! Runs what is not ours: plugins in wasmtime, expressions in a disposable process.
//!
//! It knows nothing of cases, workflows or the store; JSON goes in and comes out. A bad plugin
//! ends as an error value, never as a fault of the engine.
//!
//! Own crate for reasons of weight: wasmtime, jaq and the HTTP client stay below it.

mod address;
pub mod bare;
mod cache;
pub mod compile;
mod description;
mod engine;
pub mod evaluator;
mod failure;
pub mod folder;
pub mod grant;
mod http;
mod imports;
mod json;
pub mod manifest;
pub mod origin;
pub mod plugin;
pub mod request;
mod state;
mod world;
