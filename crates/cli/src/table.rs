//! Columns of text.

use std::io::{self, Write};

use crate::visible;

/// Prints rows under a header, each column as wide as its widest cell. Control characters are shown as escapes:
/// names come from nodes, which are not trusted to drive the reader's terminal.
pub(crate) fn print<const N: usize>(
    out: &mut dyn Write,
    header: [&str; N],
    rows: &[[String; N]],
) -> io::Result<()> {
    let rows: Vec<[String; N]> = rows.iter().map(|row| row.clone().map(|cell| printable(&cell))).collect();
    let widths: [usize; N] = std::array::from_fn(|column| {
        rows.iter().map(|row| row[column].chars().count()).chain([header[column].len()]).max().unwrap_or(0)
    });
    let mut line = |cells: [&str; N]| {
        let padded: Vec<String> =
            cells.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        writeln!(out, "{}", padded.join("  ").trim_end())
    };
    line(header)?;
    for row in &rows {
        line(std::array::from_fn(|column| row[column].as_str()))?;
    }
    Ok(())
}

fn printable(cell: &str) -> String {
    if cell.is_empty() { "-".to_owned() } else { visible::line(cell).into_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_escapes_stay_visible() {
        let rows = [["mi-1", "web"], ["mi-22", "\x1b[2J"], ["é", ""]].map(|row| row.map(str::to_owned));
        let mut out = Vec::new();
        print(&mut out, ["NODE", "NAME"], &rows).unwrap();
        insta::assert_snapshot!(String::from_utf8(out).unwrap(), @r"
        NODE   NAME
        mi-1   web
        mi-22  \u{1b}[2J
        é      -
        ");
    }
}
