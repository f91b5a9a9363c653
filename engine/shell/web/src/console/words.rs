//! Names as words, as the pictures of workflows write them too.

pub(crate) use casewright_language::words::{humanize, phrase};
