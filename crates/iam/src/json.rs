//! JSON with the place of every value, read strictly: no repeated names, no deep nesting, nothing after the end.
//!
//! Source: RFC 8259. The general reader of the workspace keeps no positions and takes the last of repeated names,
//! where an error must name the place and two readers of one policy must not see different statements.

use crate::error::{Fault, Reason};

/// How deep a document nests at most. A policy needs seven levels: document, statements, statement, condition,
/// operator, key, value.
pub(crate) const DEPTH_MAX: usize = 16;

/// A value and where it stands, in bytes from the start of the document.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) value: Value,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

#[derive(Debug)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    /// The digits as they were written.
    Number(String),
    String(String),
    Array(Vec<Node>),
    Object(Vec<Member>),
}

#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) name_start: usize,
    pub(crate) node: Node,
}

impl Node {
    /// What this is, for messages.
    pub(crate) fn description(&self) -> String {
        match &self.value {
            Value::Null => "null".to_owned(),
            Value::Bool(value) => value.to_string(),
            Value::Number(digits) => format!("the number {digits}"),
            Value::String(text) => format!("{text:?}"),
            Value::Array(nodes) if nodes.is_empty() => "an empty list".to_owned(),
            Value::Array(_) => "a list".to_owned(),
            Value::Object(_) => "an object".to_owned(),
        }
    }

    /// The JSON pointer (RFC 6901) of the value that starts, or whose name starts, at `offset`.
    pub(crate) fn pointer(&self, offset: usize) -> String {
        let mut pointer = String::new();
        let mut node = self;
        while node.start != offset {
            let next = match &node.value {
                Value::Array(nodes) => nodes
                    .iter()
                    .enumerate()
                    .find(|(_, child)| (child.start..child.end).contains(&offset))
                    .map(|(index, child)| (index.to_string(), child, false)),
                Value::Object(members) => members
                    .iter()
                    .find(|member| (member.name_start..member.node.end).contains(&offset))
                    .map(|member| (escaped(&member.name), &member.node, member.name_start == offset)),
                _ => None,
            };
            let Some((segment, child, at_name)) = next else { break };
            pointer.push('/');
            pointer.push_str(&segment);
            node = child;
            if at_name {
                break;
            }
        }
        pointer
    }
}

fn escaped(segment: &str) -> String {
    segment.replace('~', "~0").replace('/', "~1")
}

/// Reads a document. A fault carries the pointer of the value in which it lies.
pub(crate) fn parse(text: &str) -> Result<Node, Fault> {
    let mut reader = Reader { text, at: 0, path: Vec::new() };
    let result = reader.document();
    result.map_err(|mut fault| {
        fault.pointer = Some(reader.path.iter().flat_map(|segment| ["/", segment]).collect());
        fault
    })
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    /// Escaped segments of the pointer to the value being read.
    path: Vec<String>,
}

