//! `casewright init`: the folder of a new agency that validates, passes its tests and can be served
//! as it stands.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use casewright_language::Surroundings;

use crate::schema::Kind;
use crate::{exit, passphrase, validate};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Where to put it; made when missing, and otherwise empty
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// The agency's name in documents: lower-case letters, digits and hyphens. By default made of
    /// the folder's name
    #[arg(long, value_name = "NAME")]
    namespace: Option<String>,
    /// The agency's name for people. By default made of the namespace
    #[arg(long)]
    title: Option<String>,
    /// The workflow to begin with
    #[arg(long, value_enum, default_value = "ask-for-help")]
    template: Template,
}

/// Path in the folder, and what stands there.
const FILES: [(&str, &str); 5] = [
    (
        "pack/pack.yaml",
        include_str!("../templates/agency/pack/pack.yaml"),
    ),
    (
        "pack/calendars/workdays.ics",
        include_str!("../templates/agency/pack/calendars/workdays.ics"),
    ),
    (
        "casewright.toml",
        include_str!("../templates/agency/casewright.toml"),
    ),
    (".gitignore", include_str!("../templates/agency/gitignore")),
    ("README.md", include_str!("../templates/agency/README.md")),
];

/// The first workflow of an agency.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Template {
    /// Somebody asks for money, somebody else approves up to a limit, a fund pays
    AskForHelp,
    /// A family asks for help, somebody else decides whether the agency helps
    Intake,
    /// Begins by itself each night, and asks somebody to look in the morning
    Nightly,
}

/// A workflow with its form and its tests.
struct Parts {
    workflow: (&'static str, &'static str),
    form: (&'static str, &'static str),
    tests: &'static str,
}

impl Template {
    fn parts(self) -> Parts {
        match self {
            Self::AskForHelp => Parts {
                workflow: (
                    "ask-for-help",
                    include_str!("../templates/agency/pack/ask-for-help.yaml"),
                ),
                form: (
                    "request",
                    include_str!("../templates/agency/pack/forms/request.yaml"),
                ),
                tests: include_str!("../templates/agency/pack/tests/ask-for-help.test.yaml"),
            },
            Self::Intake => Parts {
                workflow: ("intake", include_str!("../templates/intake/intake.yaml")),
                form: (
                    "referral",
                    include_str!("../templates/intake/forms/referral.yaml"),
                ),
                tests: include_str!("../templates/intake/tests/intake.test.yaml"),
            },
            Self::Nightly => Parts {
                workflow: (
                    "nightly-look",
                    include_str!("../templates/nightly/nightly-look.yaml"),
                ),
                form: (
                    "findings",
                    include_str!("../templates/nightly/forms/findings.yaml"),
                ),
                tests: include_str!("../templates/nightly/tests/nightly-look.test.yaml"),
            },
        }
    }

    /// Path in the folder, and what stands there.
    fn files(self) -> Vec<(String, &'static str)> {
        let Parts {
            workflow: (workflow, text),
            form: (form, form_text),
            tests,
        } = self.parts();
        vec![
            (format!("pack/{workflow}.yaml"), text),
            (format!("pack/forms/{form}.yaml"), form_text),
            (format!("pack/tests/{workflow}.test.yaml"), tests),
        ]
    }
}

/// What editors are told, beside `pack.yaml`: the first line of each document names its own.
const SCHEMAS: [(&str, Kind); 4] = [
    ("workflow.schema.json", Kind::Workflow),
    ("form.schema.json", Kind::Form),
    ("pack.schema.json", Kind::Pack),
    ("test.schema.json", Kind::Test),
];

/// As `casewright.toml` names them.
const STAFF: [&str; 3] = ["casey", "lee", "alex"];

/// Words of a passphrase that stays until somebody changes it.
const WORDS: usize = 7;

/// Longest name in documents.
const NAMESPACE_MAX: usize = 63;
const TITLE_MAX: usize = 100;

enum Failure {
    Usage(String),
    Environment(String),
}

pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    match make(arguments) {
        Ok(text) => {
            exit::say(&text);
            ExitCode::SUCCESS
        }
        Err(Failure::Usage(sentence)) => exit::usage(&sentence),
        Err(Failure::Environment(sentence)) => exit::environment(&sentence),
    }
}

