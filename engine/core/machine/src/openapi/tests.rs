//! Requests from descriptions: where each parameter goes, and what is refused.

#![allow(
    clippy::needless_pass_by_value,
    reason = "values are written where they are given"
)]

use serde_json::{Value, json};

use super::operation::Operation;
use super::{Wish, request};
use crate::http::Request;

const ADDRESS: &str = "https://homes.example/v1/openapi.json";

fn three(operation: Value) -> Value {
    json!({ "openapi": "3.0.3", "paths": { "/homes/{id}": { "get": with_id(operation) } } })
}

fn with_id(mut operation: Value) -> Value {
    operation["operationId"] = "find".into();
    operation
}

fn asked(document: &Value, parameters: Value) -> Result<Request, String> {
    let wish = json!({
        "document": { "uri": ADDRESS }, "operationId": "find", "parameters": parameters,
    });
    let operation = Operation::of(document, ADDRESS, "find")?;
    // What is kept is what is used.
    let kept: Operation = serde_json::from_value(json!(operation)).unwrap();
    assert_eq!(kept, operation);
    request::request(&operation, &Wish::of(&wish).unwrap())
}

/// One query parameter of OpenAPI 3 with this schema of writing.
fn query(more: Value, value: Value) -> Result<String, String> {
    let mut parameter = json!({ "name": "q p", "in": "query" });
    let more = more.as_object().unwrap().clone();
    parameter.as_object_mut().unwrap().extend(more);
    let document = json!({
        "openapi": "3.1.0",
        "paths": { "/": { "get": { "operationId": "find", "parameters": [parameter] } } },
    });
    let uri = asked(&document, json!({ "q p": value }))?.uri;
    Ok(uri
        .split_once('?')
        .map_or("", |(_, query)| query)
        .to_owned())
}

#[test]
fn each_style_of_a_query_is_written_as_it_is_described() {
    let list = json!(["a b", "c,d", 3]);
    let object = json!({ "x": 1, "y": "é" });
    for (more, value, expected) in [
        (json!({}), json!("a&b=c"), "q%20p=a%26b%3Dc"),
        (json!({}), json!(true), "q%20p=true"),
        (json!({}), list.clone(), "q%20p=a%20b&q%20p=c%2Cd&q%20p=3"),
        (
            json!({ "explode": false }),
            list.clone(),
            "q%20p=a%20b,c%2Cd,3",
        ),
        (json!({}), object.clone(), "x=1&y=%C3%A9"),
        (
            json!({ "explode": false }),
            object.clone(),
            "q%20p=x,1,y,%C3%A9",
        ),
        (
            json!({ "style": "spaceDelimited" }),
            list.clone(),
            "q%20p=a%20b%20c%2Cd%203",
        ),
        (
            json!({ "style": "pipeDelimited" }),
            list.clone(),
            "q%20p=a%20b%7Cc%2Cd%7C3",
        ),
        (
            json!({ "style": "pipeDelimited", "explode": true }),
            list.clone(),
            "q%20p=a%20b&q%20p=c%2Cd&q%20p=3",
        ),
        (
            json!({ "style": "deepObject", "explode": true }),
            json!({ "x": 1, "y": { "z w": "2" } }),
            "q%20p%5Bx%5D=1&q%20p%5By%5D%5Bz%20w%5D=2",
        ),
        (
            json!({ "content": { "application/json": {} } }),
            object.clone(),
            "q%20p=%7B%22x%22%3A1%2C%22y%22%3A%22%C3%A9%22%7D",
        ),
        (
            json!({ "allowReserved": true }),
            json!("/a?b&c#d"),
            "q%20p=/a?b%26c%23d",
        ),
    ] {
        assert_eq!(
            query(more.clone(), value).as_deref(),
            Ok(expected),
            "{more}"
        );
    }
    for (more, value) in [
        (json!({}), json!(null)),
        (json!({}), json!([])),
        (json!({}), json!({})),
        (json!({}), json!([[1]])),
        (json!({}), json!([null])),
        (json!({ "style": "deepObject" }), list),
        (json!({ "style": "matrix" }), json!(1)),
        (json!({ "style": "curly" }), json!(1)),
    ] {
        let reason = query(more, value).unwrap_err();
        assert!(reason.contains("`q p`"), "{reason}");
    }
}

