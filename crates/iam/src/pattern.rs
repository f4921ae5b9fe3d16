//! Texts with wildcards and policy variables, compiled once and matched in bounded time.
//!
//! Source: "IAM JSON policy elements: Resource", "Policy variables" in the IAM User Guide.

use crate::context::Context;

/// A text to compare with: literal pieces, wildcards (`*` any run of characters, `?` one), variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern {
    /// As the policy says it.
    text: Box<str>,
    tokens: Box<[Token]>,
    variables: Box<[Variable]>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Literal(Box<str>),
    /// `*`
    Run,
    /// `?`
    One,
    /// The value of the variable with this number.
    Variable(usize),
}

/// `${key}` or `${key, 'default'}`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Variable {
    key: Box<str>,
    default: Option<Box<str>>,
}

/// What has a meaning of its own in a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Syntax {
    /// `*` and `?` are wildcards.
    pub(crate) wildcards: bool,
    /// `${…}` is a variable, from this byte on.
    pub(crate) variables_from: Option<usize>,
}

/// A `${…}` that is not a variable: what was expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct VariableError {
    pub(crate) expected: &'static str,
}

/// How letters compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Case {
    Sensitive,
    /// ASCII letters are equal in both cases.
    Insensitive,
}

/// What a token stands for in one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    Text(&'a str),
    Run,
    One,
}

impl Pattern {
    pub(crate) fn compile(text: &str, syntax: Syntax) -> Result<Self, VariableError> {
        let mut compiler = Compiler::default();
        let mut rest = text;
        while let Some(character) = rest.chars().next() {
            let at = text.len() - rest.len();
            if rest.starts_with("${") && syntax.variables_from.is_some_and(|from| at >= from) {
                rest = compiler.variable(rest)?;
                continue;
            }
            match character {
                '*' if syntax.wildcards => compiler.wildcard(Token::Run),
                '?' if syntax.wildcards => compiler.wildcard(Token::One),
                _ => compiler.literal.push(character),
            }
            rest = &rest[character.len_utf8()..];
        }
        Ok(compiler.finish(text))
    }

    /// With wildcards, without variables.
    pub(crate) fn glob(text: &str) -> Self {
        let mut compiler = Compiler::default();
        for character in text.chars() {
            match character {
                '*' => compiler.wildcard(Token::Run),
                '?' => compiler.wildcard(Token::One),
                _ => compiler.literal.push(character),
            }
        }
        compiler.finish(text)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the whole of `text` is described. A variable without a value describes nothing.
    pub(crate) fn matches(&self, text: &str, case: Case, context: &Context) -> bool {
        if self.variables.is_empty() {
            return matches(self.tokens.len(), |index| self.piece(index, &[]), text, case);
        }
        match self.values(context) {
            Some(values) => matches(self.tokens.len(), |index| self.piece(index, &values), text, case),
            None => false,
        }
    }

    /// The tokens with the variables' values; nothing if one has no value.
    pub(crate) fn pieces<'a>(&'a self, context: &'a Context) -> Option<Vec<Piece<'a>>> {
        let values = self.values(context)?;
        Some((0..self.tokens.len()).map(|index| self.piece(index, &values)).collect())
    }

    /// The keys of its variables.
    pub(crate) fn variables(&self) -> impl Iterator<Item = &str> {
        self.variables.iter().map(|variable| variable.key.as_ref())
    }

    /// Each variable without a value: its key.
    pub(crate) fn unresolved<'a>(&'a self, context: &'a Context) -> impl Iterator<Item = &'a str> {
        self.variables.iter().filter(|variable| variable.value(context).is_none()).map(|v| v.key.as_ref())
    }

    fn values<'a>(&'a self, context: &'a Context) -> Option<Vec<&'a str>> {
        self.variables.iter().map(|variable| variable.value(context)).collect()
    }

    fn piece<'a>(&'a self, index: usize, values: &[&'a str]) -> Piece<'a> {
        match self.tokens.get(index) {
            Some(Token::Literal(text)) => Piece::Text(text),
            Some(Token::Run) => Piece::Run,
            Some(Token::One) => Piece::One,
            Some(Token::Variable(number)) => Piece::Text(values.get(*number).copied().unwrap_or_default()),
            None => Piece::Text(""),
        }
    }
}

impl Variable {
    fn value<'a>(&'a self, context: &'a Context) -> Option<&'a str> {
        match context.get(&self.key) {
            Some(_) => context.single(&self.key),
            None => self.default.as_deref(),
        }
    }
}

#[derive(Default)]
struct Compiler {
    literal: String,
    tokens: Vec<Token>,
    variables: Vec<Variable>,
}

impl Compiler {
    fn wildcard(&mut self, token: Token) {
        self.end_literal();
        // `**` is `*`: one run after another has nothing to do.
        if token != Token::Run || self.tokens.last() != Some(&Token::Run) {
            self.tokens.push(token);
        }
    }

    /// Reads `${…}` at the start of `rest` and gives what follows.
    fn variable<'a>(&mut self, rest: &'a str) -> Result<&'a str, VariableError> {
        let (inside, after) = split_variable(rest)?;
        match inside {
            "*" | "?" | "$" => self.literal.push_str(inside),
            _ => {
                let variable = parse_variable(inside)?;
                self.end_literal();
                self.tokens.push(Token::Variable(self.variables.len()));
                self.variables.push(variable);
            }
        }
        Ok(after)
    }

