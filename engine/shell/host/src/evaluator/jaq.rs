//! jaq itself: compiles programs, keeps the compiled ones, and turns results into JSON.
//!
//! Without the filters that reach outside: environment, clock, further input, printing, halting,
//! the local time zone.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};

use jaq_core::data::JustLut;
use jaq_core::load::parse::Def;
use jaq_core::load::{self, Arena, File, Loader};
use jaq_core::native::Fun;
use jaq_core::{Compiler, Ctx, Native, Vars, compile, unwrap_valr};
use jaq_json::{Num, Val};
use serde_json::{Map, Number, Value};

use super::frame::{self, Asked};
use super::limit::Clock;
use super::{Program, Results};

type Data = JustLut<Val>;
type Filter = compile::Filter<Native<Data>>;

/// What does not exist here, natively or by definition.
const ABSENT: [&str; 16] = [
    "debug",
    "debug_empty",
    "env",
    "halt",
    "halt_error",
    "input",
    "input_filename",
    "input_line_number",
    "inputs",
    "localtime",
    "modulemeta",
    "now",
    "stderr",
    "stderr_empty",
    "strflocaltime",
    "get_search_list",
];

/// Longest program, helpers included.
const TEXT_BYTES_MAX: usize = 16 << 10;
/// How deep brackets of a program may be.
const TEXT_DEPTH_MAX: usize = 128;
/// Largest result, counted as texts with their quotes and 8 for each number.
const RESULT_BYTES_MAX: usize = 1 << 20;
/// Deepest result.
const RESULT_DEPTH_MAX: usize = 100;
/// How many compiled programs are kept; each takes about 100 KiB.
const KEPT_MAX: usize = 64;

/// Runs a program in this very process, without any bound on time or memory: for the evaluator
/// process, and for tests that compare with it.
pub fn run(program: &Program) -> Results {
    match Asked::of(program) {
        Ok(asked) => Kept::default().answer(asked),
        Err(sentence) => Results::Failed(sentence),
    }
}

/// Answers requests until there are none.
pub(super) fn serve(
    clock: &mut Clock,
    from: &mut impl Read,
    to: &mut impl Write,
) -> io::Result<()> {
    let mut kept = Kept::default();
    while let Some(asked) = frame::asked(from)? {
        clock.start();
        let results = match asked {
            Ok(asked) => kept.answer(asked),
            Err(sentence) => Results::Failed(sentence),
        };
        to.write_all(&frame::answer(results, clock.stop()?)?)?;
        to.flush()?;
    }
    Ok(())
}

/// Compiled programs by text and names of variables.
#[derive(Default)]
struct Kept(BTreeMap<(String, Vec<String>), Filter>);

impl Kept {
    fn answer(&mut self, asked: Asked) -> Results {
        let (names, values): (Vec<String>, Vec<Val>) = asked.variables.into_iter().unzip();
        let key = (asked.text, names);
        if !self.0.contains_key(&key) {
            let filter = match compiled(&key.0, &key.1) {
                Ok(filter) => filter,
                Err(sentence) => return Results::Failed(sentence),
            };
            if self.0.len() >= KEPT_MAX {
                self.0.clear();
            }
            self.0.insert(key.clone(), filter);
        }
        if asked.check {
            return Results::None;
        }
        self.0
            .get(&key)
            .map_or(Results::None, |filter| results(filter, values, asked.input))
    }
}

fn results(filter: &Filter, variables: Vec<Val>, input: Val) -> Results {
    let context = Ctx::<Data>::new(&filter.lut, Vars::new(variables));
    let mut outcomes = filter.id.run((context, input)).map(unwrap_valr);
    let first = match outcomes.next() {
        None => return Results::None,
        Some(Ok(first)) => first,
        Some(Err(error)) => return Results::Failed(sentence(error)),
    };
    match outcomes.next() {
        None => {}
        Some(Ok(_)) => return Results::Many,
        Some(Err(error)) => return Results::Failed(sentence(error)),
    }
    let mut left = RESULT_BYTES_MAX;
    match json(&first, RESULT_DEPTH_MAX, &mut left) {
        Ok(value) => Results::One(value),
        Err(sentence) => Results::Failed(sentence),
    }
}

fn definitions() -> impl Iterator<Item = Def<&'static str>> {
    jaq_core::defs()
        .chain(jaq_std::defs())
        .chain(jaq_json::defs())
        .filter(|definition| !ABSENT.contains(&definition.name))
}

fn functions() -> impl Iterator<Item = Fun<Data>> {
    jaq_core::funs::<Data>()
        .chain(jaq_std::funs::<Data>())
        .chain(jaq_json::funs::<Data>())
        .filter(|(name, ..)| !ABSENT.contains(name))
}

fn compiled(text: &str, variables: &[String]) -> Result<Filter, String> {
    bounded(text)?;
    let arena = Arena::default();
    let file = File {
        code: text,
        path: (),
    };
    let modules = Loader::new(definitions())
        .load(&arena, file)
        .map_err(|errors| load_sentence(&errors))?;
    let names: Vec<String> = variables.iter().map(|name| format!("${name}")).collect();
    Compiler::default()
        .with_funs(functions())
        .with_global_vars(names.iter().map(String::as_str))
        .compile(modules)
        .map_err(|errors| compile_sentence(&errors))
}

