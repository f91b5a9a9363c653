//! Every `.case` file: played purely, and again from every prefix after a round trip of the
//! instance through its codec. `UPDATE=1` rewrites what the files expect.

#![expect(
    clippy::unwrap_used,
    reason = "a test says best where it broke by breaking there"
)]

use std::path::{Path, PathBuf};

use casewright_machine::Instance;
use casewright_tests::case::Case;

fn files() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let folders = std::fs::read_dir(root).unwrap();
    let mut files: Vec<PathBuf> = folders
        .flat_map(|folder| std::fs::read_dir(folder.unwrap().path()).unwrap())
        .map(|file| file.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "case")
        })
        .collect();
    files.sort();
    assert!(!files.is_empty(), "there are no cases");
    files
}

fn read(path: &Path) -> Case {
    let text = std::fs::read_to_string(path).unwrap();
    Case::parse(&text).unwrap_or_else(|problem| panic!("{}: {problem}", path.display()))
}

fn through_codec(instance: &Instance) -> Instance {
    let bytes = serde_json::to_vec(instance).unwrap();
    let back: Instance = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(&back, instance, "the codec keeps everything");
    back
}

fn check(path: &Path, case: &Case, way: &str, [expected, found]: [&str; 2]) {
    assert!(
        found == expected,
        "{}: {}\n{way}\n--- expected\n{expected}--- found\n{found}",
        path.display(),
        case.title,
    );
}

#[test]
fn every_case_holds() {
    for path in files() {
        let case = read(&path);
        let found = case.play(|_, instance| instance);
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&path, found).unwrap();
        } else {
            check(&path, &case, "played purely", [&case.text, &found]);
        }
    }
}

#[test]
fn every_case_holds_from_every_prefix_through_the_codec() {
    for path in files() {
        let case = read(&path);
        let pure = case.play(|_, instance| instance);
        for prefix in 0..case.moves.len() {
            let found = case.play(|index, instance| {
                if index == prefix {
                    through_codec(&instance)
                } else {
                    instance
                }
            });
            let way = format!("through the codec before event {prefix}");
            check(&path, &case, &way, [&pure, &found]);
        }
    }
}
