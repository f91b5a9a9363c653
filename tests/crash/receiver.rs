//! The partner that is paid: a process of its own, which is never killed and writes down what it
//! does. Its journal is the witness.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use super::ledger::{Payment, take_payment};
use crate::client::Client;
use crate::seed::Seed;

/// What may happen to an answer on its way. None of them ends a payment for good.
const FAULTS: [&str; 3] = ["drop-after-commit", "drop-before", "status:503"];

pub(crate) struct Receiver {
    process: Child,
    url: String,
    journal: PathBuf,
    /// How far the journal was read.
    read: u64,
    /// By reference.
    paid: BTreeMap<String, Payment>,
    /// Requests to pay, whether or not they were the first under their key.
    pub(crate) requests: u64,
}

impl Receiver {
    pub(crate) fn start(binary: &Path, folder: &Path) -> Self {
        let journal = folder.join("partner.jsonl");
        let mut process = Command::new(binary)
            .args(["partner", "--port", "0", "--journal"])
            .arg(&journal)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = String::new();
        let talk = process.stdout.take().expect("it was asked for");
        BufReader::new(talk).read_line(&mut said).unwrap();
        let url = said.trim().strip_prefix("partner on ");
        let url = url.unwrap_or_else(|| panic!("the partner said {said:?}"));
        Self {
            process,
            url: url.to_owned(),
            journal,
            read: 0,
            paid: BTreeMap::new(),
            requests: 0,
        }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// One of the next requests suffers something.
    pub(crate) fn order_fault(&self, seed: &mut Seed) {
        let kind = FAULTS[usize::try_from(seed.next(FAULTS.len() as u64)).unwrap()];
        let order = json!({ "path": "/pay/payments", "nth": 1 + seed.next(3), "kind": kind });
        let reply = Client::keeping(&self.url, None).post("/_ctl/fault", &order, None);
        assert_eq!(reply.unwrap().status, 204);
    }

    /// Reads what was written since the last look.
    pub(crate) fn look(&mut self) -> Result<&BTreeMap<String, Payment>, String> {
        let mut file = File::open(&self.journal).map_err(|error| error.to_string())?;
        let mut text = String::new();
        file.seek(SeekFrom::Start(self.read))
            .and_then(|_| file.read_to_string(&mut text))
            .map_err(|error| error.to_string())?;
        // The end of the text may be a line that is being written.
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        self.read += whole as u64;
        for line in text[..whole].lines().filter(|line| !line.is_empty()) {
            let line: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
            if line["request"]["method"] == "POST" {
                self.requests += 1;
            }
            if let Some(payment) = line.get("payment") {
                take_payment(&mut self.paid, &read(payment))?;
            }
        }
        Ok(&self.paid)
    }

    pub(crate) fn payments(&self) -> usize {
        self.paid.len()
    }
}

fn read(payment: &Value) -> Payment {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Payment {
        key: text(&payment["key"]),
        reference: text(&payment["body"]["reference"]),
        minor: payment["body"]["money"]["minor"].as_i64().unwrap_or(0),
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