#[test]
fn each_style_of_a_path_is_written_as_it_is_described() {
    let path = |more: Value, value: Value| {
        let mut parameter = json!({ "name": "id", "in": "path", "required": true });
        let more = more.as_object().unwrap().clone();
        parameter.as_object_mut().unwrap().extend(more);
        let document = three(json!({ "parameters": [parameter] }));
        let request = asked(&document, json!({ "id": value }))?;
        Ok::<_, String>(request.uri.replace("https://homes.example/homes/", ""))
    };
    let list = json!([3, "4/5"]);
    let object = json!({ "a": 1, "b": 2 });
    for (more, value, expected) in [
        (json!({}), json!("a/b c"), "a%2Fb%20c"),
        (json!({}), list.clone(), "3,4%2F5"),
        (json!({}), object.clone(), "a,1,b,2"),
        (json!({ "explode": true }), object.clone(), "a=1,b=2"),
        (json!({ "style": "label" }), json!(5), ".5"),
        (json!({ "style": "label" }), list.clone(), ".3,4%2F5"),
        (
            json!({ "style": "label", "explode": true }),
            list.clone(),
            ".3.4%2F5",
        ),
        (
            json!({ "style": "label", "explode": true }),
            object.clone(),
            ".a=1.b=2",
        ),
        (json!({ "style": "matrix" }), json!(5), ";id=5"),
        (json!({ "style": "matrix" }), list.clone(), ";id=3,4%2F5"),
        (
            json!({ "style": "matrix", "explode": true }),
            list,
            ";id=3;id=4%2F5",
        ),
        (
            json!({ "style": "matrix", "explode": true }),
            object,
            ";a=1;b=2",
        ),
    ] {
        assert_eq!(path(more.clone(), value).as_deref(), Ok(expected), "{more}");
    }
    for value in [json!(""), json!(".."), json!("."), json!(null)] {
        assert!(path(json!({}), value.clone()).is_err(), "{value}");
    }
}

#[test]
fn headers_and_cookies_are_where_they_belong() {
    let document = three(json!({
        "parameters": [
            { "name": "id", "in": "path", "required": true },
            { "name": "X-Near", "in": "header" },
            { "name": "X-Many", "in": "header", "explode": true },
            { "name": "session", "in": "cookie" },
            { "name": "tags", "in": "cookie" },
            { "name": "Authorization", "in": "header", "required": true },
            { "name": "Idempotency-Key", "in": "header", "required": true },
        ],
        "responses": {
            "200": { "content": { "text/csv": {}, "application/json; charset=utf-8": {} } },
            "404": { "content": { "text/html": {} } },
        },
    }));
    let given = json!({
        "id": 7, "X-Near": "a park", "X-Many": { "a": 1, "b": 2 }, "session": "s;1",
        "tags": ["x", "y"],
    });
    let headers = asked(&document, given).unwrap().headers;
    let of = |name: &str| headers.get(name).map(String::as_str);
    assert_eq!(of("X-Near"), Some("a park"));
    assert_eq!(of("X-Many"), Some("a=1,b=2"));
    assert_eq!(of("cookie"), Some("session=s%3B1; tags=x; tags=y"));
    assert_eq!(of("accept"), Some("application/json"));
    assert_eq!(headers.len(), 4);
    let own = asked(&document, json!({ "id": 7, "Authorization": "7f3a" })).unwrap_err();
    assert!(
        own.contains("`authentication` write") && !own.contains("7f3a"),
        "{own}"
    );
}

