//! Any text is read as an expression, and evaluated where that needs no jq.

#![no_main]

use casewright_fuzz::{bounded, readers};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| bounded(|| readers::expression(text)));
