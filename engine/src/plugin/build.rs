//! `casewright plugin build`: sources in, components out; only what changed.

use std::fmt;
use std::fs;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use super::sources::Sources;
use super::toolchain::{self, Missing};
use super::{EXIT_ENVIRONMENT, EXIT_UNWELL, Failure, checkout, component, say, stamp};

/// Beside the component: a digest of what it was built from.
const STAMP: &str = ".built-from";
/// The lines of a failed command that are repeated.
const LINES_MAX: usize = 200;

/// `casewright plugin build ...`
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// A plugin's folder, the name of one of the checkout, or `all` of them; by default the current
    /// folder, or all
    plugin: Option<PathBuf>,
    /// Where to put `<name>/<name>.wasm` and its manifest
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Why plugins could not be built.
#[derive(Debug)]
pub(crate) enum BuildError {
    /// Neither a folder nor the name of a plugin of the checkout.
    NoSuchPlugin(PathBuf),
    /// There is no `plugin.toml`.
    NotAPlugin { folder: PathBuf },
    /// A manifest of the plugin is wrong.
    Manifest { path: PathBuf, problem: String },
    /// No compiler for WebAssembly.
    NoToolchain(Missing),
    /// Installing one failed.
    Install { step: String, lines: Vec<String> },
    /// The code does not compile; cargo said so.
    Compile { lines: Vec<String> },
    /// What cargo built is not a plugin.
    NotAComponent { name: String, problem: String },
    /// A file could not be read or written, or a program not started.
    Io { path: PathBuf, source: io::Error },
}

impl BuildError {
    pub(super) fn io(path: &Path, source: io::Error) -> Self {
        Self::Io {
            path: path.to_owned(),
            source,
        }
    }

    pub(super) fn manifest(path: &Path, problem: impl fmt::Display) -> Self {
        Self::Manifest {
            path: path.to_owned(),
            problem: problem.to_string(),
        }
    }

    /// The exit code of the command line for it.
    pub(crate) fn exit(&self) -> u8 {
        match self {
            Self::NoToolchain(_) | Self::Install { .. } | Self::Io { .. } => EXIT_ENVIRONMENT,
            Self::NoSuchPlugin(_)
            | Self::NotAPlugin { .. }
            | Self::Manifest { .. }
            | Self::Compile { .. }
            | Self::NotAComponent { .. } => EXIT_UNWELL,
        }
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchPlugin(named) => write!(
                f,
                "there is no folder {0}, and no plugin of that name in the checkout's plugins/; \
                 give a plugin's folder or name, or `casewright plugin new {0}` to start one",
                named.display()
            ),
            Self::NotAPlugin { folder } => write!(
                f,
                "{} is not a plugin: it has no plugin.toml; `casewright plugin new` makes one",
                folder.display()
            ),
            Self::Manifest { path, problem } => write!(f, "{}: {problem}", path.display()),
            Self::NoToolchain(missing) => missing.fmt(f),
            Self::Install { step, lines } => {
                write!(f, "`{step}` failed\n{}\n\n{Missing}", lines.join("\n"))
            }
            Self::Compile { lines } => write!(f, "cargo could not build\n{}", lines.join("\n")),
            Self::NotAComponent { name, problem } => write!(
                f,
                "plugin `{name}` compiled, but is no component: {problem}; is there a \
                 `plugin!(..)` in its lib.rs, and `crate-type = [\"cdylib\"]` in its Cargo.toml"
            ),
            Self::Io { path, source } => write!(f, "{}: {source}", path.display()),
        }
    }
}

impl std::error::Error for BuildError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}

impl From<BuildError> for Failure {
    fn from(error: BuildError) -> Self {
        Self {
            exit: error.exit(),
            message: error.to_string(),
        }
    }
}

/// Builds all plugins of the checkout at `root` into `out`, unless they are built already, and
/// returns their folders. `progress` is told what happens, line by line.
pub(crate) fn build_all(
    root: &Path,
    out: &Path,
    progress: &dyn Fn(&str),
) -> Result<Vec<PathBuf>, BuildError> {
    build(&Sources::of_checkout(root)?, Some(out), progress)
}

/// Builds the plugin of one folder into `out`, unless it is built already, and returns its folder.
pub(crate) fn build_one(
    folder: &Path,
    out: &Path,
    progress: &dyn Fn(&str),
) -> Result<Vec<PathBuf>, BuildError> {
    build(&[Sources::read(folder)?], Some(out), progress)
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let plugins = chosen(arguments.plugin.as_deref())?;
    let out = arguments.out.as_deref();
    let folders = super::with_progress(|progress| build(&plugins, out, progress))?;
    for folder in folders {
        say(&folder.display().to_string())?;
    }
    Ok(())
}

