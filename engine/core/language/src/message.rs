//! The text of a message to somebody of a case: `messages/<name>.yaml` of a pack.
//!
//! ```yaml
//! subject: A call from us                # of e-mails and letters
//! text: Please ring us when it suits you. We are there on {day}.
//! language: en
//! data: [day]                            # what stands in it beside the text, and nothing else
//! languages:
//!   vi: { text: 'Xin gọi cho chúng tôi vào {day}.' }
//! ```
//!
//! A text without `data` is the same for every family. What may be sent to whom is decided by
//! `casework`, each time something is sent; colleagues are told a constant, never a text of a pack.

use std::collections::{BTreeMap, BTreeSet};

use crate::Diagnostic;
use crate::diagnostic::{Findings, suggestion};
use crate::yaml::{self, Entry, Fields, Node};

/// Two text messages long: whoever needs to say more rings.
const TEXT_LENGTH_MAX: usize = 320;
const SUBJECT_LENGTH_MAX: usize = 80;
const LANGUAGE_LENGTH_MAX: usize = 35;

/// A checked message.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Message {
    /// The file's name without `.yaml`.
    pub name: String,
    /// Of [`Self::words`].
    pub language: String,
    pub words: Words,
    /// In other languages, by their codes.
    pub languages: BTreeMap<String, Words>,
    /// Names of what stands in it.
    pub data: BTreeSet<String>,
}

/// What is said in one language; `{name}` stands where a value goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    pub subject: Option<String>,
    pub text: String,
}

/// A message as it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filled {
    pub language: String,
    pub subject: Option<String>,
    pub text: String,
}

impl Message {
    /// In this language, or in its own where it has no other. Values are put in once: a value that
    /// looks like a place is no place.
    pub fn filled(&self, language: Option<&str>, data: &BTreeMap<String, String>) -> Filled {
        let found = language.and_then(|code| self.languages.get_key_value(code));
        let (language, words) = match found {
            Some((code, words)) => (code, words),
            None => (&self.language, &self.words),
        };
        Filled {
            language: language.clone(),
            subject: words.subject.as_ref().map(|subject| fill(subject, data)),
            text: fill(&words.text, data),
        }
    }
}

fn fill(text: &str, data: &BTreeMap<String, String>) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let (name, after) = after.split_once('}').unwrap_or((after, ""));
        filled.push_str(data.get(name).map_or("", String::as_str));
        rest = after;
    }
    filled.push_str(rest);
    filled
}

/// Names between braces; the error is what is wrong with the braces.
fn places(text: &str) -> Result<Vec<&str>, &'static str> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        let Some(after) = rest[at..].strip_prefix('{') else {
            return Err("a `}` stands without its `{`");
        };
        let Some((name, after)) = after.split_once('}') else {
            return Err("a `{` stands without its `}`");
        };
        if !is_name(name) {
            return Err("between braces stands a name of letters, digits and `-`");
        }
        found.push(name);
        rest = after;
    }
    Ok(found)
}

fn is_name(name: &str) -> bool {
    name.starts_with(|sign: char| sign.is_ascii_alphabetic())
        && name.len() <= 40
        && name
            .chars()
            .all(|sign| sign.is_ascii_alphanumeric() || sign == '-')
}

fn is_language(code: &str) -> bool {
    let sign = |sign: char| sign.is_ascii_alphanumeric() || sign == '-';
    (2..=LANGUAGE_LENGTH_MAX).contains(&code.len()) && code.chars().all(sign)
}

/// Reads a message; `None` when a diagnostic is an error.
pub(crate) fn read(name: &str, file: &str, text: &str) -> (Option<Message>, Vec<Diagnostic>) {
    let mut findings = Findings::new(file);
    let message = yaml::parse(text, &mut findings).and_then(|root| {
        let mut reader = Reader {
            findings: &mut findings,
            used: BTreeSet::new(),
        };
        reader.message(name, &root)
    });
    let message = message.filter(|_| !findings.has_errors());
    (message, findings.into_list())
}

