//! Compiled code on disk is used only when it is ours; otherwise it is compiled again.

use std::path::{Path, PathBuf};

use casewright_host::manifest::Limits;
use casewright_host::plugin::Host;
use serde_json::json;

use crate::guest::{ECHO, invoking, load, run};

fn code_file(cache: &Path) -> PathBuf {
    let files = std::fs::read_dir(cache)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let code: Vec<_> = files
        .filter(|path| path.extension().is_some_and(|end| end == "cwasm"))
        .collect();
    assert_eq!(code.len(), 1, "{code:?}");
    code.into_iter().next().unwrap()
}

async fn works(cache: &Path) {
    let host = Host::new(Some(cache.to_owned())).unwrap();
    let plugin = load(&host, &invoking(ECHO)).await;
    let answer = run(&host, &plugin, &json!("x"), &Limits::default()).await;
    assert_eq!(answer, Ok(json!("x")));
}

#[tokio::test]
async fn kept_code_is_used_and_stays_as_it_is() {
    let cache = tempfile::tempdir().unwrap();
    works(cache.path()).await;
    let file = code_file(cache.path());
    let (bytes, made) = (
        std::fs::read(&file).unwrap(),
        file.metadata().unwrap().modified().unwrap(),
    );
    works(cache.path()).await;
    assert_eq!(std::fs::read(&file).unwrap(), bytes);
    assert_eq!(
        file.metadata().unwrap().modified().unwrap(),
        made,
        "compiled again"
    );
}

#[tokio::test]
async fn code_that_was_touched_is_compiled_again() {
    let cache = tempfile::tempdir().unwrap();
    works(cache.path()).await;
    let file = code_file(cache.path());
    let good = std::fs::read(&file).unwrap();
    let middle = good.len() / 2;
    let flipped = |index: usize| {
        let mut bytes = good.clone();
        bytes[index] ^= 0x55;
        bytes
    };
    for (what, bad) in [
        ("a flipped byte of code", flipped(middle)),
        ("a flipped byte of the seal", flipped(0)),
        ("a cut file", good[..middle].to_vec()),
        ("an empty file", Vec::new()),
        ("another file", b"\x7fELF".to_vec()),
    ] {
        std::fs::write(&file, &bad).unwrap();
        works(cache.path()).await;
        let mended = std::fs::read(code_file(cache.path())).unwrap();
        assert!(mended != bad, "{what} was kept");
        assert_eq!(mended.len(), good.len(), "{what}");
    }
}

#[tokio::test]
async fn code_under_another_key_is_compiled_again() {
    let cache = tempfile::tempdir().unwrap();
    works(cache.path()).await;
    let sealed = std::fs::read(code_file(cache.path())).unwrap();
    std::fs::write(cache.path().join("seal.key"), [9; 32]).unwrap();
    works(cache.path()).await;
    let again = std::fs::read(code_file(cache.path())).unwrap();
    assert_ne!(again[..32], sealed[..32], "the old seal was believed");
}