fn chosen(plugin: Option<&Path>) -> Result<Vec<Sources>, Failure> {
    let here = Path::new(".");
    let all = || {
        let root = checkout::find(here).ok_or_else(|| {
            Failure::usage("this is neither a plugin's folder nor within a checkout; name a folder")
        })?;
        Ok(Sources::of_checkout(&root)?)
    };
    match plugin {
        Some(plugin) if plugin == Path::new("all") => all(),
        Some(plugin) => Ok(vec![Sources::read(&Sources::folder_of(plugin))?]),
        None if here.join("plugin.toml").is_file() => Ok(vec![Sources::read(here)?]),
        None => all(),
    }
}

fn build(
    plugins: &[Sources],
    out: Option<&Path>,
    progress: &dyn Fn(&str),
) -> Result<Vec<PathBuf>, BuildError> {
    let mut folders = Vec::new();
    let mut stale = Vec::new();
    for sources in plugins {
        let folder = out
            .map_or_else(|| sources.default_out(), Path::to_owned)
            .join(&sources.name);
        let stamp = stamp::of(sources)?;
        if !is_fresh(sources, &folder, &stamp) {
            stale.push((sources, folder.clone(), stamp));
        }
        folders.push(folder);
    }
    let mut workspaces: Vec<_> = stale
        .iter()
        .map(|(sources, ..)| &sources.workspace)
        .collect();
    workspaces.dedup();
    for workspace in workspaces {
        let members = stale.iter().map(|(sources, ..)| *sources);
        compile(
            members.filter(|sources| sources.workspace == *workspace),
            workspace,
            progress,
        )?;
    }
    for (sources, folder, stamp) in stale {
        progress(&format!("making a component of {}", sources.name));
        finish(sources, &folder, &stamp)?;
    }
    Ok(folders)
}

fn is_fresh(sources: &Sources, folder: &Path, stamp: &str) -> bool {
    let built = fs::read_to_string(folder.join(STAMP));
    built.is_ok_and(|built| built == stamp)
        && folder.join("plugin.toml").is_file()
        && folder.join(format!("{}.wasm", sources.name)).is_file()
}

/// One run of cargo for all plugins of a workspace.
fn compile<'a>(
    plugins: impl Iterator<Item = &'a Sources>,
    workspace: &Path,
    progress: &dyn Fn(&str),
) -> Result<(), BuildError> {
    let toolchain = toolchain::find().map_err(BuildError::NoToolchain)?;
    let mut command = toolchain.cargo_build();
    command
        .current_dir(workspace)
        .env("CARGO_TERM_COLOR", "never");
    let mut names = Vec::new();
    for sources in plugins {
        if names.is_empty() {
            command.arg("--target-dir").arg(sources.cargo_target());
        }
        command.args(["--package", &sources.package]);
        names.push(sources.name.as_str());
    }
    progress(&format!("building {} for WebAssembly", names.join(", ")));
    let (status, lines) =
        stream(&mut command, progress).map_err(|source| BuildError::io(workspace, source))?;
    if status.success() {
        return Ok(());
    }
    let steps = [
        "Compiling ",
        "Downloading ",
        "Downloaded ",
        "Locking ",
        "Updating ",
        "Adding ",
    ];
    let told = |line: &String| !steps.iter().any(|step| line.trim_start().starts_with(step));
    Err(BuildError::Compile {
        lines: lines.into_iter().filter(told).collect(),
    })
}

fn finish(sources: &Sources, folder: &Path, stamp: &str) -> Result<(), BuildError> {
    let module_path = sources.module();
    let module = fs::read(&module_path).map_err(|source| BuildError::io(&module_path, source))?;
    let component = component::encode(&module).map_err(|problem| BuildError::NotAComponent {
        name: sources.name.clone(),
        problem,
    })?;
    fs::create_dir_all(folder).map_err(|source| BuildError::io(folder, source))?;
    replace(&folder.join(format!("{}.wasm", sources.name)), &component)?;
    replace(&folder.join("plugin.toml"), sources.manifest.as_bytes())?;
    replace(&folder.join(STAMP), stamp.as_bytes())
}

/// Whoever reads the file meanwhile sees the old or the new one, never half of it.
fn replace(path: &Path, bytes: &[u8]) -> Result<(), BuildError> {
    let unfinished = path.with_extension(format!("unfinished-{}", std::process::id()));
    fs::write(&unfinished, bytes)
        .and_then(|()| fs::rename(&unfinished, path))
        .map_err(|source| BuildError::io(path, source))
}

/// Runs a command; every line it writes goes to `progress`, and the last ones come back.
pub(super) fn stream(
    command: &mut Command,
    progress: &dyn Fn(&str),
) -> io::Result<(ExitStatus, Vec<String>)> {
    let (reader, writer) = io::pipe()?;
    command
        .stdin(Stdio::null())
        .stdout(writer.try_clone()?)
        .stderr(writer);
    let mut child = command.spawn()?;
    // The command still holds our ends of the pipe, which would never close.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut lines = Vec::new();
    for line in BufReader::new(reader).lines() {
        let line = line?;
        progress(line.trim());
        if lines.len() == LINES_MAX {
            lines.remove(0);
        }
        lines.push(line);
    }
    Ok((child.wait()?, lines))
}
