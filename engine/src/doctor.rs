//! `casewright doctor`: looks for what would keep the engine from working here, and says the
//! remedy.

mod served;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::exit;
use crate::plugin;

/// Less free space than this is worth a word.
const FREE_BYTES_WANTED: u64 = 1024 * 1024 * 1024;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Folder of the data to look at; that of the demo otherwise.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Configuration of a server, whose packs and data are looked at as well.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print a list of `{check, well, found, remedy}`.
    #[arg(long)]
    json: bool,
}

/// What one look found.
#[derive(Debug, serde::Serialize)]
struct Finding {
    check: &'static str,
    well: bool,
    found: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
}

pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let here = std::env::current_dir().unwrap_or_default();
    let checkout = plugin::find_checkout(&here);
    let data = arguments
        .data
        .clone()
        .or_else(|| {
            crate::serve::outline(arguments.config.as_deref()?)
                .ok()
                .map(|it| it.data)
        })
        .or_else(|| Some(checkout.as_ref()?.join("target/demo")));
    let mut findings = vec![clock(), toolchain(), evaluator()];
    if let Some(checkout) = &checkout {
        findings.push(built_plugins(checkout));
    }
    if let Some(config) = &arguments.config {
        findings.extend(served::look(config));
    }
    if let Some(data) = &data {
        findings.extend([writable(data), free_space(data)]);
    }
    if arguments.json {
        let text = serde_json::to_string_pretty(&findings);
        exit::say(&text.expect("findings are text and booleans"));
    } else {
        findings.iter().for_each(tell);
    }
    if findings.iter().all(|finding| finding.well) {
        ExitCode::SUCCESS
    } else {
        exit::unwell()
    }
}

fn tell(finding: &Finding) {
    let mark = if finding.well { "well " } else { "ILL  " };
    exit::say(&format!("{mark} {}: {}", finding.check, finding.found));
    if let Some(remedy) = &finding.remedy {
        exit::say(&format!("      {remedy}"));
    }
}

fn well(check: &'static str, found: String) -> Finding {
    Finding {
        check,
        well: true,
        found,
        remedy: None,
    }
}

fn ill(check: &'static str, found: String, remedy: &str) -> Finding {
    Finding {
        check,
        well: false,
        found,
        remedy: Some(remedy.to_owned()),
    }
}

/// A clock far in the past would make every deadline wrong.
fn clock() -> Finding {
    let now = jiff::Timestamp::now();
    if now.as_second() > 1_767_225_600 {
        return well("clock", now.strftime("%Y-%m-%d %H:%M UTC").to_string());
    }
    ill(
        "clock",
        format!("says {now}"),
        "set the clock of the machine; deadlines depend on it",
    )
}

fn toolchain() -> Finding {
    match plugin::describe_toolchain() {
        Ok(found) => well("WebAssembly toolchain", found),
        Err(missing) => ill(
            "WebAssembly toolchain",
            "none found".to_owned(),
            &missing.to_string(),
        ),
    }
}

/// Evaluates one expression in the evaluator process.
fn evaluator() -> Finding {
    use casewright_host::evaluator::Results;

    let evaluated = crate::asynchronous(async {
        let binary = std::env::current_exe()?;
        let evaluator = casewright_host::evaluator::Evaluator::new(binary);
        let program = casewright_host::evaluator::Program {
            text: "[range(3)] | add".to_owned(),
            input: serde_json::Value::Null,
            variables: std::collections::BTreeMap::new(),
            check: false,
        };
        Ok(evaluator.evaluate(program).await)
    });
    match evaluated {
        Ok(Results::One(value)) if value == 3 => well("expression evaluator", "answers".to_owned()),
        other => ill(
            "expression evaluator",
            format!("{other:?}"),
            "the engine must be able to start its own binary; look at limits on processes",
        ),
    }
}

fn built_plugins(checkout: &Path) -> Finding {
    let sources = names(&checkout.join("plugins"));
    let built = names(&checkout.join("target/plugins"));
    let missing: Vec<_> = sources
        .iter()
        .filter(|name| !built.contains(name))
        .collect();
    if missing.is_empty() {
        return well("plugins", format!("{} built", built.len()));
    }
    let remedy = "`casewright plugin build` builds them; `demo` does it by itself";
    ill("plugins", format!("not built: {missing:?}"), remedy)
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let plugins = entries.filter(|entry| entry.path().join("plugin.toml").is_file());
    plugins
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect()
}

fn existing(path: &Path) -> &Path {
    path.ancestors()
        .find(|folder| folder.is_dir())
        .unwrap_or(Path::new("/"))
}

fn writable(data: &Path) -> Finding {
    let folder = existing(data);
    let probe = folder.join(format!(".casewright-doctor-{}", std::process::id()));
    let written = fs::write(&probe, b"probe").and_then(|()| fs::remove_file(&probe));
    match written {
        Ok(()) => well(
            "data folder",
            format!("{} can be written", folder.display()),
        ),
        Err(error) => ill(
            "data folder",
            format!("{} cannot be written: {error}", folder.display()),
            "give the engine's user this folder, or name another",
        ),
    }
}

fn free_space(data: &Path) -> Finding {
    let folder = existing(data);
    match rustix::fs::statvfs(folder) {
        Ok(space) => {
            let free = space.f_bavail.saturating_mul(space.f_frsize);
            let found = format!("{} MiB free", free / 1024 / 1024);
            if free >= FREE_BYTES_WANTED {
                return well("disk", found);
            }
            ill(
                "disk",
                found,
                "free some: below its reserve the engine takes nothing new (507)",
            )
        }
        Err(error) => ill(
            "disk",
            error.to_string(),
            "look at the file system of the data folder",
        ),
    }
}
