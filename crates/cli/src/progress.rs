use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use manyview_core::Progress;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tracing_subscriber::fmt::MakeWriter;

/// Progress bars on a terminal only; the job stops when the user interrupts it.
#[derive(Clone)]
pub(crate) struct Bars {
    bars: MultiProgress,
    current: Arc<Mutex<Option<ProgressBar>>>,
    stop: Arc<AtomicBool>,
}

impl Bars {
    /// Bars on standard error, hidden if it is not a terminal or with `quiet`. The first interrupt asks the job to
    /// stop between two parts; the second ends the process.
    pub(crate) fn new(quiet: bool) -> anyhow::Result<Self> {
        let target = if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let stop = Arc::new(AtomicBool::new(false));
        let asked = stop.clone();
        ctrlc::set_handler(move || {
            if asked.swap(true, Ordering::SeqCst) {
                std::process::exit(manyview_core::Kind::Interrupted.exit_code().into());
            }
        })?;
        Ok(Self { bars: MultiProgress::with_draw_target(target), current: Arc::default(), stop })
    }

    fn with_current(&self, f: impl FnOnce(&mut Option<ProgressBar>)) {
        if let Ok(mut current) = self.current.lock() {
            f(&mut current);
        }
    }
}

impl Progress for Bars {
    fn begin(&self, stage: &str, total: u64) {
        let template = "{msg:>10} [{bar:30}] {human_pos}/{human_len} {per_sec:.dim} {eta} left";
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = self.bars.add(ProgressBar::new(total).with_style(style.progress_chars("=> ")));
        bar.set_message(stage.to_string());
        bar.enable_steady_tick(Duration::from_millis(200));
        self.with_current(|current| {
            if let Some(old) = current.replace(bar) {
                old.finish_and_clear();
            }
        });
    }

    fn advance(&self, by: u64) {
        self.with_current(|current| {
            if let Some(bar) = current {
                bar.inc(by);
            }
        });
    }

    fn end(&self) {
        self.with_current(|current| {
            if let Some(bar) = current.take() {
                bar.finish_and_clear();
            }
        });
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }
}

/// Prints log lines above the bars.
pub(crate) struct Above(MultiProgress);

impl Write for Above {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.suspend(|| io::stderr().write_all(line)).map(|()| line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

impl<'a> MakeWriter<'a> for Bars {
    type Writer = Above;

    fn make_writer(&'a self) -> Above {
        Above(self.bars.clone())
    }
}
