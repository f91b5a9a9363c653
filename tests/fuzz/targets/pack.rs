//! Any text is read as `pack.yaml`.

#![no_main]

use casewright_fuzz::{bounded, told};
use casewright_language::pack::read_pack;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    bounded(|| {
        let (pack, findings) = read_pack("pack.yaml", text);
        told(&findings, text, pack.is_some());
    });
});