#[test]
fn a_body_is_given_whole_or_by_its_members() {
    let document = |kinds: &[&str]| {
        let schema = json!({ "$ref": "#/components/schemas/Home" });
        let kinds = kinds
            .iter()
            .map(|kind| ((*kind).to_owned(), json!({ "schema": schema })));
        json!({
            "openapi": "3.0.0",
            "paths": { "/homes": { "post": {
                "operationId": "find",
                "parameters": [ { "name": "dry", "in": "query" } ],
                "requestBody": { "$ref": "#/components/requestBodies/Home" },
            } } },
            "components": {
                "requestBodies": { "Home": {
                    "required": true, "content": Value::Object(kinds.collect()),
                } },
                "schemas": {
                    "Home": { "allOf": [
                        { "$ref": "#/components/schemas/Home" },
                        { "properties": { "beds": {}, "tags": {} } },
                        { "$ref": "#/components/schemas/Place" },
                    ] },
                    "Place": { "properties": { "street": {} } },
                },
            },
        })
    };
    let kinds = ["multipart/form-data", "text/xml", "application/json"];
    let whole = asked(&document(&kinds), json!({ "body": { "any": [1] } })).unwrap();
    assert_eq!(whole.body, Some(json!({ "any": [1] })));
    assert_eq!(whole.headers["content-type"], "application/json");
    assert_eq!(whole.method_name(), "POST");
    let parts = json!({ "beds": 3, "street": null, "dry": true });
    let parts = asked(&document(&kinds), parts).unwrap();
    assert_eq!(parts.body, Some(json!({ "beds": 3, "street": null })));
    assert!(parts.uri.ends_with("/homes?dry=true"), "{}", parts.uri);
    // Text in JSON has quotes; elsewhere it has none.
    let text = asked(&document(&kinds), json!({ "body": "a" })).unwrap();
    assert_eq!(text.body_sent(), b"\"a\"");
    let text = asked(&document(&["text/xml"]), json!({ "body": "<a/>" })).unwrap();
    assert_eq!(text.body_sent(), b"<a/>");
    let form = json!({ "beds": 3, "tags": ["a b", "c"] });
    let form = asked(&document(&["application/x-www-form-urlencoded"]), form).unwrap();
    assert_eq!(form.body_sent(), b"beds=3&tags=a%20b&tags=c");
    for (kind, given, word) in [
        ("application/json", json!({}), "`body` (body)"),
        ("application/json", json!({ "body": null }), "`body` (body)"),
        (
            "application/json",
            json!({ "body": {}, "beds": 3 }),
            "no parameter `beds`",
        ),
        ("text/xml", json!({ "body": { "a": "7f3a" } }), "text"),
        (
            "multipart/form-data",
            json!({ "body": { "a": "7f3a" } }),
            "plugin",
        ),
    ] {
        let reason = asked(&document(&[kind]), given).unwrap_err();
        assert!(
            reason.contains(word) && !reason.contains("7f3a"),
            "{reason}"
        );
    }
}

#[test]
fn what_is_missing_and_what_is_unknown_is_named() {
    let document = json!({
        "openapi": "3.0.0",
        "paths": { "/homes": {
            "parameters": [
                { "name": "near", "in": "query", "required": false },
                { "name": "beds", "in": "query", "required": true },
            ],
            "get": {
                "operationId": "find",
                "parameters": [ { "name": "near", "in": "query", "required": true } ],
            },
        } },
    });
    let reason = asked(&document, json!({})).unwrap_err();
    assert_eq!(
        reason,
        "the operation `find` needs `beds` (query), `near` (query)"
    );
    let given = json!({ "near": "7f3a", "beds": 3, "bed": "7f3a" });
    let reason = asked(&document, given).unwrap_err();
    assert_eq!(
        reason,
        "the operation `find` has no parameter `bed`; it has `beds`, `near`"
    );
    let all = asked(&document, json!({ "near": "x", "beds": 3 })).unwrap();
    assert_eq!(all.uri, "https://homes.example/homes?beds=3&near=x");
}

#[test]
fn the_server_is_the_nearest_one() {
    let server = |document: Value| {
        let operation = Operation::of(&document, ADDRESS, "find");
        operation.map(|operation| operation.server)
    };
    let at = |url: &str| json!([{ "url": url }]);
    let near = json!({
        "openapi": "3.0.0", "servers": at("https://far.example"),
        "paths": { "/": {
            "servers": at("/item"),
            "get": { "operationId": "find", "servers": at("v2/") },
        } },
    });
    assert_eq!(
        server(near.clone()).as_deref(),
        Ok("https://homes.example/v1/v2")
    );
    let mut item = near.clone();
    item["paths"]["/"]["get"]["servers"] = json!([]);
    assert_eq!(
        server(item.clone()).as_deref(),
        Ok("https://homes.example/item")
    );
    item["paths"]["/"]["servers"] = Value::Null;
    assert_eq!(server(item).as_deref(), Ok("https://far.example"));
    let variables = json!({
        "openapi": "3.0.0",
        "servers": [{
            "url": "https://{region}.example:{port}/{base}",
            "variables": {
                "region": { "default": "north" }, "port": { "default": 8443 },
                "base": { "default": "v3" },
            },
        }],
        "paths": { "/": { "get": { "operationId": "find" } } },
    });
    assert_eq!(
        server(variables.clone()).as_deref(),
        Ok("https://north.example:8443/v3")
    );
    let mut unknown = variables;
    unknown["servers"][0]["variables"] = json!({});
    assert!(server(unknown).unwrap_err().contains("variable"));
    let none =
        json!({ "openapi": "3.0.0", "paths": { "/": { "get": { "operationId": "find" } } } });
    assert_eq!(server(none).as_deref(), Ok("https://homes.example"));
}