    fn end_literal(&mut self) {
        if !self.literal.is_empty() {
            self.tokens.push(Token::Literal(std::mem::take(&mut self.literal).into()));
        }
    }

    fn finish(mut self, text: &str) -> Pattern {
        self.end_literal();
        Pattern { text: text.into(), tokens: self.tokens.into(), variables: self.variables.into() }
    }
}

/// Splits `${inside}after`. A brace in a default, which stands in quotes, does not close.
fn split_variable(text: &str) -> Result<(&str, &str), VariableError> {
    let inside = text.get(2..).unwrap_or_default();
    let mut quoted = false;
    for (at, character) in inside.char_indices() {
        match character {
            '\'' => quoted = !quoted,
            '}' if !quoted => return Ok((&inside[..at], &inside[at + 1..])),
            _ => {}
        }
    }
    Err(VariableError { expected: "a closing brace after ${" })
}

fn parse_variable(inside: &str) -> Result<Variable, VariableError> {
    let (key, default) = match inside.split_once(',') {
        None => (inside, None),
        Some((key, default)) => {
            let default = default.trim_matches(' ');
            let text = default.strip_prefix('\'').and_then(|text| text.strip_suffix('\''));
            let text = text.filter(|text| !text.contains('\''));
            (key, Some(text.ok_or(VariableError { expected: "a default in single quotes" })?))
        }
    };
    if key.is_empty() || key.contains(['$', '{', '\'', '*', '?']) || key != key.trim() {
        return Err(VariableError { expected: "the name of a condition key in ${…}" });
    }
    Ok(Variable { key: key.into(), default: default.map(Into::into) })
}

/// Whether `count` pieces describe the whole of `text`.
///
/// Literal text is compared at the leftmost place where it fits. After a mismatch only the last `*` takes one
/// character more: whatever an earlier one could take, the last can take as well. So the time is at most the
/// product of both lengths, for any pattern.
pub(crate) fn matches<'a>(count: usize, piece: impl Fn(usize) -> Piece<'a>, text: &str, case: Case) -> bool {
    let bytes = text.as_bytes();
    let (mut index, mut at) = (0, 0);
    // The piece after the last `*`, and where the text continues that it has not taken yet.
    let mut retry: Option<(usize, usize)> = None;
    loop {
        let fits = if index == count {
            if at == bytes.len() {
                return true;
            }
            None
        } else {
            match piece(index) {
                Piece::Run => {
                    if index + 1 == count {
                        return true;
                    }
                    retry = Some((index + 1, at));
                    Some(0)
                }
                Piece::One => bytes.get(at).map(|first| character_length(*first)),
                Piece::Text(literal) if retry.is_some_and(|(after_run, _)| after_run == index) => {
                    let rest = &bytes[at..];
                    let is_last = index + 1 == count;
                    let found = if is_last {
                        ends(rest, literal, case)
                    } else {
                        find(rest, literal.as_bytes(), case)
                    };
                    // A `*` that cannot reach the text after it: nothing before it helps.
                    let Some(skipped) = found else { return false };
                    at += skipped;
                    retry = Some((index, at));
                    Some(literal.len())
                }
                Piece::Text(literal) => {
                    starts_with(&bytes[at..], literal.as_bytes(), case).then_some(literal.len())
                }
            }
        };
        if let Some(length) = fits {
            index += 1;
            at += length;
            continue;
        }
        let Some((after_run, resume)) = retry else { return false };
        let Some(first) = bytes.get(resume) else { return false };
        let resume = resume + character_length(*first);
        retry = Some((after_run, resume));
        (index, at) = (after_run, resume);
    }
}

fn starts_with(bytes: &[u8], literal: &[u8], case: Case) -> bool {
    bytes.get(..literal.len()).is_some_and(|start| match case {
        Case::Sensitive => start == literal,
        Case::Insensitive => start.eq_ignore_ascii_case(literal),
    })
}

/// Where `literal` starts if `bytes` end with it.
fn ends(bytes: &[u8], literal: &str, case: Case) -> Option<usize> {
    let start = bytes.len().checked_sub(literal.len())?;
    starts_with(&bytes[start..], literal.as_bytes(), case).then_some(start)
}

/// Where `literal` first occurs.
fn find(bytes: &[u8], literal: &[u8], case: Case) -> Option<usize> {
    let Some(first) = literal.first() else { return Some(0) };
    let last = bytes.len().checked_sub(literal.len())?;
    let mut at = 0;
    while at <= last {
        at += match case {
            Case::Sensitive => bytes[at..=last].iter().position(|byte| byte == first)?,
            Case::Insensitive => bytes[at..=last].iter().position(|byte| byte.eq_ignore_ascii_case(first))?,
        };
        if starts_with(&bytes[at..], literal, case) {
            return Some(at);
        }
        at += 1;
    }
    None
}

/// How many bytes of UTF-8 a character has, by its first.
fn character_length(first: u8) -> usize {
    match first {
        0x00..=0xBF => 1,
        0xC0..=0xDF => 2,
        0xE0..=0xEF => 3,
        0xF0..=0xFF => 4,
    }
}
