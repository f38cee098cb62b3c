//! Records a run of 2,500 steps, half of it after a word on standard input, or sends what a server missed of it.
//!
//! `record run DIR URI` and `record sync DIR URI`; a token is taken from `MLFLOW_TRACKING_TOKEN`.

use manyview_core::Quiet;
use manyview_track::{RunInfo, Server, Status, Tracker, sync};
use std::collections::BTreeMap;
use std::error::Error;
use std::io::{Write, stderr, stdin, stdout};
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().with_writer(stderr).init();
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [what, dir, uri] = args.as_slice() else { return Err("expected: run|sync DIR URI".into()) };
    let (dir, mut server) = (Path::new(dir), Server::new(uri)?);
    if let Ok(token) = std::env::var("MLFLOW_TRACKING_TOKEN") {
        server = server.bearer(token);
    }
    let synced = match what.as_str() {
        "run" => run(dir, server)?,
        _ => sync(dir, &server, &Quiet)?,
    };
    writeln!(stdout(), "sent {} left {} skipped {}", synced.sent, synced.left, synced.skipped)?;
    Ok(())
}

fn run(dir: &Path, server: Server) -> Result<manyview_track::Synced, Box<dyn Error>> {
    let param = |i: usize| (format!("views/{i}/penalty"), format!("1e-{i}"));
    let info = RunInfo {
        name: "ridge".into(),
        experiment: "headlines: größe".into(),
        params: (0..150).map(param).collect(),
        tags: [("data.hash".to_owned(), "cc42e8a360be".to_owned())].into(),
    };
    let tracker = Tracker::open(dir, Some(server), info)?;
    let loss = |step: u32| 1.0 / f64::from(step + 3);
    for step in 0..1250 {
        tracker.metric("loss", loss(step), step.into())?;
    }
    writeln!(stdout(), "half of {}", tracker.run())?;
    stdin().read_line(&mut String::new())?;
    for step in 1250..2500 {
        tracker.metric("loss", loss(step), step.into())?;
    }
    tracker.metrics(&BTreeMap::from([("nmi".into(), 0.75), ("gap".into(), f64::NAN)]), 2499)?;
    tracker.params(&[("long".to_owned(), "ü".repeat(7000))].into())?;
    tracker.tag("note", "two\nlines")?;
    std::fs::write(dir.join("report.txt"), "the report")?;
    std::fs::write(dir.join("empty.txt"), "")?;
    std::fs::write(dir.join("large.bin"), vec![7u8; 3 << 20])?;
    tracker.artifact(&dir.join("report.txt"), "pages/größe 1/report.txt")?;
    tracker.artifact(&dir.join("empty.txt"), "empty.txt")?;
    tracker.artifact(&dir.join("large.bin"), "large.bin")?;
    Ok(tracker.finish(Status::Finished)?)
}
