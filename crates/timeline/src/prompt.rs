//! Prompts, of shells that do not mark them.

/// Longer ones are none.
const CHARS_MAX: usize = 200;

/// Whether what stands before the cursor looks like the prompt of a shell. Those of interpreters (`>>> `, `mysql> `) are
/// none: what is typed there is input of the command that runs.
pub(crate) fn is_prompt(text: &str) -> bool {
    if text.chars().nth(CHARS_MAX).is_some() {
        return false;
    }
    let body = text.strip_suffix(' ').unwrap_or(text);
    let mut characters = body.chars().rev();
    let (last, before) = (characters.next(), characters.next());
    match last {
        // 50% is a progress.
        Some('%') => text.ends_with(' ') && !before.is_some_and(|before| before.is_ascii_digit()),
        Some('$' | '#' | '❯' | '➜' | 'λ') => text.ends_with(' '),
        // PowerShell, cmd, and fish.
        Some('>') => {
            body.starts_with("PS ") || is_drive(body) || (body.contains('@') && body.split(' ').count() <= 2)
        }
        _ => false,
    }
}

/// `C:\…`.
fn is_drive(text: &str) -> bool {
    let mut characters = text.chars();
    characters.next().is_some_and(|letter| letter.is_ascii_uppercase())
        && (characters.next(), characters.next()) == (Some(':'), Some('\\'))
}

/// What stands behind the prompt in a line that was entered. `None`: the line does not begin with it.
pub(crate) fn typed<'l>(line: &'l str, prompt: &str) -> Option<&'l str> {
    // The space at the end of a prompt is not in a line that is empty but for it.
    let typed = line.strip_prefix(prompt).or_else(|| (line == prompt.trim_end()).then_some(""))?.trim();
    // Given up by Ctrl-C.
    Some(if typed.ends_with("^C") { "" } else { typed })
}

/// What of a line is no prompt: for a shell that says when a command begins, and not where.
pub(crate) fn behind_prompt(line: &str) -> &str {
    let mut ends = line.char_indices().filter(|(_, character)| *character == ' ').map(|(index, _)| index + 1);
    let end = ends.find(|end| line.get(..*end).is_some_and(is_prompt));
    end.and_then(|end| line.get(end..)).unwrap_or(line).trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompts_are_told_from_other_text() {
        for prompt in [
            "$ ",
            "# ",
            "root@web-1:/# ",
            "user@host:~/src$ ",
            "~ % ",
            "❯ ",
            "PS C:\\> ",
            "C:\\Users>",
            "u@h ~/x> ",
        ] {
            assert!(is_prompt(prompt), "{prompt:?}");
        }
        let long = format!("{}$ ", "x".repeat(CHARS_MAX));
        for other in ["", " ", "$", "50% ", "Password: ", ">>> ", "mysql> ", "user@host:~$ ls", "> ", &long] {
            assert!(!is_prompt(other), "{other:?}");
        }
    }

    #[test]
    fn what_was_typed_stands_behind_the_prompt() {
        assert_eq!(typed("$ ls -l", "$ "), Some("ls -l"));
        assert_eq!(typed("$", "$ "), Some(""));
        assert_eq!(typed("$ rm -r^C", "$ "), Some(""));
        assert_eq!(typed("ls", "$ "), None);
        assert_eq!(behind_prompt("u@h:~$ echo $ x"), "echo $ x");
        assert_eq!(behind_prompt("no prompt"), "no prompt");
    }
}