fn two(more: Value, operation: Value) -> Value {
    let mut document = json!({
        "swagger": "2.0", "paths": { "/homes/{id}": { "post": with_id(operation) } },
    });
    let more = more.as_object().unwrap().clone();
    document.as_object_mut().unwrap().extend(more);
    document
}

#[test]
fn swagger_says_where_its_server_is() {
    let server = |more: Value| {
        let document = two(more, json!({}));
        Operation::of(&document, ADDRESS, "find").map(|operation| operation.server)
    };
    for (more, expected) in [
        (json!({}), "https://homes.example"),
        (json!({ "basePath": "/v2/" }), "https://homes.example/v2"),
        (
            json!({ "host": "api.example:81", "basePath": "v2" }),
            "https://api.example:81/v2",
        ),
        (
            json!({ "host": "api.example", "schemes": ["http"] }),
            "http://api.example",
        ),
        (json!({ "schemes": ["ws", "http"] }), "http://homes.example"),
        (
            json!({ "host": "api.example", "schemes": ["http", "https"] }),
            "https://api.example",
        ),
    ] {
        assert_eq!(server(more.clone()).as_deref(), Ok(expected), "{more}");
    }
}

#[test]
fn swagger_has_bodies_forms_and_collections() {
    let id = json!({ "name": "id", "in": "path", "required": true, "type": "string" });
    let list = |name: &str, format: &str| {
        json!({
            "name": name, "in": "query", "type": "array", "collectionFormat": format,
        })
    };
    let document = two(
        json!({
            "consumes": ["application/xml", "application/json"],
            "produces": ["application/xml"],
        }),
        json!({ "parameters": [
            id, list("a", "csv"), list("b", "ssv"), list("c", "tsv"), list("d", "pipes"),
            list("e", "multi"),
            {
                "name": "home", "in": "body", "required": true,
                "schema": { "properties": { "beds": {} } },
            },
        ] }),
    );
    let given = json!({
        "id": 7, "a": [1, 2], "b": [1, 2], "c": [1, 2], "d": [1, 2], "e": [1, 2],
        "home": { "x": 1 },
    });
    let request = asked(&document, given).unwrap();
    assert_eq!(
        request.uri,
        "https://homes.example/homes/7?a=1,2&b=1%202&c=1%092&d=1%7C2&e=1&e=2"
    );
    assert_eq!(request.body, Some(json!({ "x": 1 })));
    assert_eq!(request.headers["accept"], "application/xml");
    let request = asked(&document, json!({ "id": 7, "body": { "y": 1 } })).unwrap();
    assert_eq!(request.body, Some(json!({ "y": 1 })));
    let reason = asked(&document, json!({ "id": 7 })).unwrap_err();
    assert_eq!(reason, "the operation `find` needs `home` (body)");
    let form = |consumes: Value, kind: &str| {
        two(
            json!({ "consumes": consumes }),
            json!({ "parameters": [
                id,
                { "name": "beds", "in": "formData", "type": "integer" },
                { "name": "plan", "in": "formData", "type": kind, "required": kind == "file" },
                { "name": "photo", "in": "formData", "type": "file" },
            ] }),
        )
    };
    let given = json!({ "id": 7, "beds": 3, "plan": "a b" });
    let request = asked(&form(json!([]), "string"), given.clone()).unwrap();
    assert_eq!(request.body_sent(), b"beds=3&plan=a%20b");
    assert_eq!(
        request.headers["content-type"],
        "application/x-www-form-urlencoded"
    );
    let reason = asked(
        &form(json!(["multipart/form-data"]), "string"),
        given.clone(),
    )
    .unwrap_err();
    assert!(reason.contains("form"), "{reason}");
    let reason = asked(&form(json!([]), "file"), given).unwrap_err();
    assert!(reason.contains("file as `plan`"), "{reason}");
}

