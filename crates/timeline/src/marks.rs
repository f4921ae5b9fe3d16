//! What shells tell the terminal about themselves.
//!
//! Sources: OSC 133, <https://gitlab.freedesktop.org/Per_Bothner/specifications/blob/master/proposals/semantic-prompts.md>,
//! with kitty's and fish's `cmdline_url`, <https://sw.kovidgoyal.net/kitty/shell-integration/>; OSC 633,
//! <https://code.visualstudio.com/docs/terminal/shell-integration>; OSC 7, which names the directory as a URL; OSC 1337
//! `CurrentDir`, <https://iterm2.com/documentation-escape-codes.html>; OSC 9;9,
//! <https://learn.microsoft.com/windows/terminal/tutorials/new-tab-same-directory>.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mark {
    /// A prompt begins (`A`).
    Prompt,
    /// The prompt has ended, what is typed follows (`B`).
    Input,
    /// What was typed is executed (`C`), and the command line if the mark has it.
    Executed(Option<String>),
    /// The command has ended (`D`), with its exit code if the mark has it.
    Finished(Option<i32>),
    /// The command line that is about to be executed (`E`).
    CommandLine(String),
    /// The working directory.
    Directory(String),
}

impl Mark {
    /// The mark that the parameters of an OSC sequence are.
    pub(crate) fn read(params: &[&[u8]]) -> Option<Self> {
        let (code, rest) = params.split_first()?;
        let mut rest = rest.iter().map(|param| String::from_utf8_lossy(param));
        match *code {
            b"133" => shell(&rest.next()?, rest),
            b"633" => editor(&rest.next()?, rest),
            b"7" => url_path(&joined(rest)).map(Self::Directory),
            b"9" if rest.next()? == "9" => Some(Self::Directory(joined(rest).trim_matches('"').to_owned())),
            b"1337" => joined(rest).strip_prefix("CurrentDir=").map(|path| Self::Directory(path.to_owned())),
            _ => None,
        }
    }
}

/// OSC 133.
fn shell<'p>(kind: &str, options: impl Iterator<Item = Cow<'p, str>>) -> Option<Mark> {
    let mut options = options.peekable();
    match kind {
        // The prompt of a further line of the same input is no new prompt.
        "A" | "N" => (!options.any(|option| option == "k=s" || option == "k=c")).then_some(Mark::Prompt),
        "B" => Some(Mark::Input),
        "C" => {
            let line = options.find_map(|option| {
                let url = option.strip_prefix("cmdline_url=")?;
                Some(percent_decode_str(url).decode_utf8_lossy().into_owned())
            });
            Some(Mark::Executed(line))
        }
        "D" => Some(Mark::Finished(options.next().and_then(|code| code.parse().ok()))),
        _ => None,
    }
}

/// OSC 633.
fn editor<'p>(kind: &str, mut params: impl Iterator<Item = Cow<'p, str>>) -> Option<Mark> {
    match kind {
        "E" => Some(Mark::CommandLine(unescaped(&params.next()?))),
        "P" => joined(params).strip_prefix("Cwd=").map(|path| Mark::Directory(unescaped(path))),
        _ => shell(kind, params),
    }
}

/// Semicolons separate parameters, also where a text holds one.
fn joined<'p>(params: impl Iterator<Item = Cow<'p, str>>) -> String {
    params.collect::<Vec<_>>().join(";")
}

/// The path of `file://host/path`.
fn url_path(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let path = rest.get(rest.find('/')?..)?;
    match scheme {
        "file" => Some(percent_decode_str(path).decode_utf8_lossy().into_owned()),
        "kitty-shell-cwd" => Some(path.to_owned()),
        _ => None,
    }
}

/// OSC 633 writes `\\` for a backslash and `\xAB` for what cannot stand in a sequence.
fn unescaped(text: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        let code = after.strip_prefix('x').and_then(|digits| digits.get(..2));
        if let Some(character) = code.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            out.push(char::from(character));
            rest = after.get(3..).unwrap_or_default();
        } else {
            out.push('\\');
            rest = after.strip_prefix('\\').unwrap_or(after);
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_read() {
        let directory = |path: &str| Some(Mark::Directory(path.to_owned()));
        let cases = [
            ("133;A", Some(Mark::Prompt)),
            ("133;A;k=s", None),
            ("133;A;cl=m;aid=7", Some(Mark::Prompt)),
            ("133;B", Some(Mark::Input)),
            ("133;C", Some(Mark::Executed(None))),
            ("133;C;cmdline_url=ls%20-l%3B%20id", Some(Mark::Executed(Some("ls -l; id".to_owned())))),
            ("133;D", Some(Mark::Finished(None))),
            ("133;D;130", Some(Mark::Finished(Some(130)))),
            ("133;D;-1;aid=3", Some(Mark::Finished(Some(-1)))),
            ("133;D;99999999999", Some(Mark::Finished(None))),
            ("633;D;2", Some(Mark::Finished(Some(2)))),
            (r"633;E;a\x3bb\\n\x", Some(Mark::CommandLine(r"a;b\n\x".to_owned()))),
            (r"633;E;\xé", Some(Mark::CommandLine(r"\xé".to_owned()))),
            ("633;P;Cwd=/var;log", directory("/var;log")),
            ("7;file://web-1/srv/a%20b;c", directory("/srv/a b;c")),
            ("7;file:///", directory("/")),
            ("7;file://web-1", None),
            ("7;https://web-1/x", None),
            ("9;9;\"C:\\Users\"", directory("C:\\Users")),
            ("9;4;1;50", None),
            ("1337;CurrentDir=/srv", directory("/srv")),
            ("1337;File=name=x:AAAA", None),
            ("52;c;AAAA", None),
            ("133", None),
            ("", None),
        ];
        for (text, expected) in cases {
            let params: Vec<&[u8]> = text.split(';').map(str::as_bytes).collect();
            assert_eq!(Mark::read(&params), expected, "{text}");
        }
        assert_eq!(Mark::read(&[]), None);
    }
}
