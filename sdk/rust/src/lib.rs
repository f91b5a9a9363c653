//! Write a Casewright plugin in Rust: a function with serde types and one attribute.
//!
//! ```
//! use casewright_sdk::prelude::*;
//!
//! #[derive(Deserialize, JsonSchema)]
//! struct Greeting {
//!     name: String,
//! }
//!
//! #[derive(Serialize, JsonSchema)]
//! struct Answer {
//!     text: String,
//! }
//!
//! /// Greets somebody.
//! #[function(effect = "none")]
//! fn greet(_context: &Context, input: Greeting) -> Result<Answer, Error> {
//!     Ok(Answer { text: format!("Good morning, {}", input.name) })
//! }
//!
//! plugin!(greet);
//! # fn main() {}
//! ```
//!
//! Built for WebAssembly, the functions talk to the engine through `sdk/wit/plugin.wit`. Built
//! natively, they talk to the fake world of [`testing`], so that `cargo test` is the whole loop.
//! The crate knows nothing of the engine; it does not decide about retries or grants, it only says
//! what happened.

pub mod clock;
mod config;
mod context;
mod date;
mod decode;
mod description;
mod error;
mod function;
pub mod http;
pub mod kv;
pub mod log;
#[cfg(any(test, target_arch = "wasm32"))]
mod memory;
mod money;
mod pending;
mod plugin;
pub mod progress;
pub mod secrets;
mod text;
mod world;

#[cfg(target_arch = "wasm32")]
pub mod bindings;
#[cfg(target_arch = "wasm32")]
pub mod guest;
#[cfg(not(target_arch = "wasm32"))]
pub mod testing;

pub use casewright_sdk_macros::function;
pub use config::config;
pub use context::Context;
pub use date::Date;
pub use error::{Error, Kind};
pub use function::{Effect, Function};
pub use money::{Currency, Money};
pub use pending::{Callback, Outcome, Pending, Reason};
pub use plugin::{Entry, Plugin};
pub use text::Line;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// What `plugin!` writes refers to these; not for authors.
#[doc(hidden)]
pub mod __private {
    pub use crate::description::{config_schema, no_config};
    pub use crate::pending::resume_with;
}

/// What nearly every plugin needs; `use casewright_sdk::prelude::*;`.
pub mod prelude {
    pub use schemars::{self, JsonSchema};
    pub use serde::{self, Deserialize, Serialize};
    pub use serde_json::{Value, json};

    pub use crate::{
        Context, Currency, Date, Error, Line, Money, Outcome, Pending, Reason, clock, config,
        function, http, log, plugin,
    };
}
