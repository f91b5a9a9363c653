//! The template of `casewright plugin new` compiles and passes its own test, as it stands.

#[expect(
    clippy::needless_pass_by_value,
    reason = "a function of a plugin takes its input so"
)]
#[path = "../template/lib.rs"]
mod template;

#[test]
fn the_template_describes_itself() {
    let description = template::PLUGIN.description();
    let function = &description["functions"][0];
    assert_eq!(function["name"], "days-left");
    assert_eq!(
        function["title"],
        "Says how many days an offer still stands"
    );
    assert_eq!(
        function["input"]["required"],
        serde_json::json!(["today", "standsUntil"])
    );
    assert_eq!(function["input"]["additionalProperties"], false);
}
