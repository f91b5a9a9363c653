//! Every way to fail has the status and code that clients branch on.

use casewright_casework::{Code, Refusal};
use casewright_runtime::Refused;

use super::*;

#[track_caller]
fn check(refused: Refused, status: u16, code: &str) {
    let problem = Problem::from(refused);
    assert_eq!((problem.status, problem.code()), (status, code));
    let response = problem.into_response();
    assert_eq!(response.status().as_u16(), status);
    assert_eq!(
        response.headers()[header::CONTENT_TYPE],
        "application/problem+json"
    );
    assert_eq!(
        response.headers().contains_key(header::RETRY_AFTER),
        status == 503
    );
}

#[test]
fn refusals_of_the_engine_keep_their_codes() {
    check(Refused::KeyReused, 422, "key-reused");
    check(Refused::Busy, 503, "busy");
    check(Refused::Stopping, 503, "stopping");
    check(Refused::DiskFull, 507, "disk-full");
    check(Refused::Damaged("a row".into()), 500, "damaged");
    let invalid = Refused::Invalid {
        code: "unknown-workflow",
        status: 404,
        message: "no such workflow".into(),
    };
    check(invalid, 404, "unknown-workflow");
    let rule = |code| Refused::Rule(Refusal::new(code, "no"));
    check(rule(Code::SelfApproval), 403, "self-approval");
    check(rule(Code::AlreadyClaimed), 409, "already-claimed");
    check(rule(Code::NotFound), 404, "not-found");
    check(rule(Code::FormInvalid), 422, "form-invalid");
}

#[test]
fn a_form_problem_names_its_fields() {
    let mut refusal = Refusal::new(Code::FormInvalid, "check the form");
    refusal.fields = vec![("money".into(), "Enter the amount".into())];
    let problem = serde_json::to_value(Problem::from(refusal)).unwrap();
    assert_eq!(
        problem,
        serde_json::json!({
            "type": "urn:casewright:error:form-invalid",
            "title": "Unprocessable Entity",
            "status": 422,
            "detail": "check the form",
            "code": "form-invalid",
            "fields": [{"field": "money", "message": "Enter the amount"}],
        })
    );
}