#[test]
fn a_description_that_is_wrong_or_endless_ends_in_a_sentence() {
    let of = |document: Value| Operation::of(&document, ADDRESS, "find").unwrap_err();
    let deep = |reference: &str| json!({ "$ref": reference });
    let with = |parameters: Value| three(json!({ "parameters": parameters }));
    let mut circle = with(json!([deep("#/components/parameters/a")]));
    circle["components"] = json!({ "parameters": {
        "a": deep("#/components/parameters/b"), "b": deep("#/components/parameters/a"),
    } });
    let twice = json!({ "operationId": "find" });
    let many: Vec<Value> = (0..300)
        .map(|index| json!({ "name": format!("p{index}"), "in": "query" }))
        .collect();
    for (document, word) in [
        (circle, "circle"),
        (
            with(json!([deep("#/components/parameters/a")])),
            "not in it",
        ),
        (
            with(json!([deep("https://evil.example/p.json")])),
            "another one",
        ),
        (with(json!([{ "in": "query" }])), "without `name`"),
        (
            with(json!([{ "name": "a", "in": "moon" }])),
            "stands nowhere",
        ),
        (with(json!([7])), "that is none"),
        (with(json!(many)), "more than 256"),
        (
            json!({ "openapi": "3.0.0", "paths": { "/": { "get": twice, "put": twice } } }),
            "twice",
        ),
        (
            json!({ "openapi": "3.0.0", "paths": { "/": { "trace": twice } } }),
            "not spoken",
        ),
        (json!({ "openapi": "3.0.0" }), "it has none"),
        (
            json!({ "openapi": "4.0.0", "paths": {} }),
            "describes no service",
        ),
        (json!({ "swagger": "1.2" }), "describes no service"),
        (json!([]), "describes no service"),
    ] {
        let reason = of(document);
        assert!(reason.contains(word), "{word}: {reason}");
    }
    let names: Vec<(String, Value)> = (0..30)
        .map(|index| {
            (
                format!("/{index}"),
                json!({ "get": { "operationId": "x".repeat(99) } }),
            )
        })
        .collect();
    let reason =
        of(json!({ "openapi": "3.0.0", "paths": Value::Object(names.into_iter().collect()) }));
    assert!(
        reason.contains("and 22 more") && reason.len() < 600,
        "{reason}"
    );
    // A path whose name nobody describes.
    let reason = asked(&three(json!({})), json!({})).unwrap_err();
    assert!(reason.contains("does not describe `id`"), "{reason}");
}

/// What would take for ever, or all memory, if it were followed.
#[test]
fn a_description_that_grows_as_it_is_read_ends() {
    let itself = vec![json!({ "$ref": "#/components/schemas/a" }); 1000];
    let document = json!({
        "openapi": "3.0.0",
        "paths": { "/": { "post": {
            "operationId": "find",
            "requestBody": { "content": { "application/json": {
                "schema": { "$ref": "#/components/schemas/a" },
            } } },
        } } },
        "components": { "schemas": { "a": { "allOf": itself, "properties": { "beds": {} } } } },
    });
    let operation = Operation::of(&document, ADDRESS, "find").unwrap();
    assert_eq!(operation.body.unwrap().members, ["beds"]);
    let server = |url: String, variables: Value| {
        let document = json!({
            "openapi": "3.0.0", "servers": [{ "url": url, "variables": variables }],
            "paths": { "/": { "get": { "operationId": "find" } } },
        });
        Operation::of(&document, ADDRESS, "find").unwrap_err()
    };
    let long = json!({ "a": { "default": "x".repeat(1 << 20) } });
    assert!(server(format!("/{}", "{a}".repeat(1000)), long).contains("longer"));
    let chain: Vec<(String, Value)> = (0..40)
        .map(|index| {
            let next = format!("{{a{:02}}}", index + 1);
            (format!("a{index:02}"), json!({ "default": next.repeat(2) }))
        })
        .collect();
    let chain = Value::Object(chain.into_iter().collect());
    assert!(server("/{a00}".to_owned(), chain).contains("longer"));
    assert!(server("/x".repeat(4000), json!({})).contains("longer"));
    let each = |index: usize| json!({ "name": format!("p{index}"), "in": "query" });
    let many: Vec<Value> = (0..50_000).map(each).collect();
    let document = three(json!({ "parameters": many }));
    let reason = Operation::of(&document, ADDRESS, "find").unwrap_err();
    assert!(reason.contains("more than 256"), "{reason}");
}

#[test]
fn references_lead_through_the_description() {
    let document = json!({
        "openapi": "3.0.0",
        "paths": {
            "/homes/{id}": { "$ref": "#/x-paths/one" },
            "/broken": { "$ref": "#/nowhere" },
        },
        "x-paths": { "one": { "get": {
            "operationId": "find",
            "parameters": [ { "$ref": "#/paths/~1other~1%7Bid%7D/parameters/0" } ],
        } } },
    });
    let mut document = document;
    document["paths"]["/other/{id}"] =
        json!({ "parameters": [ { "name": "id", "in": "path", "required": true } ] });
    let request = asked(&document, json!({ "id": 7 })).unwrap();
    assert_eq!(request.uri, "https://homes.example/homes/7");
}
