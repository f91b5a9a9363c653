//! From a schema document to nodes that check, with everything unknown refused.

use std::collections::BTreeMap;

use regex::{Regex, RegexBuilder};
use serde_json::{Map, Number, Value};

use super::format::{self, Format, Known};
use super::{COST_MAX, DEPTH_MAX, PATTERN_BYTES_MAX, Violation};

pub(super) type NodeId = usize;

/// One subschema.
#[derive(Debug, Default)]
pub(super) struct Node {
    /// `false`: accepts nothing.
    pub(super) refused: bool,
    pub(super) kinds: Option<Vec<Kind>>,
    pub(super) values: Option<Vec<Value>>,
    pub(super) constant: Option<Value>,
    pub(super) properties: BTreeMap<String, NodeId>,
    pub(super) required: Vec<String>,
    pub(super) others: Option<NodeId>,
    pub(super) items: Option<NodeId>,
    pub(super) items_min: Option<u64>,
    pub(super) items_max: Option<u64>,
    pub(super) unique: bool,
    pub(super) length_min: Option<u64>,
    pub(super) length_max: Option<u64>,
    pub(super) bounds: Vec<(Bound, Number)>,
    pub(super) multiple_of: Option<u64>,
    pub(super) pattern: Option<Regex>,
    pub(super) format: Option<Format>,
    pub(super) all: Vec<NodeId>,
    pub(super) any: Vec<NodeId>,
    pub(super) one: Vec<NodeId>,
    pub(super) condition: Option<NodeId>,
    pub(super) then: Option<NodeId>,
    pub(super) otherwise: Option<NodeId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Null,
    Boolean,
    Integer,
    Number,
    Text,
    Array,
    Object,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bound {
    Minimum,
    Maximum,
    Above,
    Below,
}

/// All nodes of a document; the root is the first.
pub(super) fn compile(document: &Value) -> Result<Vec<Node>, Violation> {
    let mut compiler = Compiler {
        document,
        nodes: Vec::new(),
        known: BTreeMap::new(),
    };
    compiler.node("", document, 0)?;
    for name in ["$defs", "definitions"] {
        let Some(definitions) = document.get(name) else {
            continue;
        };
        let pointer = format!("/{name}");
        for (key, definition) in object(&pointer, definitions)? {
            compiler.node(&under(&pointer, key), definition, 1)?;
        }
    }
    compiler.bound_cost()?;
    Ok(compiler.nodes)
}

fn refuse<T>(pointer: &str, message: impl Into<String>) -> Result<T, Violation> {
    Err(Violation {
        pointer: pointer.to_owned(),
        message: message.into(),
    })
}

/// The pointer of a member.
pub(super) fn under(pointer: &str, key: &str) -> String {
    format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"))
}

fn object<'d>(pointer: &str, value: &'d Value) -> Result<&'d Map<String, Value>, Violation> {
    match value {
        Value::Object(members) => Ok(members),
        _ => refuse(pointer, "expected an object"),
    }
}

fn list<'d>(pointer: &str, value: &'d Value) -> Result<&'d Vec<Value>, Violation> {
    match value {
        Value::Array(items) if !items.is_empty() => Ok(items),
        _ => refuse(pointer, "expected a list with at least one element"),
    }
}

fn count(pointer: &str, value: &Value) -> Result<u64, Violation> {
    match value.as_u64() {
        Some(count) => Ok(count),
        None => refuse(pointer, "expected a whole number from 0"),
    }
}

struct Compiler<'d> {
    document: &'d Value,
    nodes: Vec<Node>,
    /// Nodes by pointer, so that a definition is compiled once.
    known: BTreeMap<String, NodeId>,
}

impl<'d> Compiler<'d> {
    fn node(
        &mut self,
        pointer: &str,
        schema: &'d Value,
        depth: usize,
    ) -> Result<NodeId, Violation> {
        if let Some(id) = self.known.get(pointer) {
            return Ok(*id);
        }
        if depth > DEPTH_MAX {
            return refuse(
                pointer,
                format!("the schema is nested more than {DEPTH_MAX} deep"),
            );
        }
        if self.nodes.len() >= COST_MAX {
            return refuse(pointer, "the schema is too large");
        }
        let id = self.nodes.len();
        self.nodes.push(Node::default());
        self.known.insert(pointer.to_owned(), id);
        match schema {
            Value::Bool(accepts) => self.nodes[id].refused = !accepts,
            Value::Object(keywords) => {
                for (keyword, value) in keywords {
                    self.keyword(id, pointer, keyword, value, depth)?;
                }
            }
            _ => return refuse(pointer, "a schema is an object, `true` or `false`"),
        }
        Ok(id)
    }

