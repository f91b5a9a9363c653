//! What became of all tests, for people and for programs.

use std::collections::BTreeMap;
use std::process::ExitCode;

use casewright_language::{Diagnostic, Severity, diagnostic};
use serde_json::json;

use super::coverage::Coverage;
use super::record::Recorded;
use crate::{exit, validate};

#[derive(Default)]
pub(super) struct Report {
    pub(super) outcomes: Vec<Outcome>,
    /// Mistakes in packs and tests: what they are about was not run.
    pub(super) diagnostics: Vec<Diagnostic>,
    /// By the names that diagnostics carry.
    pub(super) texts: BTreeMap<String, String>,
    /// Only when it was asked for.
    pub(super) coverage: Option<Vec<Coverage>>,
    /// A sentence for each file that was recorded to.
    recorded: Vec<String>,
}

/// One test.
pub(super) struct Outcome {
    pub(super) file: String,
    pub(super) line: usize,
    pub(super) test: String,
    /// None when it passed.
    pub(super) failures: Vec<Diagnostic>,
}

impl Outcome {
    fn passed(&self) -> bool {
        self.failures.is_empty()
    }
}

impl Report {
    pub(super) fn add_recorded(&mut self, file: &str, recorded: Recorded) {
        match recorded {
            Recorded::Done(sentence) => self.recorded.push(sentence),
            Recorded::Failed(failed) => {
                let outcomes = failed.into_iter().map(|(test, failures)| Outcome {
                    file: file.to_owned(),
                    line: test.spot.line(),
                    test: test.name,
                    failures,
                });
                self.outcomes.extend(outcomes);
                let sentence = format!("{file}: a test does not pass, so nothing was written");
                self.recorded.push(sentence);
            }
        }
    }

    pub(super) fn show(&self, as_json: bool) -> ExitCode {
        let failed = self.outcomes.iter().filter(|one| !one.passed()).count();
        let passed = self.outcomes.len() - failed;
        if as_json {
            exit::say(&self.json(passed, failed));
        } else {
            self.tell(passed, failed);
        }
        let broken = self
            .diagnostics
            .iter()
            .any(|found| found.severity == Severity::Error);
        let nothing = self.outcomes.is_empty() && self.recorded.is_empty() && !broken;
        if nothing {
            exit::note(&"there are no tests here; write them in `tests/*.test.yaml` of the pack");
        }
        if failed > 0 || broken || nothing {
            return exit::unwell();
        }
        ExitCode::SUCCESS
    }

    fn json(&self, passed: usize, failed: usize) -> String {
        let tests: Vec<_> = self
            .outcomes
            .iter()
            .map(|one| {
                json!({
                    "file": one.file,
                    "line": one.line,
                    "test": one.test,
                    "passed": one.passed(),
                    "failures": one.failures,
                })
            })
            .collect();
        let mut report = json!({
            "passed": passed,
            "failed": failed,
            "tests": tests,
            "diagnostics": self.diagnostics,
        });
        if let Some(coverage) = &self.coverage {
            report["coverage"] = coverage.iter().map(Coverage::json).collect();
        }
        if !self.recorded.is_empty() {
            report["recorded"] = json!(self.recorded);
        }
        report.to_string()
    }

    fn tell(&self, passed: usize, failed: usize) {
        let colour = validate::colour_wanted();
        for (file, text) in &self.texts {
            let of_file = |found: &&Diagnostic| found.file == *file;
            let mistakes: Vec<_> = self.diagnostics.iter().filter(of_file).cloned().collect();
            if !mistakes.is_empty() {
                exit::say(&diagnostic::draw(&mistakes, text, colour));
            }
        }
        for one in &self.outcomes {
            let word = if one.passed() { "ok    " } else { "FAILED" };
            exit::say(&format!("{word} {}:{} {}", one.file, one.line, one.test));
            let text = self.texts.get(&one.file).map_or("", String::as_str);
            if !one.passed() {
                exit::say(&diagnostic::draw(&one.failures, text, colour));
            }
        }
        let mistakes = match self.diagnostics.len() {
            0 => String::new(),
            1 => ", 1 mistake".to_owned(),
            count => format!(", {count} mistakes"),
        };
        for covered in self.coverage.iter().flatten() {
            exit::say(&covered.told().join("\n"));
        }
        for sentence in &self.recorded {
            exit::say(sentence);
        }
        if self.recorded.is_empty() || failed > 0 || !mistakes.is_empty() {
            exit::say(&format!("{passed} passed, {failed} failed{mistakes}"));
        }
    }
}
