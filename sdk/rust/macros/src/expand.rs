//! The function as it was, and beside it a type of the same name that describes it.

use proc_macro2::TokenStream;
use quote::quote;
use syn::spanned::Spanned;
use syn::{
    FnArg, GenericArgument, ItemFn, PathArguments, ReturnType, Signature, Type, TypeReference,
};

use crate::arguments::{Arguments, Effect};
use crate::docs;

pub(crate) fn expand(arguments: &Arguments, function: &ItemFn) -> syn::Result<TokenStream> {
    let signature = &function.sig;
    plain(signature)?;
    let input = input(signature)?;
    let output = output(signature, arguments.resume.is_some())?;
    let docs = docs::read(&function.attrs);
    if docs.title.is_empty() {
        let message = "write a doc comment: its first paragraph is the title people see";
        return Err(syn::Error::new(signature.ident.span(), message));
    }
    let (title, description) = (docs.title, docs.description);
    let ident = &signature.ident;
    let visibility = &function.vis;
    let name = match &arguments.name {
        Some(name) => name.value(),
        None => ident.to_string().trim_start_matches("r#").replace('_', "-"),
    };
    let effect = match arguments.effect {
        Effect::None => quote!(None),
        Effect::Keyed => quote!(Keyed),
        Effect::AtMostOnce => quote!(AtMostOnce),
    };
    let (errors, discloses) = (&arguments.errors, &arguments.discloses);
    let pays = arguments.pays.as_ref().map_or_else(
        || quote!(::core::option::Option::None),
        |pays| quote!(::core::option::Option::Some(#pays)),
    );
    let resumes = arguments.resume.is_some();
    let (answered, resume) = match &arguments.resume {
        None => (
            quote!(#ident(context, input).map(::casewright_sdk::Outcome::Done)),
            None,
        ),
        Some(go_on) => (
            quote!(#ident(context, input)),
            Some(quote! {
                fn resume(
                    context: &::casewright_sdk::Context,
                    state: &str,
                    reason: ::casewright_sdk::Reason,
                ) -> ::core::result::Result<
                    ::casewright_sdk::Outcome<Self::Output>,
                    ::casewright_sdk::Error,
                > {
                    ::casewright_sdk::__private::resume_with(#go_on, context, state, reason)
                }
            }),
        ),
    };
    Ok(quote! {
        #function

        // A type may share its name with a function; `plugin!(name)` finds this one.
        #[doc(hidden)]
        #[allow(non_camel_case_types, reason = "named after the function it describes")]
        #visibility enum #ident {}

        impl ::casewright_sdk::Function for #ident {
            const NAME: &'static str = #name;
            const TITLE: &'static str = #title;
            const DESCRIPTION: &'static str = #description;
            const EFFECT: ::casewright_sdk::Effect = ::casewright_sdk::Effect::#effect;
            const RESUMES: bool = #resumes;
            const DISCLOSES: &'static [&'static str] = &[#(#discloses),*];
            const PAYS: ::core::option::Option<&'static str> = #pays;
            const ERRORS: &'static [&'static str] = &[#(#errors),*];
            type Input = #input;
            type Output = #output;

            fn call(
                context: &::casewright_sdk::Context,
                input: Self::Input,
            ) -> ::core::result::Result<
                ::casewright_sdk::Outcome<Self::Output>,
                ::casewright_sdk::Error,
            > {
                #answered
            }

            #resume
        }
    })
}

fn plain(signature: &Signature) -> syn::Result<()> {
    if let Some(word) = &signature.asyncness {
        let message = "a function of a plugin is not async: requests wait by themselves";
        return Err(syn::Error::new(word.span(), message));
    }
    if !signature.generics.params.is_empty() {
        let message = "a function of a plugin has no generic parameters";
        return Err(syn::Error::new(signature.generics.span(), message));
    }
    Ok(())
}

fn input(signature: &Signature) -> syn::Result<&Type> {
    let mut arguments = signature.inputs.iter();
    let parameters = (arguments.next(), arguments.next(), arguments.next());
    if let (Some(FnArg::Typed(context)), Some(FnArg::Typed(input)), None) = parameters
        && let Type::Reference(TypeReference {
            mutability: None, ..
        }) = &*context.ty
    {
        return Ok(&input.ty);
    }
    let message = "write two parameters: `context: &Context, input: YourType`";
    Err(syn::Error::new(signature.inputs.span(), message))
}

fn output(signature: &Signature, resumes: bool) -> syn::Result<&Type> {
    let answer = match &signature.output {
        ReturnType::Type(_, answer) => inner(answer, "Result"),
        ReturnType::Default => None,
    };
    let output = match answer {
        Some(answer) if resumes => inner(answer, "Outcome"),
        answer => answer,
    };
    if let Some(output) = output {
        return Ok(output);
    }
    let message = if resumes {
        "write the answer as `Result<Outcome<YourType>, Error>`: it may come later"
    } else {
        "write the answer as `Result<YourType, Error>`"
    };
    Err(syn::Error::new(signature.output.span(), message))
}

/// `T` of `Name<T, ..>`.
fn inner<'a>(around: &'a Type, name: &str) -> Option<&'a Type> {
    let Type::Path(path) = around else {
        return None;
    };
    let last = path.path.segments.last()?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else {
        return None;
    };
    match arguments.args.first()? {
        GenericArgument::Type(inner) if last.ident == name => Some(inner),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(function: &str) -> syn::Result<String> {
        let arguments = syn::parse_str(r#"effect = "none""#)?;
        expand(&arguments, &syn::parse_str(function)?).map(|tokens| tokens.to_string())
    }

    fn message(function: &str) -> String {
        expanded(function).expect_err("is wrong").to_string()
    }

    #[test]
    fn names_and_titles_come_from_the_function() {
        let text = expanded(
            "/// Sends a\n/// referral.\n///\n/// At once.\n\
             fn send_it(context: &Context, input: A) -> Result<B, Error> {}",
        )
        .unwrap();
        for part in [r#""send-it""#, r#""Sends a referral""#, r#""At once.""#] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }

    #[test]
    fn a_function_that_resumes_answers_an_outcome() {
        let expanded = |function: &str| {
            let arguments = syn::parse_str(r#"effect = "keyed", resume = go_on"#).unwrap();
            let tokens = expand(&arguments, &syn::parse_str(function).unwrap());
            tokens.map(|tokens| tokens.to_string())
        };
        let text =
            expanded("/// T\nfn f(c: &Context, i: A) -> Result<Outcome<B>, Error> {}").unwrap();
        assert!(text.contains("RESUMES : bool = true") && text.contains("type Output = B"));
        let error = expanded("/// T\nfn f(c: &Context, i: A) -> Result<B, Error> {}");
        assert!(error.unwrap_err().to_string().contains("Outcome<YourType>"));
    }

    #[test]
    fn other_shapes_are_refused_with_what_to_write() {
        let cases = [
            (
                "fn f(c: &Context, i: A) -> Result<B, Error> {}",
                "write a doc comment",
            ),
            (
                "/// T\nfn f(i: A) -> Result<B, Error> {}",
                "write two parameters",
            ),
            (
                "/// T\nfn f(c: Context, i: A) -> Result<B, Error> {}",
                "write two parameters",
            ),
            ("/// T\nfn f(c: &Context, i: A) -> B {}", "write the answer"),
            (
                "/// T\nasync fn f(c: &Context, i: A) -> Result<B, Error> {}",
                "not async",
            ),
            (
                "/// T\nfn f<T>(c: &Context, i: T) -> Result<B, Error> {}",
                "generic",
            ),
        ];
        for (function, expected) in cases {
            assert!(message(function).contains(expected), "{function}");
        }
    }
}
