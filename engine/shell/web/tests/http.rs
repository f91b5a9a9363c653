//! API and console by their front door: real requests against a real engine over the memory store.
//! Only the network is left out.
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "http/agency.rs"]
mod agency;
#[path = "http/api.rs"]
mod api;
#[path = "http/browser.rs"]
mod browser;
#[path = "http/calendars.rs"]
mod calendars;
#[path = "http/case_file.rs"]
mod case_file;
#[path = "http/consents.rs"]
mod consents;
#[path = "http/console.rs"]
mod console;
#[path = "http/contact.rs"]
mod contact;
#[path = "http/documents.rs"]
mod documents;
#[path = "http/drafts.rs"]
mod drafts;
#[path = "http/episodes.rs"]
mod episodes;
#[path = "http/events.rs"]
mod events;
#[path = "http/funds.rs"]
mod funds;
#[path = "http/guard.rs"]
mod guard;
#[path = "http/handover.rs"]
mod handover;
#[path = "http/hands.rs"]
mod hands;
#[path = "http/hidden.rs"]
mod hidden;
#[path = "http/holds.rs"]
mod holds;
#[path = "http/packs.rs"]
mod packs;
#[path = "http/plans.rs"]
mod plans;
#[path = "http/ports.rs"]
mod ports;
#[path = "http/retention.rs"]
mod retention;
#[path = "http/schedules.rs"]
mod schedules;
#[path = "http/walls.rs"]
mod walls;
