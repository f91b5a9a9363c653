//! What a newcomer gets wrong in the sample workflows, and that `casewright validate` leads to the
//! line: one finding for one mistake, where it stands, saying what to write.

use std::fmt::Write as _;
use std::fs;

use serde_json::Value;

use super::{casewright, copy};

/// A slip of the pen in a file of the sample pack.
struct Mistake {
    what: &'static str,
    file: &'static str,
    /// What stands there, once, and what the newcomer makes of it.
    right: &'static str,
    wrong: &'static str,
    /// Of the text that is marked: the line holds it.
    marked: &'static str,
    code: &'static str,
    /// In the message or in what to do.
    told: &'static str,
}

const MISTAKES: [Mistake; 24] = [
    Mistake {
        what: "a task that is not there",
        file: "brokerage.yaml",
        right: "            then: pay\n",
        wrong: "            then: paye\n",
        marked: "then: paye",
        code: "CW0201",
        told: "`pay`",
    },
    Mistake {
        what: "a key that is misspelt",
        file: "brokerage.yaml",
        right: "        due: 3 business days\n",
        wrong: "        deu: 3 business days\n",
        marked: "deu:",
        code: "CW0403",
        told: "`due`",
    },
    Mistake {
        what: "a form that is misspelt",
        file: "brokerage.yaml",
        right: "form: brokerage-decision",
        wrong: "form: brokerage-decison",
        marked: "brokerage-decison",
        code: "CW0406",
        told: "`brokerage-decision`",
    },
    Mistake {
        what: "a role that does not exist",
        file: "brokerage.yaml",
        right: "assign: { role: team-leader }",
        wrong: "assign: { role: teamleader }",
        marked: "teamleader",
        code: "CW0407",
        told: "`team-leader`",
    },
    Mistake {
        what: "a fund that does not exist",
        file: "brokerage.yaml",
        right: "fund: qld-fs-2026",
        wrong: "fund: qld-fs-2027",
        marked: "qld-fs-2027",
        code: "CW0408",
        told: "`qld-fs-2026`",
    },
    Mistake {
        what: "a limit that does not exist",
        file: "brokerage.yaml",
        right: "policy: brokerage-limits",
        wrong: "policy: brokerage-limit",
        marked: "brokerage-limit",
        code: "CW0409",
        told: "`brokerage-limits`",
    },
    Mistake {
        what: "a function that is misspelt",
        file: "brokerage.yaml",
        right: "call: payment-issue.pay",
        wrong: "call: payment-issue.pays",
        marked: "payment-issue.pays",
        code: "CW0401",
        told: "`payment-issue.pay`",
    },
    Mistake {
        what: "an argument that is left out",
        file: "brokerage.yaml",
        right: "              reference: ${ $case.number + \"-B\" }\n",
        wrong: "",
        marked: "with:",
        code: "CW0402",
        told: "reference",
    },
    Mistake {
        what: "a result of a task that is not there",
        file: "brokerage.yaml",
        right: "payment: ${ $steps.pay.paymentId }",
        wrong: "payment: ${ $steps.payment.paymentId }",
        marked: "$steps.payment",
        code: "CW0305",
        told: "`pay`",
    },
    Mistake {
        what: "an outcome that nobody can choose",
        file: "brokerage.yaml",
        right: "$steps.decision.outcome == \"approve\"",
        wrong: "$steps.decision.outcome == \"approved\"",
        marked: "\"approved\"",
        code: "CW0417",
        told: "`approve`",
    },
    Mistake {
        what: "one equals sign",
        file: "brokerage.yaml",
        right: "when: ${ $steps.decision.outcome == \"approve\" }",
        wrong: "when: ${ $steps.decision.outcome = \"approve\" }",
        marked: "outcome = ",
        code: "CW0311",
        told: "==",
    },
    Mistake {
        what: "an expression that is not closed",
        file: "brokerage.yaml",
        right: "when: ${ $steps.check.ok }",
        wrong: "when: ${ $steps.check.ok",
        marked: "$steps.check.ok",
        code: "CW0302",
        told: "}",
    },
    Mistake {
        what: "text around an expression",
        file: "brokerage.yaml",
        right: "reference: ${ $case.number + \"-B\" }",
        wrong: "reference: ${ $case.number }-B",
        marked: "reference:",
        code: "CW0302",
        told: "\\(",
    },
    Mistake {
        what: "a duration in words that are no words of it",
        file: "brokerage.yaml",
        right: "due: 3 business days",
        wrong: "due: three working days",
        marked: "three working days",
        code: "CW0411",
        told: "3 business days",
    },
    Mistake {
        what: "a colon in a title without quotes",
        file: "brokerage.yaml",
        right: "title: Ask for brokerage\n",
        wrong: "title: Brokerage: ask for it\n",
        marked: "Brokerage: ask",
        code: "CW0001",
        told: "quotes",
    },
    Mistake {
        what: "a tab",
        file: "brokerage.yaml",
        right: "        title: Ask for brokerage\n",
        wrong: "\ttitle: Ask for brokerage\n",
        marked: "\ttitle",
        code: "CW0001",
        told: "spaces",
    },
    Mistake {
        what: "a version without quotes",
        file: "brokerage.yaml",
        right: "version: '1.0.0'",
        wrong: "version: 1.0",
        marked: "version: 1.0",
        code: "CW0107",
        told: "'1.0.0'",
    },
    Mistake {
        what: "two tasks of one name",
        file: "brokerage.yaml",
        right: "  - declined:\n",
        wrong: "  - paid:\n",
        marked: "  - paid:",
        code: "CW0110",
        told: "another name",
    },
    Mistake {
        what: "a task without anything to do",
        file: "brokerage.yaml",
        right: "  - withdrawn:\n      set: { outcome: withdrawn }\n",
        wrong: "  - withdrawn:\n      then: end\n",
        marked: "withdrawn:",
        code: "CW0111",
        told: "call",
    },
    Mistake {
        what: "a kind of task that there is not",
        file: "brokerage.yaml",
        right: "      call: evidence-check.check\n",
        wrong: "      calls: evidence-check.check\n",
        marked: "calls:",
        code: "CW0111",
        told: "`call`",
    },
    Mistake {
        what: "money with a point",
        file: "brokerage.yaml",
        right: "money: ${ $steps.request.data.money }\n              expires",
        wrong: "money: 1300.00\n              expires",
        marked: "1300.00",
        code: "CW0404",
        told: "minor",
    },
    Mistake {
        what: "a namespace of somebody else",
        file: "brokerage.yaml",
        right: "namespace: intensive-family-support",
        wrong: "namespace: intensive-family-suport",
        marked: "intensive-family-suport",
        code: "CW0117",
        told: "intensive-family-support",
    },
    Mistake {
        what: "a field of the form that has no kind",
        file: "forms/brokerage-request.yaml",
        right: "agreed with the family?\n      type: boolean\n",
        wrong: "agreed with the family?\n      type: bool\n",
        marked: "type: bool",
        code: "CW0511",
        told: "boolean",
    },
    Mistake {
        what: "a limit for a role that does not exist",
        file: "pack.yaml",
        right: "{ role: team-leader, upTo",
        wrong: "{ role: team-lead, upTo",
        marked: "team-lead,",
        code: "CW0521",
        told: "`team-leader`",
    },
];

