//! A disk that really fills up: a small tmpfs. Needs the right to mount; where it is missing, the
//! test says so in one line and the conformance suite stands alone with its settable free space.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use casewright_store::{Batch, Put, RedbStore, Settings, Store, SubmitError, Table, Under};

const RESERVE: u64 = 2 << 20;

#[test]
fn a_full_disk_refuses_loses_nothing_and_recovers() {
    let Some(disk) = SmallDisk::mount("10m") else {
        eprintln!("not run: mounting a small tmpfs needs root and mount(8)");
        return;
    };
    let store = open(&disk.path);
    let mut acknowledged = 0;
    let refused = loop {
        assert!(acknowledged < 1_000, "10 MiB never filled up");
        match store.submit(numbered(acknowledged, false)) {
            Ok(ticket) => {
                ticket.wait().unwrap();
                acknowledged += 1;
            }
            Err(error) => break error,
        }
    };
    assert_eq!(refused, SubmitError::DiskFull);
    assert!(acknowledged > 50, "full after {acknowledged} batches");
    check(&store, acknowledged);

    // The reserve serves read audits until it is spent, and even then nothing breaks.
    let mut audited = 0;
    while let Ok(ticket) = store.submit(numbered(acknowledged, true)) {
        ticket.wait().unwrap();
        acknowledged += 1;
        audited += 1;
        assert!(audited < 1_000, "the reserve is never spent");
    }
    assert!(audited > 0, "the reserve served nobody");

    // Somebody else takes what is left; the store reads on, and comes back when there is space.
    let ballast = disk.path.join("ballast");
    let free = free_bytes(&disk.path);
    std::fs::write(&ballast, vec![1; usize::try_from(free).unwrap()]).unwrap();
    let refused = store.submit(numbered(acknowledged, true)).unwrap_err();
    assert_eq!(refused, SubmitError::DiskFull);
    check(&store, acknowledged);
    std::fs::remove_file(&ballast).unwrap();
    disk.resize("20m");
    store
        .submit(numbered(acknowledged, false))
        .unwrap()
        .wait()
        .unwrap();
    drop(store);
    check(&open(&disk.path), acknowledged + 1);
}

fn open(folder: &Path) -> RedbStore {
    let settings = Settings {
        reserve_bytes: RESERVE,
        probe_every: Duration::ZERO,
        ..Settings::default()
    };
    let (path, keys) = (folder.join("store.redb"), folder.join("keys"));
    RedbStore::open(&path, &keys, settings).unwrap()
}

fn numbered(number: u64, reserve: bool) -> Batch {
    Batch {
        puts: vec![Put {
            table: Table::Request,
            key: number.to_be_bytes().to_vec(),
            value: Some(contents(number)),
            under: Under::Agency("agency".to_owned()),
        }],
        reserve,
        ..Batch::default()
    }
}

fn contents(number: u64) -> Vec<u8> {
    // Long enough to be left as it is.
    number.to_be_bytes().repeat(8_200)
}

fn check(store: &RedbStore, count: u64) {
    let rows = store
        .scan(Table::Request, &[], &[0xff; 9], usize::MAX)
        .unwrap();
    assert_eq!(rows.len() as u64, count);
    for (number, (key, row)) in (0_u64..).zip(&rows) {
        assert_eq!(key, &number.to_be_bytes());
        assert_eq!(row.value, contents(number));
    }
}

fn free_bytes(path: &Path) -> u64 {
    let found = rustix::fs::statvfs(path).unwrap();
    found.f_bavail * found.f_frsize
}

/// A mounted tmpfs, unmounted at the end.
struct SmallDisk {
    path: PathBuf,
    _folder: tempfile::TempDir,
}

impl SmallDisk {
    fn mount(size: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_owned();
        let mounted = Command::new("mount")
            .args([
                "-t",
                "tmpfs",
                "-o",
                &format!("size={size}"),
                "casewright-test",
            ])
            .arg(&path)
            .output();
        mounted
            .is_ok_and(|output| output.status.success())
            .then_some(Self {
                path,
                _folder: folder,
            })
    }

    fn resize(&self, size: &str) {
        let status = Command::new("mount")
            .args(["-o", &format!("remount,size={size}")])
            .arg(&self.path)
            .status();
        assert!(status.unwrap().success());
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg("-l").arg(&self.path).status();
        if !unmounted.is_ok_and(|status| status.success()) {
            eprintln!("cannot unmount {}", self.path.display());
        }
    }
}
