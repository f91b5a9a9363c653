//! The state machine of an instance: `step(workflow, instance, event, answers)` gives the next
//! instance and the effects it wants. Pure and total: time, ids and randomness arrive in events.
//!
//! It does not store, call, wait or decide who may approve; it only says what an instance wants.
//!
//! Own crate for reasons of law: purity is held by its dependency list.

pub mod effect;
pub mod event;
pub mod fault;
pub mod instance;
pub mod step;

pub use effect::{Call, Delivery, Effect, Offer, Outcome};
pub use event::{CallError, CaseFacts, Decider, ErrorKind, Event, Started};
pub use fault::Fault;
pub use instance::{Instance, Status, TaskRun, Waiting};
pub use step::{Mismatch, Step, Transition, step};
