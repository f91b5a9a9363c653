//! Any text is read as `pack.yaml`.

#![no_main]

use casewright_fuzz::{bounded, readers};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| bounded(|| readers::pack(text)));
