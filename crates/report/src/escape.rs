/// Text for an HTML element or a quoted attribute. Control characters HTML forbids become U+FFFD.
pub(crate) fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\t' | '\n' | '\r' => out.push(c),
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// Text for one line of Markdown, in a table or outside; nothing in it is markup.
pub(crate) fn markdown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in line(text).chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out
}

/// Text as one line: runs of white space and control characters become one space.
pub(crate) fn line(text: &str) -> String {
    text.split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|w| !w.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// The first `limit` characters of a text, as one line, with an ellipsis where something was cut.
pub(crate) fn short(text: &str, limit: usize) -> String {
    // Only as much of a long text is read as can be shown.
    let line = line(&text.chars().take(limit * 4).collect::<String>());
    if line.chars().count() <= limit && text.chars().nth(limit * 4).is_none() {
        return line;
    }
    line.chars().take(limit.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_becomes_markup() {
        assert_eq!(
            html("<a href='x'>\"&\u{0}\u{1b}[31m"),
            "&lt;a href=&#39;x&#39;&gt;&quot;&amp;\u{fffd}\u{fffd}[31m"
        );
        assert_eq!(markdown("a|b\n<i> *c*"), "a\\|b &lt;i&gt; \\*c\\*");
    }

    #[test]
    fn a_terminal_is_never_sent_an_escape_sequence() {
        assert_eq!(line("a\u{1b}[2Jb\r\n c\u{9b}"), "a [2Jb c");
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!(short("déjà vu", 7), "déjà vu");
        assert_eq!(short("déjà vu!", 7), "déjà v…");
        assert_eq!(short(&" ".repeat(100), 7), "…");
    }
}
