//! Reading `effect = "..", errors = [..], discloses = [..], pays = "..", resume = .., name = ".."`.

use proc_macro2::Span;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Ident, LitStr, Token, bracketed};

/// The engine refuses longer names and codes.
const WORD_CHARS_MAX: usize = 64;

pub(crate) enum Effect {
    None,
    Keyed,
    AtMostOnce,
}

pub(crate) struct Arguments {
    pub(crate) effect: Effect,
    pub(crate) errors: Vec<LitStr>,
    pub(crate) discloses: Vec<LitStr>,
    /// Where the money that it pays stands in its input, as a JSON pointer.
    pub(crate) pays: Option<LitStr>,
    /// The function that goes on when the answer comes later.
    pub(crate) resume: Option<Ident>,
    pub(crate) name: Option<LitStr>,
}

impl Parse for Arguments {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let (mut effect, mut errors, mut name) = (None, None, None);
        let (mut discloses, mut pays, mut resume) = (None, None, None);
        while !input.is_empty() {
            let key: Ident = input.parse()?;
            input.parse::<Token![=]>()?;
            match key.to_string().as_str() {
                "effect" => once(&key, &mut effect, read_effect(&input.parse()?)?)?,
                "errors" => once(&key, &mut errors, read_errors(input)?)?,
                "discloses" => once(&key, &mut discloses, read_errors(input)?)?,
                "pays" => once(&key, &mut pays, pointer(input.parse()?)?)?,
                "resume" => once(&key, &mut resume, input.parse::<Ident>()?)?,
                "name" => once(&key, &mut name, checked(input.parse()?)?)?,
                other => {
                    let message = format!(
                        "`{other}` is not known here; write effect, errors, discloses, pays, \
                         resume, name"
                    );
                    return Err(syn::Error::new(key.span(), message));
                }
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        let Some(effect) = effect else {
            return Err(syn::Error::new(
                Span::call_site(),
                "say what the function does outside: `effect = \"none\"`, `\"keyed\"` or \
                 `\"at-most-once\"`",
            ));
        };
        if let (Some(pays), Effect::None) = (&pays, &effect) {
            return Err(syn::Error::new(
                pays.span(),
                "a function that pays is \"keyed\" or \"at-most-once\", so that it pays once",
            ));
        }
        Ok(Self {
            effect,
            errors: errors.unwrap_or_default(),
            discloses: discloses.unwrap_or_default(),
            pays,
            resume,
            name,
        })
    }
}

fn once<T>(key: &Ident, slot: &mut Option<T>, value: T) -> syn::Result<()> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(syn::Error::new(
            key.span(),
            format!("`{key}` is given twice"),
        )),
    }
}

fn read_effect(text: &LitStr) -> syn::Result<Effect> {
    match text.value().as_str() {
        "none" => Ok(Effect::None),
        "keyed" => Ok(Effect::Keyed),
        "at-most-once" => Ok(Effect::AtMostOnce),
        _ => Err(syn::Error::new(
            text.span(),
            "an effect is \"none\", \"keyed\" (the remote side acts once per idempotency key) or \
             \"at-most-once\"",
        )),
    }
}

fn read_errors(input: ParseStream<'_>) -> syn::Result<Vec<LitStr>> {
    let content;
    bracketed!(content in input);
    let codes = Punctuated::<LitStr, Token![,]>::parse_terminated(&content)?;
    codes.into_iter().map(checked).collect()
}

fn pointer(text: LitStr) -> syn::Result<LitStr> {
    if text.value().starts_with('/') {
        return Ok(text);
    }
    let message = "write where the money stands in the input, as a JSON pointer: \"/money\"";
    Err(syn::Error::new(text.span(), message))
}

fn checked(word: LitStr) -> syn::Result<LitStr> {
    let text = word.value();
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
    if text.is_empty() || text.len() > WORD_CHARS_MAX || !text.chars().all(plain) {
        let message = "write 1 to 64 of a-z, 0-9, `.`, `_` and `-`";
        return Err(syn::Error::new(word.span(), message));
    }
    Ok(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> String {
        syn::parse_str::<Arguments>(text)
            .err()
            .expect("is wrong")
            .to_string()
    }

    #[test]
    fn mistakes_say_what_to_write() {
        assert!(syn::parse_str::<Arguments>(r#"effect = "keyed", errors = ["a.b-c"],"#).is_ok());
        assert!(message("").starts_with("say what the function does outside"));
        assert!(message(r#"effect = "write""#).starts_with("an effect is"));
        assert!(message(r#"effect = "none", effect = "none""#).contains("given twice"));
        assert!(message(r#"effect = "none", pays = "/money""#).contains("pays once"));
        assert!(message(r#"effect = "keyed", pays = "money""#).contains("JSON pointer"));
        assert!(message(r#"effects = "none""#).contains("not known"));
        assert!(message(r#"effect = "none", errors = ["No"]"#).starts_with("write 1 to 64"));
    }
}