    fn keyword(
        &mut self,
        id: NodeId,
        parent: &str,
        keyword: &str,
        value: &'d Value,
        depth: usize,
    ) -> Result<(), Violation> {
        let pointer = under(parent, keyword);
        let at = pointer.as_str();
        match keyword {
            "title" | "description" | "default" | "examples" | "$comment" | "readOnly"
            | "writeOnly" | "deprecated" => {}
            "$schema" | "$id" | "$defs" | "definitions" if parent.is_empty() => {}
            "$defs" | "definitions" => {
                return refuse(at, "definitions stand at the top of the schema");
            }
            "type" => self.nodes[id].kinds = Some(kinds(at, value)?),
            "enum" => self.nodes[id].values = Some(list(at, value)?.clone()),
            "const" => self.nodes[id].constant = Some(value.clone()),
            "properties" => {
                for (name, schema) in object(at, value)? {
                    let property = self.node(&under(at, name), schema, depth + 1)?;
                    self.nodes[id].properties.insert(name.clone(), property);
                }
            }
            "required" => self.nodes[id].required = names(at, value)?,
            "additionalProperties" => {
                let others = self.node(at, value, depth + 1)?;
                self.nodes[id].others = Some(others);
            }
            "items" => {
                let items = self.node(at, value, depth + 1)?;
                self.nodes[id].items = Some(items);
            }
            "minItems" => self.nodes[id].items_min = Some(count(at, value)?),
            "maxItems" => self.nodes[id].items_max = Some(count(at, value)?),
            "minLength" => self.nodes[id].length_min = Some(count(at, value)?),
            "maxLength" => self.nodes[id].length_max = Some(count(at, value)?),
            "uniqueItems" => match value {
                Value::Bool(unique) => self.nodes[id].unique = *unique,
                _ => return refuse(at, "expected true or false"),
            },
            "minimum" => self.bound(id, at, Bound::Minimum, value)?,
            "maximum" => self.bound(id, at, Bound::Maximum, value)?,
            "exclusiveMinimum" => self.bound(id, at, Bound::Above, value)?,
            "exclusiveMaximum" => self.bound(id, at, Bound::Below, value)?,
            "multipleOf" => match value.as_u64() {
                Some(divisor) if divisor > 0 => self.nodes[id].multiple_of = Some(divisor),
                _ => return refuse(at, "only whole numbers from 1 divide without rounding"),
            },
            "pattern" => self.nodes[id].pattern = Some(pattern(at, value)?),
            "format" => match value.as_str().map(format::named) {
                Some(Some(Known::Checked(format))) => self.nodes[id].format = Some(format),
                Some(Some(Known::Annotation)) => {}
                _ => {
                    return refuse(
                        at,
                        "this format is not checked here; use `date`, `date-time`, `email`, \
                         `uuid`, or `pattern`",
                    );
                }
            },
            "allOf" => {
                let all = self.nodes_of(at, value, depth)?;
                self.nodes[id].all.extend(all);
            }
            "anyOf" => self.nodes[id].any = self.nodes_of(at, value, depth)?,
            "oneOf" => self.nodes[id].one = self.nodes_of(at, value, depth)?,
            "if" => self.nodes[id].condition = Some(self.node(at, value, depth + 1)?),
            "then" => self.nodes[id].then = Some(self.node(at, value, depth + 1)?),
            "else" => self.nodes[id].otherwise = Some(self.node(at, value, depth + 1)?),
            "$ref" => {
                let target = self.reference(at, value)?;
                self.nodes[id].all.push(target);
            }
            _ if keyword.starts_with("x-") => {}
            _ => return refuse(at, unknown(keyword)),
        }
        Ok(())
    }

    fn nodes_of(
        &mut self,
        pointer: &str,
        value: &'d Value,
        depth: usize,
    ) -> Result<Vec<NodeId>, Violation> {
        list(pointer, value)?
            .iter()
            .enumerate()
            .map(|(index, schema)| self.node(&format!("{pointer}/{index}"), schema, depth + 1))
            .collect()
    }

    fn bound(
        &mut self,
        id: NodeId,
        pointer: &str,
        bound: Bound,
        value: &Value,
    ) -> Result<(), Violation> {
        match value {
            Value::Number(limit) => self.nodes[id].bounds.push((bound, limit.clone())),
            _ => return refuse(pointer, "expected a number"),
        }
        Ok(())
    }

    fn reference(&mut self, pointer: &str, value: &Value) -> Result<NodeId, Violation> {
        let local = value
            .as_str()
            .and_then(|reference| reference.strip_prefix('#'))
            .filter(|target| target.starts_with("/$defs/") || target.starts_with("/definitions/"));
        let Some(target) = local else {
            return refuse(
                pointer,
                "only references to this schema's own `#/$defs/...` are followed",
            );
        };
        match self.document.pointer(target) {
            Some(schema) => self.node(target, schema, 1),
            None => refuse(pointer, format!("there is no `{target}` in this schema")),
        }
    }

