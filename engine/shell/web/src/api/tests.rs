//! The OpenAPI document tells the truth about the routes.

use serde_json::Value;

use super::*;

fn parsed() -> Value {
    let (_, document) = routes();
    serde_json::from_str(&document_text(&document)).unwrap()
}

#[test]
fn the_document_is_openapi_3_1_and_names_every_endpoint() {
    let document = parsed();
    assert_eq!(document["openapi"], "3.1.0");
    let paths: Vec<String> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, item)| {
            let methods = item.as_object().unwrap().keys();
            methods.map(move |method| format!("{method} {path}"))
        })
        .collect();
    let expected = [
        "get /api/v1/absences",
        "post /api/v1/absences",
        "post /api/v1/absences/{id}/end",
        "get /api/v1/calendars/changes",
        "get /api/v1/calendars/changes/{calendar}",
        "post /api/v1/calendars/changes/{calendar}/apply",
        "post /api/v1/calendars/changes/{calendar}/keep",
        "post /api/v1/callbacks/{token}",
        "get /api/v1/cases",
        "get /api/v1/cases/{id}",
        "get /api/v1/cases/{id}/audit",
        "get /api/v1/cases/{id}/calendar",
        "post /api/v1/cases/{id}/calendar",
        "get /api/v1/cases/{id}/consents",
        "post /api/v1/cases/{id}/consents",
        "get /api/v1/cases/{id}/consents/history",
        "post /api/v1/cases/{id}/consents/{consent}/withdraw",
        "get /api/v1/cases/{id}/disclosures",
        "get /api/v1/cases/{id}/documents",
        "post /api/v1/cases/{id}/documents",
        "get /api/v1/cases/{id}/documents/{document}",
        "get /api/v1/cases/{id}/documents/{document}/content",
        "get /api/v1/cases/{id}/messages",
        "get /api/v1/cases/{id}/notes",
        "post /api/v1/cases/{id}/notes",
        "get /api/v1/cases/{id}/persons",
        "post /api/v1/cases/{id}/persons",
        "get /api/v1/cases/{id}/persons/{person}",
        "put /api/v1/cases/{id}/persons/{person}",
        "post /api/v1/cases/{id}/persons/{person}/show-address",
        "get /api/v1/cases/{id}/plan",
        "get /api/v1/cases/{id}/plan/versions",
        "post /api/v1/cases/{id}/reopen",
        "get /api/v1/cases/{id}/retention",
        "post /api/v1/cases/{id}/retention/erasure",
        "post /api/v1/cases/{id}/retention/erasure/agree",
        "post /api/v1/cases/{id}/retention/erasure/decline",
        "post /api/v1/cases/{id}/retention/holds",
        "post /api/v1/cases/{id}/retention/holds/{hold}/lift",
        "post /api/v1/cases/{id}/retention/transfers",
        "get /api/v1/cases/{id}/timeline",
        "get /api/v1/cases/{id}/walls",
        "post /api/v1/cases/{id}/walls",
        "post /api/v1/cases/{id}/walls/{person}/lift",
        "post /api/v1/cases/{id}/walls/{person}/take-away",
        "post /api/v1/events",
        "get /api/v1/funds",
        "get /api/v1/funds/{fund}",
        "get /api/v1/funds/{fund}/entries",
        "get /api/v1/funds/{fund}/entries/{number}",
        "post /api/v1/funds/{fund}/entries/{number}/reverse",
        "get /api/v1/instances",
        "post /api/v1/instances",
        "get /api/v1/instances/{id}",
        "post /api/v1/instances/{id}/cancel",
        "get /api/v1/instances/{id}/history",
        "get /api/v1/instances/{id}/lifecycle",
        "post /api/v1/instances/{id}/migrate",
        "get /api/v1/instances/{id}/migration-preview",
        "post /api/v1/instances/{id}/retry",
        "get /api/v1/lifecycle",
        "get /api/v1/packs",
        "post /api/v1/packs",
        "get /api/v1/reports/outcomes",
        "get /api/v1/retention/due",
        "get /api/v1/retention/erased",
        "get /api/v1/schedules",
        "get /api/v1/work-items",
        "get /api/v1/work-items/{id}",
        "post /api/v1/work-items/{id}/assign",
        "post /api/v1/work-items/{id}/claim",
        "post /api/v1/work-items/{id}/complete",
        "post /api/v1/work-items/{id}/delegate",
        "delete /api/v1/work-items/{id}/draft",
        "get /api/v1/work-items/{id}/draft",
        "put /api/v1/work-items/{id}/draft",
        "post /api/v1/work-items/{id}/hold",
        "post /api/v1/work-items/{id}/reassign",
        "post /api/v1/work-items/{id}/release",
        "post /api/v1/work-items/{id}/resume",
        "post /api/v1/work-items/{id}/skip",
        "get /api/v1/workflows",
    ];
    assert_eq!(paths, expected);
}

#[test]
fn every_reference_in_the_document_leads_somewhere() {
    let document = parsed();
    let mut seen = 0;
    let mut open = vec![&document];
    while let Some(value) = open.pop() {
        match value {
            Value::Object(map) => {
                if let Some(Value::String(reference)) = map.get("$ref") {
                    let pointer = reference.strip_prefix('#').unwrap();
                    assert!(document.pointer(pointer).is_some(), "{reference}");
                    seen += 1;
                }
                open.extend(map.values());
            }
            Value::Array(items) => open.extend(items),
            _ => {}
        }
    }
    assert!(seen > 15);
}

#[test]
fn every_endpoint_says_how_it_fails() {
    let document = parsed();
    for item in document["paths"].as_object().unwrap().values() {
        for operation in item.as_object().unwrap().values() {
            let content = &operation["responses"]["default"]["content"];
            assert!(
                content["application/problem+json"].is_object(),
                "{operation}"
            );
        }
    }
}

/// `call: openapi` and made clients name an operation by its id.
#[test]
fn every_operation_has_an_id_of_its_own() {
    let document = parsed();
    let mut seen = std::collections::BTreeSet::new();
    for item in document["paths"].as_object().unwrap().values() {
        for operation in item.as_object().unwrap().values() {
            let id = operation["operationId"].as_str().unwrap();
            assert!(seen.insert(id), "{id} comes twice");
            assert!(id.bytes().all(|sign| sign.is_ascii_alphabetic()), "{id}");
        }
    }
}
