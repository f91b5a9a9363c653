//! The binary `casewright`.
fn main() {}
