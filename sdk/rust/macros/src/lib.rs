//! The attribute `#[function]` of `casewright-sdk`. Use it from there; this crate exists because
//! attributes must live in a crate of their own.

mod arguments;
mod docs;
mod expand;

use proc_macro::TokenStream;
use syn::{ItemFn, parse_macro_input};

use crate::arguments::Arguments;

/// Makes a function of a plugin out of a Rust function.
///
/// ```ignore
/// /// Pays a supplier once.
/// #[function(effect = "keyed", errors = ["declined", "conflict"])]
/// fn pay(context: &Context, input: Payment) -> Result<Receipt, Error> { .. }
/// ```
///
/// - `effect`: `"none"`, `"keyed"` (the remote side acts once per idempotency key) or
///   `"at-most-once"`. There is no default: whether a step may be repeated is worth a thought.
/// - `errors`: codes of the business errors it gives; workflows may branch on them.
/// - `pays`: where the money that it pays stands in its input, as a JSON pointer (`"/money"`). The
///   engine sends such a call only as far as an approval in the same run bears it.
/// - `discloses`: what it hands to others about people, in a few words each, for the agency.
/// - `resume`: a function `(context: &Context, state: YourState, reason: Reason)` that goes on when
///   the answer comes later; both then answer `Result<Outcome<YourType>, Error>`.
/// - `name`: the name in workflows; without it the function's own, with hyphens for underscores.
///
/// The first paragraph of the doc comment is the title, the rest the description. The function
/// itself stays as it is and can be called from tests.
#[proc_macro_attribute]
pub fn function(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let arguments = parse_macro_input!(arguments as Arguments);
    let function = parse_macro_input!(item as ItemFn);
    expand::expand(&arguments, &function)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}
