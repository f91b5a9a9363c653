//! Bytes between the engine and an evaluator process: lengths and JSON.
//!
//! A request is a count of values and as many lengths, then a header and the values; each value is
//! JSON of its own, so that none is nested deeper than it was. An answer is a length, the processor
//! time of the process so far, and JSON.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::time::Duration;

use jaq_json::Val;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Program, Results};

/// Largest request: what a child of 64 MiB can hold.
const REQUEST_BYTES_MAX: usize = 4 << 20;
/// Largest answer; a result of 1 MiB may be longer as JSON.
pub(super) const ANSWER_BYTES_MAX: usize = 8 << 20;
/// Length and processor time in front of an answer.
pub(super) const ANSWER_HEAD_BYTES: usize = 12;

#[derive(Serialize, Deserialize)]
struct Header {
    text: String,
    check: bool,
    variables: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Answer {
    One(Value),
    None,
    Many,
    Failed(String),
}

/// A request as the child sees it.
pub(super) struct Asked {
    pub(super) text: String,
    pub(super) check: bool,
    pub(super) input: Val,
    pub(super) variables: Vec<(String, Val)>,
}

/// The bytes of a request; the error is a sentence.
pub(super) fn request(program: &Program) -> Result<Vec<u8>, String> {
    let header = Header {
        text: program.text.clone(),
        check: program.check,
        variables: program.variables.keys().cloned().collect(),
    };
    let values: Vec<&Value> = std::iter::once(&program.input)
        .chain(program.variables.values())
        .collect();
    let head_bytes = 4 * (values.len() + 2);
    let mut bytes = vec![0; head_bytes];
    let mut lengths = vec![u32::try_from(values.len()).unwrap_or(u32::MAX)];
    append(&mut bytes, &mut lengths, &header)?;
    for value in values {
        append(&mut bytes, &mut lengths, value)?;
    }
    for (at, length) in lengths.iter().enumerate() {
        bytes[4 * at..4 * at + 4].copy_from_slice(&length.to_le_bytes());
    }
    Ok(bytes)
}

fn append(
    bytes: &mut Vec<u8>,
    lengths: &mut Vec<u32>,
    value: &impl Serialize,
) -> Result<(), String> {
    let before = bytes.len();
    serde_json::to_writer(&mut *bytes, value).map_err(|error| error.to_string())?;
    if bytes.len() > REQUEST_BYTES_MAX {
        return Err("the data that this expression sees is larger than 4 MiB".to_owned());
    }
    lengths.push(u32::try_from(bytes.len() - before).unwrap_or(u32::MAX));
    Ok(())
}

/// Reads a request; `None` at the end. The inner error is a sentence: bytes were whole, but could
/// not be read.
pub(super) fn asked(from: &mut impl Read) -> io::Result<Option<Result<Asked, String>>> {
    let mut word = [0; 4];
    if from.read(&mut word[..1])? == 0 {
        return Ok(None);
    }
    from.read_exact(&mut word[1..])?;
    let count = u32::from_le_bytes(word) as usize;
    let mut lengths = Vec::new();
    for _ in 0..=count {
        from.read_exact(&mut word)?;
        lengths.push(u32::from_le_bytes(word) as usize);
    }
    let total: usize = lengths.iter().sum();
    if total > REQUEST_BYTES_MAX {
        return Err(io::Error::other("the request is too large"));
    }
    let mut bytes = vec![0; total];
    from.read_exact(&mut bytes)?;
    Ok(Some(read(&bytes, &lengths).map_err(|_| {
        "the data that this expression sees is nested too deep".to_owned()
    })))
}

fn read(mut bytes: &[u8], lengths: &[usize]) -> serde_json::Result<Asked> {
    let mut parts = lengths.iter().map(|length| {
        let (part, rest) = bytes.split_at(*length);
        bytes = rest;
        part
    });
    let mut next = || parts.next().unwrap_or_default();
    let header: Header = serde_json::from_slice(next())?;
    let input = serde_json::from_slice(next())?;
    let variables = header
        .variables
        .into_iter()
        .map(|name| Ok((name, serde_json::from_slice(next())?)))
        .collect::<serde_json::Result<_>>()?;
    Ok(Asked {
        text: header.text,
        check: header.check,
        input,
        variables,
    })
}

impl Asked {
    /// The same without bytes between.
    pub(super) fn of(program: &Program) -> Result<Self, String> {
        let value = |value: &Value| {
            Val::deserialize(value).map_err(|error: serde_json::Error| error.to_string())
        };
        let variables: &BTreeMap<String, Value> = &program.variables;
        Ok(Self {
            text: program.text.clone(),
            check: program.check,
            input: value(&program.input)?,
            variables: variables
                .iter()
                .map(|(name, variable)| Ok((name.clone(), value(variable)?)))
                .collect::<Result<_, String>>()?,
        })
    }
}

/// The bytes of an answer.
pub(super) fn answer(results: Results, used: Duration) -> io::Result<Vec<u8>> {
    let answer = match results {
        Results::One(value) => Answer::One(value),
        Results::None => Answer::None,
        Results::Many => Answer::Many,
        Results::Failed(sentence) => Answer::Failed(sentence),
    };
    let mut bytes = vec![0; ANSWER_HEAD_BYTES];
    serde_json::to_writer(&mut bytes, &answer)?;
    let length = u32::try_from(bytes.len() - ANSWER_HEAD_BYTES).unwrap_or(u32::MAX);
    bytes[..4].copy_from_slice(&length.to_le_bytes());
    let used = u64::try_from(used.as_nanos()).unwrap_or(u64::MAX);
    bytes[4..ANSWER_HEAD_BYTES].copy_from_slice(&used.to_le_bytes());
    Ok(bytes)
}

/// Length of the JSON that follows, and the processor time.
pub(super) fn answer_head(head: [u8; ANSWER_HEAD_BYTES]) -> (usize, u64) {
    let mut length = [0; 4];
    let mut time = [0; 8];
    length.copy_from_slice(&head[..4]);
    time.copy_from_slice(&head[4..]);
    (
        u32::from_le_bytes(length) as usize,
        u64::from_le_bytes(time),
    )
}

/// What an answer says.
pub(super) fn results(json: &[u8]) -> serde_json::Result<Results> {
    Ok(match serde_json::from_slice(json)? {
        Answer::One(value) => Results::One(value),
        Answer::None => Results::None,
        Answer::Many => Results::Many,
        Answer::Failed(sentence) => Results::Failed(sentence),
    })
}
