//! What the targets of the fuzzer do, done to the texts of this checkout. They are a workspace of
//! their own; so each build shows that they follow the readers. No text is made up here.

#![allow(clippy::unwrap_used, reason = "a panic is how a test reports")]

use std::fs;
use std::path::{Path, PathBuf};

#[allow(unreachable_pub, reason = "what is compiled elsewhere is public there")]
#[path = "fuzz/src/readers.rs"]
mod readers;

/// Every text of a folder beside the sample pack, and how many there are.
fn read_each(folder: &str, reader: fn(&str)) -> usize {
    let sample =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../workflows/intensive-family-support");
    let texts: Vec<PathBuf> = fs::read_dir(sample.join(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ends| ends == "yaml"))
        .collect();
    for path in &texts {
        reader(&fs::read_to_string(path).unwrap());
    }
    texts.len()
}

#[test]
fn every_target_reads_the_texts_of_the_sample() {
    assert!(read_each("", readers::workflow) > 10);
    assert!(read_each("", readers::pack) > 10);
    assert!(read_each("forms", readers::form) > 10);
    assert!(read_each("tests", readers::test) > 10);
    readers::expression(".items[] | select(.n > 1) | .name");
    readers::expression(".money.minor >");
}
