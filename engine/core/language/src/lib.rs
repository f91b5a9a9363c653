//! The workflow language: YAML text in, checked [`Workflow`] and [`Diagnostic`]s out.
//!
//! ```text
//! text ── yaml ──▶ spanned tree ── read ──▶ Workflow + Diagnostics
//!                                  │
//!                                  └── expression: the simple subset is evaluated here,
//!                                      anything else becomes a Question for the shell
//! ```
//!
//! It does not run anything: `machine` does. It reads no file, knows no clock and no database,
//! and depends on no other crate of ours.
//!
//! Own crate for reasons of law: purity is held by its dependency list.

pub mod decision;
pub mod diagnostic;
pub mod diff;
pub mod editor;
pub mod explain;
pub mod expression;
pub mod form;
pub mod message;
pub mod origin;
pub mod pack;
pub mod pack_test;
pub mod picture;
pub mod reach;
pub mod read;
pub mod schedule;
pub mod schema;
pub mod surroundings;
pub mod template;
pub mod term;
pub mod uri;
pub mod words;
pub mod workflow;
pub(crate) mod yaml;

pub use diagnostic::{Diagnostic, Severity};
pub use expression::{Answer, Answers, Expression, Question};
pub use form::Form;
pub use message::Message;
pub use origin::Origin;
pub use picture::Picture;
pub use read::outline::Outline;
pub use read::{Reading, read};
pub use schema::Schema;
pub use surroundings::{Signature, Surroundings};
pub use template::Template;
pub use term::{Period, Term};
pub use uri::UriTemplate;
pub use workflow::{Task, Workflow};