/// The parser recurses over brackets without a bound of its own.
fn bounded(text: &str) -> Result<(), String> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(format!(
            "the expression is longer than {TEXT_BYTES_MAX} bytes"
        ));
    }
    let mut depth = 0_usize;
    for byte in text.bytes() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > TEXT_DEPTH_MAX {
            return Err(format!(
                "the expression is nested more than {TEXT_DEPTH_MAX} deep"
            ));
        }
    }
    Ok(())
}

fn load_sentence(errors: &load::Errors<&str, ()>) -> String {
    let found = |rest: &str| match rest.chars().next() {
        None => "the end".to_owned(),
        Some(_) => format!("`{}`", rest.chars().take(20).collect::<String>()),
    };
    for (_, error) in errors {
        match error {
            load::Error::Io(_) => return "modules do not exist in expressions".to_owned(),
            load::Error::Lex(errors) => {
                if let Some((expected, rest)) = errors.first() {
                    return format!("expected {}, found {}", expected.as_str(), found(rest));
                }
            }
            load::Error::Parse(errors) => {
                if let Some((expected, rest)) = errors.first() {
                    return format!("expected {}, found {}", expected.as_str(), found(rest));
                }
            }
        }
    }
    "the expression cannot be read".to_owned()
}

fn compile_sentence(errors: &compile::Errors<&str, ()>) -> String {
    let first = errors.iter().find_map(|(_, errors)| errors.first());
    match first {
        None => "the expression cannot be compiled".to_owned(),
        Some((name, compile::Undefined::Filter(count))) => match count {
            0 => format!("there is no function `{name}`"),
            1 => format!("there is no function `{name}` with 1 argument"),
            _ => format!("there is no function `{name}` with {count} arguments"),
        },
        Some((name, undefined)) => format!("there is no {} `{name}`", undefined.as_str()),
    }
}

/// What went wrong, without the values that jaq quotes: they are people's data.
fn sentence(error: jaq_json::Error) -> String {
    let Val::TStr(text) = error.into_val() else {
        return "`error` was called with something that is not text".to_owned();
    };
    let text = String::from_utf8_lossy(&text);
    let kind = |text: &str| {
        text.rsplit(" as ")
            .next()
            .filter(|kind| kind.len() < 40)
            .map(str::to_owned)
    };
    if text.starts_with("cannot use ") {
        return match kind(&text) {
            Some(kind) => format!("expected {kind}, found a value of another kind"),
            None => "found a value of another kind than expected".to_owned(),
        };
    }
    for (prefix, sentence) in [
        (
            "cannot index ",
            "cannot look that up in a value of this kind",
        ),
        (
            "cannot calculate ",
            "cannot calculate with values of these kinds",
        ),
        (
            "invalid path expression",
            "this is not a path that can be changed",
        ),
        ("cannot parse ", "the text cannot be read as asked"),
        ("cannot convert ", "the value cannot be converted to bytes"),
        ("index ", "the index is outside of the array"),
    ] {
        if text.starts_with(prefix) {
            return sentence.to_owned();
        }
    }
    if text.ends_with(" has no length") {
        return "a boolean has no length".to_owned();
    }
    text.chars().take(200).collect()
}

/// A result as JSON; the error is a sentence.
fn json(value: &Val, depth: usize, left: &mut usize) -> Result<Value, String> {
    let deeper = || {
        depth
            .checked_sub(1)
            .ok_or_else(|| format!("the result is nested more than {RESULT_DEPTH_MAX} deep"))
    };
    Ok(match value {
        Val::Null => {
            spend(left, 4)?;
            Value::Null
        }
        Val::Bool(value) => {
            spend(left, 4)?;
            Value::Bool(*value)
        }
        Val::Num(number) => {
            spend(left, 8)?;
            Value::Number(figure(number)?)
        }
        Val::TStr(text) => {
            spend(left, text.len() + 2)?;
            Value::String(String::from_utf8_lossy(text).into_owned())
        }
        Val::BStr(_) => return Err("the result holds bytes, which JSON does not have".to_owned()),
        Val::Arr(items) => {
            spend(left, 2 + items.len())?;
            let depth = deeper()?;
            items
                .iter()
                .map(|item| json(item, depth, left))
                .collect::<Result<_, _>>()?
        }
        Val::Obj(members) => {
            spend(left, 2)?;
            let depth = deeper()?;
            let mut object = Map::new();
            for (key, member) in members.iter() {
                let Val::TStr(key) = key else {
                    return Err("the result has a key that is not text".to_owned());
                };
                spend(left, key.len() + 4)?;
                let key = String::from_utf8_lossy(key).into_owned();
                object.insert(key, json(member, depth, left)?);
            }
            Value::Object(object)
        }
    })
}

fn spend(left: &mut usize, bytes: usize) -> Result<(), String> {
    *left = left
        .checked_sub(bytes)
        .ok_or("the result is larger than 1 MiB")?;
    Ok(())
}

fn figure(number: &Num) -> Result<Number, String> {
    let float = |number: f64| {
        Number::from_f64(number).ok_or_else(|| {
            "the result is not a finite number: it is too large, or divided by zero".to_owned()
        })
    };
    match number {
        Num::Int(whole) => Ok(Number::from(*whole)),
        Num::BigInt(whole) => whole
            .to_string()
            .parse()
            .ok()
            .and_then(Number::from_i128)
            .ok_or_else(|| "the result is a whole number too large to be kept exactly".to_owned()),
        Num::Float(number) => float(*number),
        Num::Dec(text) => float(text.parse().unwrap_or(f64::NAN)),
    }
}
