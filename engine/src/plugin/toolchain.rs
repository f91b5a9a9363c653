//! Finding a compiler for WebAssembly, or saying how to get one.
//!
//! Two ways work: a toolchain that brings the target's standard library, as `rustup target add`
//! installs it, or Debian's packages, which build the library from its source. Debian's own rustc
//! does not touch one in the home folder.

use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::build::{BuildError, stream};

const TARGET: &str = "wasm32-unknown-unknown";
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_CARGO: &str = "/usr/bin/cargo";
/// The workspace's `rust-version`; an older one cannot build the SDK.
const MINOR_VERSION_MIN: u32 = 95;
/// The linker's package on Debian 12, when the package index does not say better.
const LINKER_PACKAGE: &str = "lld-22";

/// A compiler for WebAssembly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Toolchain {
    /// `rustc` and `cargo` of the path, with the target's standard library.
    WithTarget,
    /// Debian's packages, which build the standard library.
    Debian {
        /// The file name of the linker.
        linker: String,
    },
}

/// There is none. Its text says what to type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Missing;

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "no Rust compiler for WebAssembly is installed; type one of\n\
             \n    rustup target add {TARGET}\n\
             \nor, on Debian 12 with its security updates, as root\n\
             \n    apt-get update\
             \n    apt-get install -y --no-install-recommends {}",
            packages(LINKER_PACKAGE).join(" ")
        )
    }
}

impl std::error::Error for Missing {}

/// The first that works.
pub(super) fn find() -> Result<Toolchain, Missing> {
    if target_is_installed() {
        return Ok(Toolchain::WithTarget);
    }
    match debian_linker() {
        Some(linker) if debian_is_installed() => Ok(Toolchain::Debian { linker }),
        _ => Err(Missing),
    }
}

/// Which toolchain would be used, for people; otherwise what to type.
pub(crate) fn describe() -> Result<String, Missing> {
    Ok(match find()? {
        Toolchain::WithTarget => format!("the Rust toolchain in use has {TARGET}"),
        Toolchain::Debian { linker } => format!("Debian's packages, with {linker}"),
    })
}

impl Toolchain {
    /// `cargo build` for WebAssembly, without what another build left in the environment.
    pub(super) fn cargo_build(&self) -> Command {
        let mut command = match self {
            Self::WithTarget => Command::new("cargo"),
            Self::Debian { .. } => Command::new(DEBIAN_CARGO),
        };
        for (name, _) in std::env::vars_os().filter(|(name, _)| self.misleads(name)) {
            command.env_remove(name);
        }
        command.args(["build", "--release", "--target", TARGET]);
        if let Self::Debian { linker } = self {
            command.env("RUSTC", DEBIAN_RUSTC);
            // The standard library is built with features that are not stable.
            command.env("RUSTC_BOOTSTRAP", "1");
            command.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
            command.arg("-Zbuild-std=std,panic_abort");
        }
        command
    }

    /// Under `cargo run` the environment describes the engine's build: its toolchain, its flags,
    /// its library path.
    fn misleads(&self, name: &OsStr) -> bool {
        const ALWAYS: [&str; 5] = [
            "CARGO",
            "MAKEFLAGS",
            "RUSTFLAGS",
            "RUSTC_WRAPPER",
            "RUSTC_WORKSPACE_WRAPPER",
        ];
        const PREFIXES: [&str; 7] = [
            "CARGO_BUILD_",
            "CARGO_CFG_",
            "CARGO_ENCODED_",
            "CARGO_MAKEFLAGS",
            "CARGO_PKG_",
            "CARGO_PROFILE_",
            "CARGO_TARGET_",
        ];
        const OF_RUSTUP: [&str; 6] = [
            "LD_LIBRARY_PATH",
            "RUSTC",
            "RUSTDOC",
            "RUSTUP_HOME",
            "RUSTUP_TOOLCHAIN",
            "RUST_SRC_PATH",
        ];
        let name = name.to_string_lossy();
        let name = name.as_ref();
        ALWAYS.contains(&name)
            || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
            || matches!(self, Self::Debian { .. }) && OF_RUSTUP.contains(&name)
    }
}

fn target_is_installed() -> bool {
    let mut command = Command::new("rustc");
    let Some(folder) = output(command.args(["--print", "target-libdir", "--target", TARGET]))
    else {
        return false;
    };
    holds(Path::new(&folder), |name| name.starts_with("libstd-"))
}

fn debian_is_installed() -> bool {
    let debian = |arguments: &[&str]| {
        output(
            Command::new(DEBIAN_RUSTC)
                .args(arguments)
                .env_remove("LD_LIBRARY_PATH"),
        )
    };
    let recent = debian(&["--version"]).and_then(|line| minor_version(&line));
    if !Path::new(DEBIAN_CARGO).is_file() || recent < Some(MINOR_VERSION_MIN) {
        return false;
    }
    let Some(sysroot) = debian(&["--print", "sysroot"]) else {
        return false;
    };
    Path::new(&sysroot)
        .join("lib/rustlib/src/rust/library/std/Cargo.toml")
        .is_file()
}