    /// Refuses recursion, and schemas that unfold beyond bounds: `allOf` over references can
    /// double the work with every line.
    fn bound_cost(&self) -> Result<(), Violation> {
        let mut costs = vec![Cost::Unknown; self.nodes.len()];
        for id in 0..self.nodes.len() {
            self.cost(id, &mut costs, 0)?;
        }
        Ok(())
    }

    fn cost(&self, id: NodeId, costs: &mut [Cost], depth: usize) -> Result<usize, Violation> {
        match costs[id] {
            Cost::Known(cost) => return Ok(cost),
            Cost::Open => {
                return refuse(
                    self.pointer(id),
                    "the schema refers to itself, so that a value may be endlessly deep; write \
                     out as many levels as are needed",
                );
            }
            Cost::Unknown => costs[id] = Cost::Open,
        }
        // References make the tree deeper than the document is.
        if depth > 4 * DEPTH_MAX {
            return refuse(self.pointer(id), "references lead too deep");
        }
        let node = &self.nodes[id];
        let children = node
            .properties
            .values()
            .chain(&node.others)
            .chain(&node.items)
            .chain(&node.all)
            .chain(&node.any)
            .chain(&node.one)
            .chain(&node.condition)
            .chain(&node.then)
            .chain(&node.otherwise);
        let mut total = 1_usize;
        for child in children {
            total = total.saturating_add(self.cost(*child, costs, depth + 1)?);
        }
        if total > COST_MAX {
            return refuse(
                self.pointer(id),
                format!(
                    "with all references followed the schema has more than {COST_MAX} parts; \
                     make it smaller"
                ),
            );
        }
        costs[id] = Cost::Known(total);
        Ok(total)
    }

    fn pointer(&self, id: NodeId) -> &str {
        self.known
            .iter()
            .find(|(_, known)| **known == id)
            .map_or("", |(pointer, _)| pointer)
    }
}

#[derive(Clone, Copy)]
enum Cost {
    Unknown,
    Open,
    Known(usize),
}

fn kinds(pointer: &str, value: &Value) -> Result<Vec<Kind>, Violation> {
    let named = |value: &Value| {
        Some(match value.as_str()? {
            "null" => Kind::Null,
            "boolean" => Kind::Boolean,
            "integer" => Kind::Integer,
            "number" => Kind::Number,
            "string" => Kind::Text,
            "array" => Kind::Array,
            "object" => Kind::Object,
            _ => return None,
        })
    };
    let kinds: Option<Vec<Kind>> = match value {
        Value::Array(names) if !names.is_empty() => names.iter().map(named).collect(),
        name => named(name).map(|kind| vec![kind]),
    };
    match kinds {
        Some(kinds) => Ok(kinds),
        None => refuse(
            pointer,
            "a type is one of null, boolean, integer, number, string, array, object, or a list of \
             these",
        ),
    }
}

fn names(pointer: &str, value: &Value) -> Result<Vec<String>, Violation> {
    let names: Option<Vec<String>> = value.as_array().and_then(|names| {
        names
            .iter()
            .map(|name| name.as_str().map(str::to_owned))
            .collect()
    });
    match names {
        Some(names) => Ok(names),
        None => refuse(pointer, "expected a list of names"),
    }
}

fn pattern(pointer: &str, value: &Value) -> Result<Regex, Violation> {
    let Some(source) = value.as_str() else {
        return refuse(pointer, "expected a text");
    };
    if source.len() > PATTERN_BYTES_MAX {
        return refuse(
            pointer,
            format!("a pattern has at most {PATTERN_BYTES_MAX} bytes"),
        );
    }
    match RegexBuilder::new(source)
        .size_limit(1 << 18)
        .dfa_size_limit(1 << 18)
        .build()
    {
        Ok(pattern) => Ok(pattern),
        Err(regex::Error::CompiledTooBig(_)) => refuse(pointer, "the pattern is too large"),
        Err(_) => refuse(
            pointer,
            "this is not a pattern that runs in linear time; look-around and back-references do \
             not exist, and brackets must be closed",
        ),
    }
}

fn unknown(keyword: &str) -> String {
    let reason = match keyword {
        "not" => "say what is allowed instead",
        "prefixItems" => "give the values names in an object",
        "contains" | "minContains" | "maxContains" => "describe all items with `items`",
        "patternProperties" | "propertyNames" | "unevaluatedProperties" | "unevaluatedItems" => {
            "use `additionalProperties`"
        }
        "dependentRequired" | "dependentSchemas" | "dependencies" => "use `if` and `then`",
        "minProperties" | "maxProperties" => "name the members in `required`",
        "$anchor" | "$dynamicRef" | "$dynamicAnchor" | "$recursiveRef" => {
            "use `$ref` with `#/$defs/...`"
        }
        "$schema" | "$id" => "it stands at the top of the schema",
        _ => "keywords of one's own begin with `x-`",
    };
    format!("`{keyword}` is not understood here; {reason}")
}
