//! Signs of life during long work.

use crate::world;

/// What the engine says to a sign of life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Go on.
    Continue,
    /// Somebody cancelled the step; stop soon.
    CancelRequested,
}

/// Tells how far the work is; `note` is shown to people.
pub fn report(percent: Option<u8>, note: &str) -> Signal {
    world::report(percent, note)
}
