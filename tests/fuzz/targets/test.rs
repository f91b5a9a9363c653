//! Any text is read as the tests of a pack.

#![no_main]

use casewright_fuzz::{bounded, readers};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| bounded(|| readers::test(text)));
