//! Durable state: one atomic way to write, a few ways to read.
//!
//! ```text
//! submit(batch) ─ guards checked against pending state ─▶ queue ─▶ writer: one group, one flush
//!      │                                                              │
//!      └─ Ticket ◀───────────────── position, after the flush ────────┘
//! ```
//!
//! It decides nothing and drives nothing. Backends: `redb` (one file) and `memory` (with planted
//! faults), held equal by one conformance suite.
//!
//! Own crate for reasons of weight: redb and cryptography stay below it.

mod backend;
pub mod backup;
pub mod bare;
pub mod batch;
pub mod checkpoint;
mod chunk;
mod codec;
mod durable;
pub mod fault;
mod key_file;
mod keys;
pub mod memory;
mod pack;
pub mod pages;
pub mod port;
mod recent;
mod record;
pub mod recovery;
pub mod redb;
mod seal;
pub mod settings;
pub mod table;

pub use batch::{AuditAppend, Batch, Erase, EventAppend, Fold, Guard, Put, Under};
pub use checkpoint::{Turn, Why, Witness};
pub use durable::Rolled;
pub use fault::{Faults, Moment};
pub use memory::MemoryStore;
pub use pages::Pages;
pub use port::{Committed, History, OpenError, ReadError, Row, Sound, Store, SubmitError, Ticket};
pub use recovery::{ExportError, ExportTo, Recovered, RecoveryKey, RecoverySecret};
pub use redb::RedbStore;
pub use settings::{Medium, Settings};
pub use table::Table;
