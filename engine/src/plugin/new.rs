//! `casewright plugin new`: a folder that builds and passes its test as it stands.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Failure, checkout, say};

const CARGO: &str = include_str!("../../../sdk/rust/template/Cargo.member.toml");
/// For a plugin that is not a member of the checkout's workspace of plugins.
const CARGO_ALONE: &str = include_str!("../../../sdk/rust/template/Cargo.alone.toml");
const MANIFEST: &str = include_str!("../../../sdk/rust/template/plugin.toml");
const LIBRARY: &str = include_str!("../../../sdk/rust/template/lib.rs");

/// `casewright plugin new ...`
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Lower-case letters, digits and hyphens; the first part of `call: <name>.<function>`
    name: String,
    /// Where to put it; by default plugins/<name> of the checkout, or ./<name>
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// The folder sdk/rust of a Casewright checkout; only needed outside of one
    #[arg(long, value_name = "PATH")]
    sdk: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let name = arguments.name.as_str();
    check_name(name)?;
    let root = checkout::find(Path::new("."));
    let folder = match (&arguments.dir, &root) {
        (Some(folder), _) => folder.clone(),
        (None, Some(root)) => root.join("plugins").join(name),
        (None, None) => PathBuf::from(name),
    };
    let sdk = sdk(arguments, root.as_deref())?;
    let folder = make_empty(&folder)?;
    write(&folder, name, &sdk)?;
    let shown = folder.strip_prefix(Path::new(".").canonicalize().unwrap_or_default());
    let shown = shown.unwrap_or(&folder).display();
    say(&format!(
        "made {shown}\n\
         \n  test it:   cargo test --manifest-path {shown}/Cargo.toml\
         \n  build it:  casewright plugin build {shown}\
         \n  call it:   call: {name}.days-left"
    ))
}

fn check_name(name: &str) -> Result<(), Failure> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let sound = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.len() <= 64
        && name.bytes().all(plain)
        && !name.ends_with('-');
    if sound {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "`{name}` cannot name a plugin; write a lower-case letter, then letters, digits and \
         hyphens, such as housing-referral"
    )))
}

/// The SDK, absolute.
fn sdk(arguments: &Arguments, root: Option<&Path>) -> Result<PathBuf, Failure> {
    let sdk = match (&arguments.sdk, root) {
        (Some(sdk), _) => sdk.clone(),
        (None, Some(root)) => root.join("sdk/rust"),
        (None, None) => {
            return Err(Failure::usage(
                "this folder is not within a checkout of Casewright, so say where the SDK is: \
                 `--sdk PATH`, the folder sdk/rust of a checkout",
            ));
        }
    };
    let found = sdk
        .canonicalize()
        .ok()
        .filter(|sdk| sdk.join("Cargo.toml").is_file());
    found.ok_or_else(|| {
        Failure::usage(format!(
            "{} is not the SDK: it has no Cargo.toml",
            sdk.display()
        ))
    })
}

/// Makes the folder, absolute; one with something in it stays as it is.
fn make_empty(folder: &Path) -> Result<PathBuf, Failure> {
    let failed = |error| Failure::environment(format!("{}: {error}", folder.display()));
    fs::create_dir_all(folder).map_err(failed)?;
    if fs::read_dir(folder).map_err(failed)?.next().is_some() {
        let shown = folder.display();
        return Err(Failure::usage(format!(
            "{shown} is not empty; nothing was changed"
        )));
    }
    folder.canonicalize().map_err(failed)
}

fn write(folder: &Path, name: &str, sdk: &Path) -> Result<(), Failure> {
    // A plugin beside the checkout's own belongs to their workspace.
    let root = checkout::find(folder);
    let member = folder.parent() == root.as_ref().map(|root| root.join("plugins")).as_deref();
    let within = root.is_some_and(|root| sdk.starts_with(root));
    let sdk = if within {
        checkout::relative(folder, sdk)
    } else {
        sdk.to_owned()
    };
    let fill = |template: &str| {
        // TOML strings are written with their escapes, as in `C:\\casewright`.
        let sdk = sdk
            .to_string_lossy()
            .replace('\\', "\\\\")
            .replace('"', "\\\"");
        template.replace("{{name}}", name).replace("{{sdk}}", &sdk)
    };
    let alone = if member { "" } else { CARGO_ALONE };
    for (path, text) in [
        ("Cargo.toml", fill(CARGO) + alone),
        ("plugin.toml", fill(MANIFEST)),
        ("src/lib.rs", fill(LIBRARY)),
    ] {
        let path = folder.join(path);
        let parent = path.parent().unwrap_or(folder);
        fs::create_dir_all(parent)
            .and_then(|()| fs::write(&path, text))
            .map_err(|error| Failure::environment(format!("{}: {error}", path.display())))?;
    }
    if !member {
        let ignored = folder.join(".gitignore");
        fs::write(&ignored, "/target\n")
            .map_err(|error| Failure::environment(format!("{}: {error}", ignored.display())))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked() {
        for good in ["a", "housing-referral", "p2"] {
            assert!(check_name(good).is_ok(), "{good}");
        }
        for bad in ["", "Housing", "2p", "a_b", "-a", "a-", "../a", "ä"] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_folder_with_something_in_it_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        assert!(make_empty(&folder.path().join("new")).is_ok());
        let refused = make_empty(folder.path()).unwrap_err();
        assert!(
            refused
                .message
                .ends_with("is not empty; nothing was changed")
        );
    }
}