struct Reader<'f> {
    findings: &'f mut Findings,
    /// Places of all texts.
    used: BTreeSet<String>,
}

impl Reader<'_> {
    fn message(&mut self, name: &str, root: &Node) -> Option<Message> {
        let known = ["subject", "text", "language", "data", "languages"];
        let keys = Fields::open(self.findings, root, root.place, "the message", &known)?;
        let data = match keys.get("data") {
            Some(entry) => self.data(&keys, entry),
            None => BTreeSet::new(),
        };
        let words = self.words(&keys, &data);
        let language = match keys.get("language") {
            Some(entry) => self.language(&keys, entry),
            None => Some("en".to_owned()),
        };
        let mut languages = BTreeMap::new();
        if let Some(entry) = keys.get("languages") {
            self.languages(&keys, entry, &data, &mut languages);
        }
        // Where the words are wrong, what is used in them is not known.
        if let Some(entry) = keys.get("data").filter(|_| words.is_some()) {
            for unused in data.iter().filter(|name| !self.used.contains(*name)) {
                let message = format!("`{unused}` of `data` stands nowhere in the message");
                self.findings
                    .error("CW0481", entry.place(), message)
                    .help(format!("write `{{{unused}}}` into the text, or remove it"));
            }
        }
        Some(Message {
            name: name.to_owned(),
            language: language?,
            words: words?,
            languages,
            data,
        })
    }

    fn data(&mut self, keys: &Fields<'_>, entry: &Entry) -> BTreeSet<String> {
        let Some(items) = entry.value.as_list() else {
            keys.expected(self.findings, entry, "a list of names, such as `[day]`");
            return BTreeSet::new();
        };
        let mut names = BTreeSet::new();
        for item in items {
            if let Some(name) = item.as_text().filter(|name| is_name(name)) {
                names.insert(name.to_owned());
                continue;
            }
            let wanted = "a name of letters, digits and `-`";
            yaml::expected(self.findings, item.place, "a name of `data`", wanted, item);
        }
        names
    }

    fn words(&mut self, keys: &Fields<'_>, data: &BTreeSet<String>) -> Option<Words> {
        let subject = keys
            .get("subject")
            .map(|entry| self.text(keys, entry, SUBJECT_LENGTH_MAX, data));
        let text = keys.required(self.findings, "text", "text: Please ring us");
        let text = text.and_then(|entry| self.text(keys, entry, TEXT_LENGTH_MAX, data));
        Some(Words {
            subject: match subject {
                Some(subject) => Some(subject?),
                None => None,
            },
            text: text?,
        })
    }

    fn text(
        &mut self,
        keys: &Fields<'_>,
        entry: &Entry,
        length_max: usize,
        data: &BTreeSet<String>,
    ) -> Option<String> {
        let text = entry.value.as_text().map(str::trim);
        let Some(text) = text else {
            keys.expected(self.findings, entry, "text");
            return None;
        };
        let key = &entry.key.text;
        let length = text.chars().count();
        let odd = |sign: char| sign.is_control() && sign != '\n';
        if length == 0 || length > length_max || text.contains(odd) {
            let message = format!("`{key}` of {} has {length} characters", keys.owner);
            self.findings
                .error("CW0480", entry.place(), message)
                .help(format!("write 1 to {length_max} characters, without tabs"));
            return None;
        }
        let places = match places(text) {
            Ok(places) => places,
            Err(reason) => {
                let message = format!("`{key}` of {}: {reason}", keys.owner);
                self.findings
                    .error("CW0481", entry.place(), message)
                    .help("write `{day}` for a value that `data` names, and no other braces");
                return None;
            }
        };
        for place in places {
            self.used.insert(place.to_owned());
            if !data.contains(place) {
                let message = format!("`data` of the message does not name `{place}`");
                let known = data.iter().map(String::as_str);
                let none = format!("add `data: [{place}]`: what is sent is only what it names");
                self.findings
                    .error("CW0481", entry.place(), message)
                    .help(suggestion(place, known, &none));
            }
        }
        Some(text.to_owned())
    }

    fn language(&mut self, keys: &Fields<'_>, entry: &Entry) -> Option<String> {
        let code = entry.value.as_text().filter(|code| is_language(code));
        if code.is_none() {
            keys.expected(
                self.findings,
                entry,
                "a short code such as `en` or `zh-Hant`",
            );
        }
        code.map(str::to_owned)
    }

    fn languages(
        &mut self,
        keys: &Fields<'_>,
        entry: &Entry,
        data: &BTreeSet<String>,
        into: &mut BTreeMap<String, Words>,
    ) {
        let Some(entries) = entry.value.as_map() else {
            keys.expected(self.findings, entry, "a map of languages to their texts");
            return;
        };
        for one in entries {
            let code = &one.key.text;
            if !is_language(code) {
                self.findings
                    .error(
                        "CW0482",
                        one.key.place,
                        format!("`{code}` is no code of a language"),
                    )
                    .help("write a short code such as `vi` or `zh-Hant`");
                continue;
            }
            let (owner, known) = (format!("the message in `{code}`"), ["subject", "text"]);
            let fields = Fields::open(self.findings, &one.value, one.key.place, &owner, &known);
            if let Some(words) = fields.and_then(|fields| self.words(&fields, data)) {
                into.insert(code.clone(), words);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> Message {
        let (message, found) = read("hello", "messages/hello.yaml", text);
        message.unwrap_or_else(|| panic!("{found:?}"))
    }

    fn codes(text: &str) -> Vec<&'static str> {
        let (message, found) = read("hello", "messages/hello.yaml", text);
        assert!(message.is_none(), "{text}");
        found.iter().map(|one| one.code).collect()
    }

    #[test]
    fn a_text_is_filled_once_in_the_language_that_is_there() {
        let message = message(
            "text: 'Ring us on {day}, or on {other}.'\ndata: [day, other]\n\
             languages: { vi: { text: 'Goi {day} {other}' } }\n",
        );
        let data = [("day", "{other}"), ("other", "Friday")];
        let data = data.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let data = BTreeMap::from(data);
        let told = message.filled(Some("fr"), &data);
        assert_eq!(told.text, "Ring us on {other}, or on Friday.");
        assert_eq!((told.language.as_str(), told.subject), ("en", None));
        let told = message.filled(Some("vi"), &data);
        assert_eq!(
            (told.text.as_str(), told.language.as_str()),
            ("Goi {other} Friday", "vi")
        );
    }

    #[test]
    fn nothing_stands_in_it_that_it_does_not_name() {
        assert_eq!(codes("text: 'We are there on {day}'"), ["CW0481"]);
        assert_eq!(codes("text: Hello\ndata: [day]"), ["CW0481"]);
        for braces in ["{", "}", "{}", "{a b}", "}{", "{day"] {
            assert_eq!(
                codes(&format!("text: 'a {braces} b'")),
                ["CW0481"],
                "{braces}"
            );
        }
    }

    #[test]
    fn it_is_short_and_says_something() {
        let longest = "x".repeat(TEXT_LENGTH_MAX);
        assert_eq!(message(&format!("text: {longest}")).words.text, longest);
        assert_eq!(codes(&format!("text: {longest}x")), ["CW0480"]);
        assert_eq!(codes("text: '  '"), ["CW0480"]);
        assert_eq!(
            codes("text: Hello\nlanguages: { 'v!': { text: a } }"),
            ["CW0482"]
        );
        assert_eq!(codes("subject: Hello"), ["CW0101"]);
        assert_eq!(codes("text: Hello\nto: Mai"), ["CW0102"]);
    }
}