impl Reader<'_> {
    fn document(&mut self) -> Result<Node, Fault> {
        let node = self.value()?;
        self.skip_space();
        if self.at < self.text.len() {
            return Err(self.expected("the end of the document"));
        }
        Ok(node)
    }

    fn value(&mut self) -> Result<Node, Fault> {
        self.skip_space();
        let start = self.at;
        let value = match self.peek() {
            Some(b'{') => self.nested(Self::object)?,
            Some(b'[') => self.nested(Self::array)?,
            Some(b'"') => Value::String(self.string()?),
            Some(b'-' | b'0'..=b'9') => Value::Number(self.number()?),
            Some(b't') => self.word("true", Value::Bool(true))?,
            Some(b'f') => self.word("false", Value::Bool(false))?,
            Some(b'n') => self.word("null", Value::Null)?,
            _ => return Err(self.expected("a JSON value")),
        };
        Ok(Node { value, start, end: self.at })
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<Value, Fault>) -> Result<Value, Fault> {
        // The path has a segment for each level that is open.
        if self.path.len() >= DEPTH_MAX {
            return Err(Fault::new(self.at, Reason::TooDeep { max: DEPTH_MAX }));
        }
        self.at += 1;
        read(self)
    }

    fn object(&mut self) -> Result<Value, Fault> {
        let mut members: Vec<Member> = Vec::new();
        self.skip_space();
        if self.take(b'}') {
            return Ok(Value::Object(members));
        }
        loop {
            self.skip_space();
            let name_start = self.at;
            if self.peek() != Some(b'"') {
                return Err(self.expected("a name in quotes"));
            }
            let name = self.string()?;
            self.path.push(escaped(&name));
            if members.iter().any(|member| member.name == name) {
                return Err(Fault::new(name_start, Reason::DuplicateName { name }));
            }
            self.skip_space();
            if !self.take(b':') {
                return Err(self.expected("`:`"));
            }
            let node = self.value()?;
            self.path.pop();
            members.push(Member { name, name_start, node });
            self.skip_space();
            if self.take(b'}') {
                return Ok(Value::Object(members));
            }
            if !self.take(b',') {
                return Err(self.expected("`,` or `}`"));
            }
        }
    }

    fn array(&mut self) -> Result<Value, Fault> {
        let mut nodes = Vec::new();
        self.skip_space();
        if self.take(b']') {
            return Ok(Value::Array(nodes));
        }
        loop {
            self.path.push(nodes.len().to_string());
            let node = self.value()?;
            self.path.pop();
            nodes.push(node);
            self.skip_space();
            if self.take(b']') {
                return Ok(Value::Array(nodes));
            }
            if !self.take(b',') {
                return Err(self.expected("`,` or `]`"));
            }
        }
    }

    fn string(&mut self) -> Result<String, Fault> {
        self.at += 1;
        let mut value = String::new();
        loop {
            let rest = self.rest();
            let plain = rest.find(|c: char| c == '"' || c == '\\' || c < ' ').unwrap_or(rest.len());
            value.push_str(&rest[..plain]);
            self.at += plain;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(value);
                }
                Some(b'\\') => value.push(self.escape()?),
                Some(_) => return Err(self.expected("no control character in a string")),
                None => return Err(self.expected("the closing quote of a string")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, Fault> {
        let start = self.at;
        self.at += 1;
        let letter = self.peek();
        self.at += 1;
        let character = match letter {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode_escape(start),
            _ => {
                self.at = start;
                return Err(self.expected("an escape sequence of JSON"));
            }
        };
        Ok(character)
    }

    fn unicode_escape(&mut self, start: usize) -> Result<char, Fault> {
        let first = self.four_digits();
        let character = match first {
            Some(high @ 0xD800..=0xDBFF) if self.rest().starts_with("\\u") => {
                self.at += 2;
                match self.four_digits() {
                    Some(low @ 0xDC00..=0xDFFF) => {
                        char::from_u32(0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00))
                    }
                    _ => None,
                }
            }
            Some(unit) => char::from_u32(unit),
            None => None,
        };
        character.ok_or_else(|| {
            self.at = start;
            self.expected("four hexadecimal digits of a Unicode character")
        })
    }

    fn four_digits(&mut self) -> Option<u32> {
        let digits = self.rest().get(..4)?;
        let all_digits = digits.bytes().all(|b| b.is_ascii_hexdigit());
        let value = all_digits.then(|| u32::from_str_radix(digits, 16).ok())??;
        self.at += 4;
        Some(value)
    }

    fn number(&mut self) -> Result<String, Fault> {
        let start = self.at;
        self.take(b'-');
        let leading_zero = self.peek() == Some(b'0');
        let integer = self.digits();
        let mut whole = integer > 0 && (integer == 1 || !leading_zero);
        if self.take(b'.') {
            whole &= self.digits() > 0;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            whole &= self.digits() > 0;
        }
        if !whole {
            self.at = start;
            return Err(self.expected("a number as JSON writes it"));
        }
        Ok(self.text[start..self.at].to_owned())
    }

    fn digits(&mut self) -> usize {
        let count = self.rest().bytes().take_while(u8::is_ascii_digit).count();
        self.at += count;
        count
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Value, Fault> {
        if !self.rest().starts_with(word) {
            return Err(self.expected("a JSON value"));
        }
        self.at += word.len();
        Ok(value)
    }

    fn skip_space(&mut self) {
        self.at += self.rest().bytes().take_while(|b| matches!(b, b' ' | b'\t' | b'\n' | b'\r')).count();
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        if found {
            self.at += 1;
        }
        found
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn expected(&self, expected: &'static str) -> Fault {
        let found = match self.rest().chars().next() {
            Some(character) => format!("{character:?}"),
            None => "the end of the document".to_owned(),
        };
        Fault::new(self.at, Reason::Syntax { expected, found })
    }
}
