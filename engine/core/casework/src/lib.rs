//! The rules that protect families and public money: who may do what, when things are due, what a
//! fund can bear, and the record of it all. Pure functions over plain records.
//!
//! It stores nothing, knows no workflow and no clock: state, time and principals arrive as
//! arguments, and a decision comes back as the next state or a [`Refusal`].
//!
//! Own crate for reasons of law: purity is held by its dependency list.

pub mod absence;
pub mod access;
pub mod audit;
pub mod calendar;
pub mod case;
pub mod consent;
pub mod contact;
pub mod disclosure;
pub mod document;
pub mod fund;
pub mod message;
pub mod money;
pub mod note;
pub mod outcomes;
pub mod payments;
pub mod person;
pub mod plan;
pub mod policy;
pub mod principal;
pub mod refusal;
pub mod retention;
pub mod schedule;
pub mod wall;
pub mod work_item;

pub use absence::{Absence, Absences};
pub use calendar::{Calendar, Term};
pub use case::Case;
pub use consent::Consent;
pub use disclosure::Disclosure;
pub use document::Document;
pub use fund::Fund;
pub use message::Message;
pub use money::Money;
pub use note::Note;
pub use payments::Payments;
pub use person::Person;
pub use plan::Plan;
pub use policy::Policy;
pub use principal::Principal;
pub use refusal::{Code, Refusal};
pub use retention::Disposal;
pub use schedule::Recurrence;
pub use wall::Walls;
pub use work_item::WorkItem;
