//! What the partners did and were asked: the witness in tests of "exactly once".

use std::collections::{BTreeMap, VecDeque};
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::fault::Fault;
use super::housing::{self, Application};
use super::notify::Message;
use super::relief::Voucher;

/// All partners together.
#[derive(Default)]
pub(super) struct World {
    state: Mutex<State>,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) requests: Vec<Request>,
    pub(super) payments: BTreeMap<String, Payment>,
    pub(super) applications: BTreeMap<String, Application>,
    pub(super) vouchers: BTreeMap<String, Voucher>,
    pub(super) messages: BTreeMap<String, Message>,
    /// What the housing register decides while the next application is being answered.
    pub(super) early: Option<housing::Order>,
    /// Keys of requests that are being answered.
    pub(super) under_way: Vec<String>,
    pub(super) faults: BTreeMap<String, VecDeque<Option<Fault>>>,
    file: Option<File>,
}

/// One request as it arrived. No bodies: a journal is read by people.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) key: Option<String>,
    pub(super) fault: Option<String>,
}

/// Money that moved.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Payment {
    pub(super) key: String,
    pub(super) body: Value,
    #[serde(rename = "paymentId")]
    pub(super) id: String,
    pub(super) bank_ref: String,
    pub(super) at: String,
}

/// A line of the journal's file.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Line {
    Request(Request),
    Payment(Payment),
    /// As it stands from here on.
    Application(Application),
    Voucher(Voucher),
    Message(Message),
}

impl World {
    /// Reads what the file holds already.
    pub(super) fn open(path: Option<PathBuf>) -> io::Result<Self> {
        let mut state = State::default();
        if let Some(path) = path {
            if let Ok(file) = File::open(&path) {
                // A line torn by a crash was never acted upon: payments are synced first.
                let lines = BufReader::new(file).lines();
                for line in lines.collect::<io::Result<Vec<_>>>()? {
                    if let Ok(line) = serde_json::from_str(&line) {
                        state.remember(line);
                    }
                }
            }
            let mut file = OpenOptions::new().create(true).append(true).open(path)?;
            // What comes next is no part of a torn line; empty lines are none.
            file.write_all(b"\n")?;
            state.file = Some(file);
        }
        Ok(Self {
            state: Mutex::new(state),
        })
    }

    /// The state is never left half changed, so a panicking holder does not spoil it.
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    pub(super) fn request(&mut self, request: Request) -> io::Result<()> {
        self.write(Line::Request(request))
    }

    pub(super) fn pay(&mut self, payment: Payment) -> io::Result<()> {
        self.write(Line::Payment(payment))
    }

    pub(super) fn application(&mut self, application: Application) -> io::Result<()> {
        self.write(Line::Application(application))
    }

    pub(super) fn voucher(&mut self, voucher: Voucher) -> io::Result<()> {
        self.write(Line::Voucher(voucher))
    }

    pub(super) fn message(&mut self, message: Message) -> io::Result<()> {
        self.write(Line::Message(message))
    }

    pub(super) fn reset(&mut self) -> io::Result<()> {
        self.requests.clear();
        self.payments.clear();
        self.applications.clear();
        self.vouchers.clear();
        self.messages.clear();
        self.early = None;
        self.faults.clear();
        self.file.as_ref().map_or(Ok(()), |file| file.set_len(0))
    }

    fn write(&mut self, line: Line) -> io::Result<()> {
        if let Some(file) = &mut self.file {
            let mut text = serde_json::to_string(&line).map_err(io::Error::other)?;
            text.push('\n');
            file.write_all(text.as_bytes())?;
            file.sync_data()?;
        }
        self.remember(line);
        Ok(())
    }

    fn remember(&mut self, line: Line) {
        match line {
            Line::Request(request) => self.requests.push(request),
            Line::Payment(payment) => {
                self.payments.insert(payment.key.clone(), payment);
            }
            Line::Application(application) => {
                let key = application.key.clone();
                self.applications.insert(key, application);
            }
            Line::Voucher(voucher) => {
                self.vouchers.insert(voucher.key.clone(), voucher);
            }
            Line::Message(message) => {
                self.messages.insert(message.key.clone(), message);
            }
        }
    }
}