/// The newest `wasm-ld-NN`, or the one without a number.
fn debian_linker() -> Option<String> {
    let entries = fs::read_dir("/usr/bin").ok()?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    names
        .filter(|name| name == "wasm-ld" || name.starts_with("wasm-ld-"))
        .max_by_key(|name| {
            name.rsplit('-')
                .next()
                .and_then(|number| number.parse::<u32>().ok())
        })
}

/// `rustc 1.96.0 (...)` is 96; any 2.x is newer than all that is asked for.
fn minor_version(line: &str) -> Option<u32> {
    let mut numbers = line.split_whitespace().nth(1)?.split('.');
    let (major, minor) = (
        numbers.next()?.parse::<u32>().ok()?,
        numbers.next()?.parse().ok()?,
    );
    Some(if major > 1 { u32::MAX } else { minor })
}

/// Whether [`install`] has a chance: root, on Debian.
pub(crate) fn can_install() -> bool {
    rustix::process::geteuid().is_root()
        && Path::new("/etc/debian_version").is_file()
        && Path::new("/usr/bin/apt-get").is_file()
}

/// Installs Debian's packages; each step is told to `progress` before it is done.
pub(crate) fn install(progress: &dyn Fn(&str)) -> Result<(), BuildError> {
    progress("no Rust compiler for WebAssembly: installing Debian's packages");
    apt(&["update"], progress)?;
    let names = packages(&newest_linker_package());
    progress(&format!("installing {}", names.join(" ")));
    let mut arguments = vec!["install", "-y", "--no-install-recommends"];
    arguments.extend(names.iter().map(String::as_str));
    apt(&arguments, progress)?;
    find().map(drop).map_err(BuildError::NoToolchain)
}

fn packages(linker: &str) -> [String; 4] {
    ["rustc-web", "cargo-web", "rust-web-src", linker].map(str::to_owned)
}

fn newest_linker_package() -> String {
    let listed = output(Command::new("apt-cache").args(["pkgnames", "lld-"])).unwrap_or_default();
    let number = |name: &str| name.strip_prefix("lld-")?.parse::<u32>().ok();
    let newest = listed.lines().filter_map(number).max();
    newest.map_or_else(
        || LINKER_PACKAGE.to_owned(),
        |number| format!("lld-{number}"),
    )
}

fn apt(arguments: &[&str], progress: &dyn Fn(&str)) -> Result<(), BuildError> {
    let mut command = Command::new("apt-get");
    command
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive");
    let (status, lines) = stream(&mut command, progress)
        .map_err(|source| BuildError::io(&PathBuf::from("apt-get"), source))?;
    if status.success() {
        return Ok(());
    }
    Err(BuildError::Install {
        step: format!("apt-get {}", arguments.join(" ")),
        lines,
    })
}

/// What a command prints, without the last line break; `None` when it fails.
fn output(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim_end().to_owned())
}

fn holds(folder: &Path, fits: impl Fn(&str) -> bool) -> bool {
    let Ok(mut entries) = fs::read_dir(folder) else {
        return false;
    };
    entries.any(|entry| entry.is_ok_and(|entry| fits(&entry.file_name().to_string_lossy())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read() {
        assert_eq!(
            minor_version("rustc 1.96.0 (ac68faa20 2026-05-25)"),
            Some(96)
        );
        assert_eq!(minor_version("rustc 1.63.0"), Some(63));
        assert_eq!(minor_version("rustc 2.0.0"), Some(u32::MAX));
        assert_eq!(minor_version("rustc"), None);
    }

    #[test]
    fn another_builds_environment_stays_out() {
        let debian = Toolchain::Debian {
            linker: "wasm-ld-22".into(),
        };
        for name in [
            "CARGO",
            "RUSTFLAGS",
            "CARGO_ENCODED_RUSTFLAGS",
            "CARGO_TARGET_DIR",
        ] {
            assert!(Toolchain::WithTarget.misleads(OsStr::new(name)), "{name}");
            assert!(debian.misleads(OsStr::new(name)), "{name}");
        }
        for name in ["RUSTUP_TOOLCHAIN", "RUSTC", "LD_LIBRARY_PATH"] {
            assert!(!Toolchain::WithTarget.misleads(OsStr::new(name)), "{name}");
            assert!(debian.misleads(OsStr::new(name)), "{name}");
        }
        for name in [
            "CARGO_HOME",
            "CARGO_NET_OFFLINE",
            "CARGO_REGISTRIES_X_INDEX",
            "PATH",
        ] {
            assert!(!debian.misleads(OsStr::new(name)), "{name}");
        }
    }

    #[test]
    fn both_ways_are_spelled_out() {
        let text = Missing.to_string();
        assert!(
            text.contains("rustup target add wasm32-unknown-unknown"),
            "{text}"
        );
        assert!(
            text.contains("apt-get install -y --no-install-recommends rustc-web"),
            "{text}"
        );
    }
}
