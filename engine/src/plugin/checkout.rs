//! Where the checkout of Casewright is, if the work happens within one.

use std::path::{Path, PathBuf};

/// The checkout that `from` lies in.
pub(crate) fn find(from: &Path) -> Option<PathBuf> {
    let from = from.canonicalize().ok()?;
    let checkout = from.ancestors().find(|folder| is_checkout(folder))?;
    Some(checkout.to_owned())
}

fn is_checkout(folder: &Path) -> bool {
    folder.join("plugins/Cargo.toml").is_file() && folder.join("sdk/wit/plugin.wit").is_file()
}

/// `to` as seen from the folder `from`; both absolute.
pub(super) fn relative(from: &Path, to: &Path) -> PathBuf {
    let shared = from
        .components()
        .zip(to.components())
        .take_while(|(a, b)| a == b)
        .count();
    let up = from.components().skip(shared).map(|_| Path::new(".."));
    up.chain(
        to.components()
            .skip(shared)
            .map(|part| Path::new(part.as_os_str())),
    )
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_seen_from_a_folder() {
        let seen = |from: &str, to: &str| relative(Path::new(from), Path::new(to));
        assert_eq!(
            seen("/a/plugins/x", "/a/sdk/rust"),
            Path::new("../../sdk/rust")
        );
        assert_eq!(seen("/a/b", "/a/b/c"), Path::new("c"));
        assert_eq!(seen("/x", "/a/b"), Path::new("../a/b"));
    }

    #[test]
    fn the_checkout_is_found_from_within() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        assert_eq!(
            find(&here.join("src")).unwrap(),
            here.parent().unwrap().canonicalize().unwrap()
        );
        assert_eq!(find(Path::new("/")), None);
    }
}
