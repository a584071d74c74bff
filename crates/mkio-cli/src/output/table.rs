//! Tables of text.

use std::io::{self, Write};

use comfy_table::{ContentArrangement, Table, presets::NOTHING};

/// Writes rows in columns; a table that is too wide for the terminal has its cells cut.
pub fn write(
    out: &mut impl Write,
    head: Option<&Vec<String>>,
    rows: &[Vec<String>],
    width: Option<usize>,
) -> io::Result<()> {
    let mut table = Table::new();
    table
        .load_style(NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled);
    if let Some(head) = head {
        table.set_header(head);
    }
    for row in rows {
        table.add_row(row.iter().map(|cell| plain(cell)));
    }
    for line in table.lines() {
        let line = line.trim_end();
        let line = line.strip_prefix(' ').unwrap_or(line);
        match width {
            Some(width) => writeln!(out, "{}", console::truncate_str(line, width, "…"))?,
            None => writeln!(out, "{line}")?,
        }
    }
    Ok(())
}

/// One line, without characters that move the cursor.
pub fn plain(cell: &str) -> String {
    cell.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_columns_of_plain_text() {
        let row = |a: &str, b: &str| vec![a.to_owned(), b.to_owned()];
        let mut out = Vec::new();
        let head = row("NAME", "STATE");
        write(
            &mut out,
            Some(&head),
            &[row("a", "x\u{1b}[2Jy"), row("longer", "")],
            None,
        )
        .unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "NAME    STATE\na       x [2Jy\nlonger\n"
        );
        let mut out = Vec::new();
        write(&mut out, None, &[row("abcdefghij", "klmnopqrst")], Some(12)).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "abcdefghij …\n");
    }
}
