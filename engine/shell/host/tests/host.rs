//! The plugin host from outside: real components, hostile ones too, through its public functions.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "host/cache.rs"]
mod cache;
#[path = "host/guest.rs"]
mod guest;
#[path = "host/hostile.rs"]
mod hostile;
#[path = "host/load.rs"]
mod load;
#[path = "host/network.rs"]
mod network;
