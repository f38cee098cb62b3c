use crate::args::Track as Command;
use crate::environment::environment;
use crate::progress::Bars;
use crate::stdout::print_line;
use manyview_core::Kind;
use manyview_pipeline::config::Tracking;
use manyview_pipeline::sync_tracking;
use std::path::Path;

/// Runs one `manyview track` command.
pub(crate) fn run(dir: &Path, command: Command, bars: &Bars) -> anyhow::Result<()> {
    let Command::Sync { uri } = command;
    let tracking = Tracking { uri, experiment: None };
    let (mut sent, mut left) = (0, 0);
    let mut refused = Vec::new();
    for (record, synced) in sync_tracking(dir, &tracking, &environment(), bars)? {
        let synced = match synced {
            Ok(synced) => synced,
            Err(e) => {
                refused.push(format!("{}: {e}", record.display()));
                continue;
            }
        };
        if synced.sent + synced.left > 0 {
            print_line(format_args!(
                "{}: {} events sent, {} left",
                record.display(),
                synced.sent,
                synced.left
            ))?;
        }
        (sent, left) = (sent + synced.sent, left + synced.left);
    }
    print_line(format_args!("{sent} events sent, {left} left"))?;
    match refused.is_empty() {
        true => Ok(()),
        false => Err(manyview_core::Error::other(Kind::Network, refused.join("\n")).into()),
    }
}
