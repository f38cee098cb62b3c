use crate::delivery::Delivery;
use crate::lock::Lock;
use manyview_core::Progress;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender as Channel, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// How often the record is looked at.
const PAUSE: Duration = Duration::from_secs(1);
/// The longest wait before a server in trouble is tried again.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// How long the end of a run waits for the last events to go.
const LAST: Duration = Duration::from_secs(5);

/// A thread that sends what the record holds, until dropped; dropping waits for it a few seconds.
pub(crate) struct Sender {
    open: Option<Channel<()>>,
    over: Mutex<Receiver<()>>,
    stopped: Stopped,
}

#[derive(Clone, Default)]
struct Stopped(Arc<AtomicBool>);

impl Progress for Stopped {
    fn begin(&self, _: &str, _: u64) {}
    fn advance(&self, _: u64) {}
    fn end(&self) {}
    fn stopped(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Sender {
    /// Starts the thread, which keeps `lock` for as long as it runs.
    pub(crate) fn start(delivery: Delivery, lock: Arc<Lock>) -> std::io::Result<Self> {
        let (open, closed) = channel();
        let (running, over) = channel::<()>();
        let stopped = Stopped::default();
        let progress = stopped.clone();
        let work = move || {
            send(delivery, &closed, &progress);
            drop(lock);
            drop(running);
        };
        thread::Builder::new().name("manyview-track".into()).spawn(work)?;
        Ok(Self { open: Some(open), over: over.into(), stopped })
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        self.open = None;
        // Nothing is ever said on this channel: it closes with the thread.
        self.over.get_mut().unwrap_or_else(PoisonError::into_inner).recv_timeout(LAST).ok();
        self.stopped.0.store(true, Ordering::Relaxed);
    }
}

fn send(mut delivery: Delivery, closed: &Receiver<()>, progress: &dyn Progress) {
    let (mut pause, mut warned) = (Duration::ZERO, false);
    loop {
        let last = closed.recv_timeout(pause) == Err(RecvTimeoutError::Disconnected);
        let mut sent = delivery.deliver(progress);
        if last && sent.is_ok() {
            sent = delivery.retry(progress);
        }
        match sent {
            Ok(()) => pause = PAUSE,
            Err(e) if !warned && !progress.stopped() => {
                tracing::warn!("{e}; the run goes on");
                warned = true;
                pause = PAUSE;
            }
            Err(e) => {
                tracing::debug!("{e}");
                pause = (pause * 2).clamp(PAUSE, LONGEST_PAUSE);
            }
        }
        if last {
            return;
        }
    }
}
