//! Any text is read as a workflow, and one that is taken is drawn and compared with itself.

#![no_main]

use casewright_fuzz::{bounded, readers};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| bounded(|| readers::workflow(text)));
