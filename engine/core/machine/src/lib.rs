//! The state machine of an instance: `step(workflow, instance, event, answers)` gives the next
//! instance and the effects it wants. Pure and total: time, ids and randomness arrive in events.
//!
//! ```text
//! event ──▶ step ──▶ list ──▶ task ──▶ do for fork set switch call human raise run try wait emit
//!                     │        │                    │
//!                     │        └ if, input, output, │
//!                     │          export, timeout    └──▶ position: what is still open
//!                     └ then, yield
//! ```
//!
//! It does not store, call, wait or decide who may approve; it only says what an instance wants.
//!
//! Own crate for reasons of law: purity is held by its dependency list.

pub mod effect;
pub mod envelope;
pub mod event;
pub mod fault;
pub mod http;
pub mod instance;
pub mod lifecycle;
pub mod migrate;
pub mod notify;
pub mod openapi;
pub mod step;

mod call;
mod child;
mod r#do;
mod emit;
mod extension;
mod filter;
mod r#for;
mod fork;
mod function;
mod human;
mod interest;
mod list;
mod listen;
mod position;
mod raise;
mod record;
mod retry;
mod run;
mod scope;
mod set;
mod snapshot;
mod switch;
mod task;
mod trigger;
mod r#try;
mod wait;

pub use child::DEPTH_MAX;
pub use effect::{
    Assignment, Call, Child, Delivery, Effect, Emit, Escalation, Exclusion, ExclusionReason, Limit,
    Offer, Outcome,
};
pub use event::{CallError, CaseFacts, Decider, ErrorKind, Event, RuntimeFacts, Started, Worked};
pub use fault::Fault;
pub use instance::{Instance, Status, TaskRun, Waiting};
pub use interest::{Interest, Shape, shapes};
pub use lifecycle::Chronicle;
pub use migrate::{Obstacle, Plan, Reason, Stand, plan};
pub use record::TASK_RUNS_MAX;
pub use retry::Retry;
pub use step::{CATCH, Choice, Mismatch, Step, Transition, step};
pub use trigger::{Gathered, Gathering, gather};
