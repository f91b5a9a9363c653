//! Tasks that ask another service without a plugin: what is asked, as whom, and with which secrets.

use casewright_language::UriTemplate;
use casewright_language::workflow::{Authentication, Http, Method, OpenApi};
use serde_json::Value;

use super::{Contact, Fact, Said, Spot, Teller, fact};

impl Teller<'_> {
    pub(super) fn request(&mut self, http: &Http, definition: &Value, spot: &Spot) -> Vec<Fact> {
        let endpoint = definition.pointer("/with/endpoint");
        let endpoint = endpoint.and_then(|found| found.get("uri").or(Some(found)));
        let address = endpoint.and_then(Value::as_str).unwrap_or_default();
        let deed = match http.method {
            Method::Get | Method::Head | Method::Options => "asks for something, changing nothing",
            Method::Post | Method::Put | Method::Patch => "sends something",
            Method::Delete => "has something deleted",
        };
        let said = Said::written(format!("another service; it {deed}:"), address);
        let mut facts = vec![fact("Asks", vec![said])];
        facts.extend(self.asked(address, &[&http.authentication], spot));
        facts
    }

    /// What a service is asked for is said by the service itself, when a run comes to it.
    pub(super) fn operation(
        &mut self,
        openapi: &OpenApi,
        definition: &Value,
        spot: &Spot,
    ) -> Vec<Fact> {
        let endpoint = definition.pointer("/with/document/endpoint");
        let endpoint = endpoint.and_then(|found| found.get("uri").or(Some(found)));
        let address = endpoint.and_then(Value::as_str).unwrap_or_default();
        let said = "another service for something that it describes itself:";
        let mut facts = vec![
            fact("Asks", vec![Said::written(said, &openapi.operation_id)]),
            fact("Described at", vec![Said::written("", address)]),
        ];
        let who = [&openapi.document_authentication, &openapi.authentication];
        facts.extend(self.asked(address, &who, spot));
        facts
    }

    /// Notes who is asked outside, and the secrets that are used for it.
    fn asked(&mut self, address: &str, who: &[&Option<Authentication>], spot: &Spot) -> Vec<Fact> {
        let secrets = who.iter().filter_map(|who| who.as_ref()?.secret.clone());
        let mut secrets: Vec<String> = secrets.collect();
        secrets.dedup();
        let authorities = who
            .iter()
            .filter_map(|who| who.as_ref()?.authority.as_ref());
        let mut facts = Vec::new();
        for authority in authorities.map(UriTemplate::written) {
            facts.push(fact("Token from", vec![Said::written("", &authority)]));
            self.told.contacts.push(Contact::Request {
                address: authority,
                secrets: Vec::new(),
                at: spot.link(),
            });
        }
        let used = |name: &String| fact("Secret used", vec![Said::written("", name)]);
        facts.extend(secrets.iter().map(used));
        self.told.contacts.push(Contact::Request {
            address: address.to_owned(),
            secrets,
            at: spot.link(),
        });
        facts
    }
}