#[test]
fn each_mistake_of_a_newcomer_leads_to_its_line() {
    let mut problems = String::new();
    for mistake in &MISTAKES {
        if let Err(problem) = look(mistake) {
            let _ = writeln!(problems, "{}: {problem}\n", mistake.what);
        }
    }
    assert!(problems.is_empty(), "{problems}");
}

fn look(mistake: &Mistake) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    copy("workflows/intensive-family-support", folder.path());
    let file = folder.path().join(mistake.file);
    let text = fs::read_to_string(&file).unwrap();
    if !text.contains(mistake.right) {
        return Err("the sample has changed".to_owned());
    }
    let text = text.replacen(mistake.right, mistake.wrong, 1);
    fs::write(&file, &text).unwrap();
    let output = casewright(&["validate", "--json", folder.path().to_str().unwrap()], "");
    let found: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let told = |finding: &Value| {
        let line = finding["line"].as_u64().unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let is_here = finding["file"].as_str().unwrap().ends_with(mistake.file)
            && lines[usize::try_from(line).unwrap() - 1].contains(mistake.marked);
        let says = format!("{} {}", finding["message"], finding["help"]).replace("\\\\", "\\");
        is_here && finding["code"] == mistake.code && says.contains(mistake.told)
    };
    match &found[..] {
        [only] if told(only) => Ok(()),
        _ => Err(serde_json::to_string_pretty(&found).unwrap()),
    }
}
