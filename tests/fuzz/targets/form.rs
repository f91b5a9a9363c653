//! Any text is read as a form, and one that is taken checks what nobody has filled in.

#![no_main]

use casewright_fuzz::{bounded, readers};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| bounded(|| readers::form(text)));
