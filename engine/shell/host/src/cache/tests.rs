//! Kept code is what was compiled here, or it is not used.

use std::os::unix::fs::PermissionsExt as _;

use super::{Cache, CacheError, KEY_FILE};
use crate::engine::engine;

fn open(folder: &std::path::Path) -> Result<Cache, CacheError> {
    Cache::open(folder.to_owned(), &engine().unwrap())
}

#[test]
fn code_comes_back_as_it_was_kept() {
    let folder = tempfile::tempdir().unwrap();
    let cache = open(&folder.path().join("code")).unwrap();
    assert_eq!(cache.get("d1"), None);
    cache.put("d1", b"native code");
    assert_eq!(cache.get("d1").unwrap(), b"native code");
    assert_eq!(
        open(&folder.path().join("code"))
            .unwrap()
            .get("d1")
            .unwrap(),
        b"native code"
    );
}

#[test]
fn a_changed_byte_anywhere_breaks_the_seal() {
    let folder = tempfile::tempdir().unwrap();
    let cache = open(folder.path()).unwrap();
    cache.put("d1", b"native code");
    let path = folder.path().join(cache.name("d1"));
    let kept = std::fs::read(&path).unwrap();
    for index in 0..kept.len() {
        let mut changed = kept.clone();
        changed[index] ^= 1;
        std::fs::write(&path, changed).unwrap();
        assert_eq!(cache.get("d1"), None, "byte {index}");
    }
    for length in 0..kept.len() {
        std::fs::write(&path, &kept[..length]).unwrap();
        assert_eq!(cache.get("d1"), None, "cut to {length}");
    }
    std::fs::write(&path, [&kept[..], b"x"].concat()).unwrap();
    assert_eq!(cache.get("d1"), None, "longer");
}

#[test]
fn no_file_can_stand_in_for_another() {
    let folder = tempfile::tempdir().unwrap();
    let cache = open(folder.path()).unwrap();
    cache.put("d1", b"one");
    let path = |digest| folder.path().join(cache.name(digest));
    std::fs::copy(path("d1"), path("d2")).unwrap();
    assert_eq!(cache.get("d2"), None);
}

#[test]
fn a_seal_under_another_key_does_not_hold() {
    let folder = tempfile::tempdir().unwrap();
    open(folder.path()).unwrap().put("d1", b"one");
    std::fs::write(folder.path().join(KEY_FILE), [7; 32]).unwrap();
    assert_eq!(open(folder.path()).unwrap().get("d1"), None);
}

#[test]
fn a_damaged_key_is_replaced_and_old_code_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    open(folder.path()).unwrap().put("d1", b"one");
    std::fs::write(folder.path().join(KEY_FILE), b"short").unwrap();
    let cache = open(folder.path()).unwrap();
    assert_eq!(cache.get("d1"), None);
    cache.put("d1", b"one");
    assert_eq!(cache.get("d1").unwrap(), b"one");
}

#[test]
fn only_the_owner_can_read_folder_and_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("code");
    std::fs::create_dir(&path).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    let cache = open(&path).unwrap();
    cache.put("d1", b"one");
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode(&path) & 0o777, 0o700);
    assert_eq!(mode(&path.join(KEY_FILE)) & 0o777, 0o600);
    assert_eq!(mode(&path.join(cache.name("d1"))) & 0o777, 0o600);
    let drafts = std::fs::read_dir(&path).unwrap().count();
    assert_eq!(drafts, 2, "a draft was left behind");
}

#[test]
fn a_link_is_not_a_folder_of_ours() {
    let folder = tempfile::tempdir().unwrap();
    let (real, link) = (folder.path().join("real"), folder.path().join("link"));
    std::fs::create_dir(&real).unwrap();
    std::os::unix::fs::symlink(&real, &link).unwrap();
    assert!(matches!(open(&link), Err(CacheError::Foreign(_))));
}
