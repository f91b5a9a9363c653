//! The engine over the memory store, with a clock moved by hand and a partner that keeps a
//! journal.

mod alarms;
mod brokerage;
mod children;
mod crash;
mod disclosures;
mod documents;
mod drafts;
mod events;
mod forgetting;
mod funds;
mod holds;
mod http;
mod identity;
mod lists;
mod migrations;
mod packs;
mod pending;
mod pressure;
mod requests;
mod retries;
mod schedules;
mod timers;
mod triggers;
mod world;
