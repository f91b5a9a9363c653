//! The engine over the memory store, with a clock moved by hand and a partner that keeps a
//! journal.

mod brokerage;
mod children;
mod crash;
mod funds;
mod identity;
mod lists;
mod pressure;
mod requests;
mod timers;
mod world;
