//! `casewright deploy PACK`: puts a pack in force on a server, whole or not at all.
//!
//! The server checks it against the plugins that are installed there; its mistakes are drawn here,
//! where the texts are.

use std::path::{Path, PathBuf};

use casewright_language::{Diagnostic, Severity, explain};
use serde_json::{Value, json};

use super::{Answer, Ask, Client, Failure, Server, at, table};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The folder with `pack.yaml`.
    #[arg(value_name = "PACK")]
    pack: PathBuf,
    #[command(flatten)]
    server: Server,
}

pub(crate) fn run(arguments: &Arguments) -> std::process::ExitCode {
    super::answer(&arguments.server, &Deploy(&arguments.pack))
}

struct Deploy<'a>(&'a Path);

impl Ask for Deploy<'_> {
    fn ask(&self, client: &Client) -> Result<Answer, Failure> {
        let folder = self.0;
        if !folder.join("pack.yaml").is_file() {
            let sentence = format!(
                "{} has no pack.yaml: name the folder of a pack",
                folder.display()
            );
            return Err(Failure::Usage(sentence));
        }
        let files = crate::folder::read(folder)?;
        match client.post("/api/v1/packs", &json!({ "files": files })) {
            Ok(pack) => Ok(told(pack)),
            Err(Failure::Refused(problem)) => {
                let (mistakes, others) = mistakes(&problem);
                crate::validate::show(folder, &mistakes);
                for line in others {
                    crate::exit::note(&line);
                }
                Err(Failure::Refused(problem))
            }
            Err(failure) => Err(failure),
        }
    }
}

fn told(pack: Value) -> Answer {
    let workflows = pack["workflows"].as_array().map_or(&[][..], Vec::as_slice);
    let rows: Vec<_> = workflows
        .iter()
        .map(|one| [at(one, "/name"), at(one, "/version"), at(one, "/title")])
        .collect();
    let shortened = pack["shortened"].as_array().map_or(&[][..], Vec::as_slice);
    let shortened: Vec<_> = shortened.iter().filter_map(Value::as_str).collect();
    let sooner = match shortened.as_slice() {
        [] => String::new(),
        classes => format!(
            "\nFiles go sooner than before under: {}; what is closed stays bound by what held then",
            classes.join(", ")
        ),
    };
    let text = format!(
        "{} is in force; runs under way keep what they began with{sooner}\n\n{}",
        at(&pack, "/namespace"),
        table(["WORKFLOW", "VERSION", "TITLE"], &rows)
    );
    Answer::new(pack, text)
}

/// What the server found, to be drawn as `validate` does; and, in a line each, what a newer server
/// found that has no page here.
fn mistakes(problem: &Value) -> (Vec<Diagnostic>, Vec<String>) {
    let (mut known, mut others) = (Vec::new(), Vec::new());
    for found in problem["diagnostics"].as_array().into_iter().flatten() {
        match mistake(found) {
            Some(mistake) => known.push(mistake),
            None => others.push(format!(
                "{}:{}: {}: {}",
                at(found, "/file"),
                at(found, "/line"),
                at(found, "/code"),
                at(found, "/message")
            )),
        }
    }
    (known, others)
}

fn mistake(found: &Value) -> Option<Diagnostic> {
    let text = |key: &str| found[key].as_str().map(str::to_owned);
    let number = |key: &str| usize::try_from(found[key].as_u64()?).ok();
    let code = found["code"].as_str()?;
    Some(Diagnostic {
        code: explain::codes().find(|known| *known == code)?,
        severity: match found["severity"].as_str()? {
            "error" => Severity::Error,
            _ => Severity::Warning,
        },
        message: text("message")?,
        file: text("file")?,
        line: number("line")?,
        column: number("column")?,
        end_line: number("endLine")?,
        end_column: number("endColumn")?,
        help: text("help"),
    })
}
