//! Log lines; the engine adds case, step, plugin and trace ids. Never log personal data.

use crate::world;

/// How much it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Every step of the way.
    Trace,
    /// For the plugin's author.
    Debug,
    /// Worth knowing.
    Info,
    /// Unusual; somebody may have to look.
    Warn,
    /// Something failed.
    Error,
}

/// Writes a line for the plugin's author.
pub fn debug(message: &str, fields: &[(&str, &str)]) {
    world::log(Level::Debug, message, fields);
}

/// Writes a line worth knowing.
pub fn info(message: &str, fields: &[(&str, &str)]) {
    world::log(Level::Info, message, fields);
}

/// Writes a line about something unusual.
pub fn warn(message: &str, fields: &[(&str, &str)]) {
    world::log(Level::Warn, message, fields);
}

/// Writes a line about a failure.
pub fn error(message: &str, fields: &[(&str, &str)]) {
    world::log(Level::Error, message, fields);
}
