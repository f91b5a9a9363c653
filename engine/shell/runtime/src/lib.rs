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
//! Tokio tasks are started here and nowhere else:
//!
//! | task | started in | ends |
//! |---|---|---|
//! | a changing request | `engine/shared.rs` (`carry`) | by itself, also when the client has gone |
//! | one plugin call and its panic guard | `engine/calls.rs` | its result on disk, or `stop` |
//! | a pending call that goes on | `engine/pending/resume.rs` | its outcome on disk, or `stop` |
//! | going on after a yield | `engine/timers.rs` (`resume`) | by itself, or at `stop` |
//! | a booking beyond one decision | `engine/funds.rs` (`book_later`) | booked, or at `stop` |
//! | what a run workflow has due | `engine/children.rs` (`attend`) | when done, or at `stop` |
//! | the flush of a fired timer | `timers.rs` (`fire`), `alarms.rs` (`ring`) | by itself |
//! | the flush of what began by itself | `engine/schedules.rs` | by itself |
//! | moving open deadlines | `engine/calendars/moving.rs` | when all have moved, or at `stop` |
//! | waiting for timers | `engine/timers.rs` (`drive`) | at `stop`, or with the last `Engine` |
//! | bringing events | `engine/events.rs` (`drive`) | the same |
//! | the flush of an event that went | `events.rs` (`bring_to`, `discard`) | by itself |
//! | folding and parking | `engine/sweep.rs` (`drive`) | the same |
//! | taking a document in | `documents.rs`, by `carry` | on disk, or its sender gone |
//! | hashing a passphrase (thread) | `identity/passphrase.rs` | by itself |
//!
//! Own crate for reasons of law: everything that touches the world is a port here.

pub mod deployment;
pub mod engine;
mod id;
pub mod identity;
mod key;
pub mod port;
mod record;
pub mod view;

pub use deployment::Deployment;
pub use engine::{Engine, Refused};
