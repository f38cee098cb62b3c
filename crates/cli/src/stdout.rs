use std::fmt::Display;
use std::io::{self, ErrorKind, Write};

/// Writes a line to standard output. A pipe that its reader has closed is no error; a full disk is one.
pub(crate) fn print_line(line: impl Display) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    match writeln!(out, "{line}").and_then(|()| out.flush()) {
        Err(e) if e.kind() == ErrorKind::BrokenPipe => Ok(()),
        Err(source) => Err(manyview_core::Error::Io { path: "standard output".into(), source }.into()),
        Ok(()) => Ok(()),
    }
}
