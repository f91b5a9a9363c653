//! What a bad plugin can try. Each function must end as a failed task with a reason, while others
//! go on undisturbed. It is of no use to anybody.

use casewright_sdk::prelude::*;

/// Nothing is needed to be bad.
#[derive(Deserialize, JsonSchema)]
struct Nothing {}

/// An answer that never comes.
#[derive(Serialize, JsonSchema)]
struct Answer {
    text: String,
}

/// Loops for ever.
#[function(effect = "none")]
fn spin(_context: &Context, _input: Nothing) -> Result<Answer, Error> {
    let mut number = 1_u64;
    loop {
        number = std::hint::black_box(number.wrapping_mul(3));
        if number == 0 {
            return Ok(Answer { text: number.to_string() });
        }
    }
}

/// Allocates 4 GiB.
#[function(effect = "none")]
fn hoard(_context: &Context, _input: Nothing) -> Result<Answer, Error> {
    let mut hoard = Vec::new();
    for _ in 0..4096 {
        hoard.push(std::hint::black_box(vec![7_u8; 1024 * 1024]));
    }
    Ok(Answer { text: hoard.len().to_string() })
}

/// Returns far more than is allowed.
#[function(effect = "none")]
fn babble(_context: &Context, _input: Nothing) -> Result<Answer, Error> {
    Ok(Answer { text: "a".repeat(2 * 1024 * 1024) })
}

/// Ends in a trap.
#[function(effect = "none")]
fn trip(_context: &Context, _input: Nothing) -> Result<Answer, Error> {
    panic!("tripped");
}

/// Calls a host that nobody granted.
#[function(effect = "none")]
fn phone(_context: &Context, _input: Nothing) -> Result<Answer, Error> {
    let response = http::get("http://127.0.0.1:10/secrets").send()?;
    Ok(Answer { text: response.status().to_string() })
}

plugin!(spin, hoard, babble, trip, phone);
