//! Drives instances: decides in memory, commits, then acts.
//!
//! ```text
//! request ─▶ decide (machine + casework) ─▶ Batch ─▶ store ─▶ effects: calls, timers, answers
//!                 ▲                                               │
//!                 └──────────── events: returned, fired ──────────┘
//! ```
//!
//! It knows ports (store, invoke, evaluate, clock, entropy), not what is behind them: neither
//! `host` nor `web` nor a backend.
//!
//! Own crate for reasons of law: everything that touches the world is a port here.

pub mod deployment;
pub mod engine;
pub mod identity;
pub mod port;
pub mod view;

pub use deployment::Deployment;
pub use engine::{Engine, Refused};