fn make(arguments: &Arguments) -> Result<String, Failure> {
    let folder = &arguments.dir;
    // Names are looked at before anything is made.
    let absolute = std::path::absolute(folder).map_err(|error| failed(folder, &error))?;
    let name = namespace(arguments, &absolute)?;
    let title = title(arguments, &name)?;
    check_empty(folder)?;
    let Parts { workflow, form, .. } = arguments.template.parts();
    let common = FILES.map(|(path, text)| (path.to_owned(), text));
    for (path, template) in arguments.template.files().into_iter().chain(common) {
        let quoted = serde_json::Value::from(title.as_str()).to_string();
        let text = template
            .replace("{{name}}", &name)
            .replace("{{workflow}}", workflow.0)
            .replace("{{form}}", form.0)
            .replace("{{quoted title}}", &quoted)
            .replace("{{title}}", &title);
        put(&folder.join(path), &text, 0o644)?;
    }
    for (name, kind) in SCHEMAS {
        let path = folder.join("pack").join(name);
        put(&path, &schema(folder, kind)?, 0o644)?;
    }
    for sign_in in STAFF {
        let made = passphrase::new(WORDS).map_err(|error| failed(folder, &error))?;
        let path = folder.join("secrets").join(format!("{sign_in}.txt"));
        put(&path, &format!("{made}\n"), 0o600)?;
    }
    let shown = folder.display();
    Ok(format!(
        "made the agency `{name}` in {shown}; its README tells what is where\n\
         \n  check it:  casewright validate {shown}/pack\
         \n  test it:   casewright test {shown}/pack\
         \n  serve it:  casewright serve --config {shown}/casewright.toml\n\
         \nPassphrases of casey, lee and alex are in {shown}/secrets."
    ))
}

/// For editors: the names of the new pack, and functions of any plugin.
fn schema(folder: &Path, kind: Kind) -> Result<String, Failure> {
    let pack = folder.join("pack");
    let around = validate::around(Some(&pack), Surroundings::default());
    let around = around.map_err(|error| failed(&pack, &error))?;
    Ok(format!("{:#}\n", kind.schema(&around)))
}

fn namespace(arguments: &Arguments, folder: &Path) -> Result<String, Failure> {
    let Some(name) = &arguments.namespace else {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        let name = label(&name);
        return if is_label(&name) {
            Ok(name)
        } else {
            Err(Failure::Usage(format!(
                "no name can be made of the folder {}; give one: --namespace family-support",
                folder.display()
            )))
        };
    };
    if is_label(name) {
        return Ok(name.clone());
    }
    Err(Failure::Usage(format!(
        "`{name}` cannot name an agency; write a lower-case letter, then letters, digits and \
         hyphens, at most {NAMESPACE_MAX}, such as family-support"
    )))
}

/// What of a folder's name can stand in a namespace.
fn label(name: &str) -> String {
    let mut label = String::new();
    for letter in name.chars().flat_map(char::to_lowercase) {
        if letter.is_ascii_alphanumeric() {
            label.push(letter);
        } else if !label.is_empty() && !label.ends_with('-') {
            label.push('-');
        }
    }
    label.truncate(NAMESPACE_MAX);
    label.trim_end_matches('-').to_owned()
}

fn is_label(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && !name.ends_with('-')
        && name.len() <= NAMESPACE_MAX
        && name.bytes().all(plain)
}

fn title(arguments: &Arguments, name: &str) -> Result<String, Failure> {
    let Some(title) = &arguments.title else {
        let mut title = name.replace('-', " ");
        title[..1].make_ascii_uppercase();
        return Ok(title);
    };
    let title = title.trim();
    let fits = (1..=TITLE_MAX).contains(&title.chars().count());
    if fits && !title.contains(char::is_control) {
        return Ok(title.to_owned());
    }
    Err(Failure::Usage(format!(
        "a title is one line of at most {TITLE_MAX} characters, such as \"Family support north\""
    )))
}

/// A folder with something in it stays as it is; a repository that was just begun is empty.
fn check_empty(folder: &Path) -> Result<(), Failure> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(|error| failed(folder, &error))?,
    };
    for entry in entries {
        let entry = entry.map_err(|error| failed(folder, &error))?;
        if entry.file_name() != ".git" {
            return Err(Failure::Usage(format!(
                "{} is not empty; nothing was changed. Name a new folder",
                folder.display()
            )));
        }
    }
    Ok(())
}

fn put(path: &Path, text: &str, mode: u32) -> Result<(), Failure> {
    let written = || -> io::Result<()> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(path)?;
        file.write_all(text.as_bytes())
    };
    written().map_err(|error| failed(path, &error))
}

fn failed(path: &Path, error: &io::Error) -> Failure {
    Failure::Environment(format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_gives_a_name() {
        for (folder, name) in [
            ("north-team", "north-team"),
            ("My Agency (2026)", "my-agency-2026"),
            ("_Ünïted__families_", "n-ted-families"),
            ("2026", "2026"),
            ("...", ""),
        ] {
            assert_eq!(label(folder), name);
        }
        assert!(is_label("north-team") && is_label("a1"));
        for bad in ["", "2026", "-a", "a-", "a_b", "A", &"a".repeat(64)] {
            assert!(!is_label(bad), "{bad}");
        }
    }
}
