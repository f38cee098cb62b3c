use crate::{Error, Result};
use manyview_core::Kind;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Runs jobs `0..jobs`, `streams` side by side on a thread each; with one stream, one after the other, each on all
/// threads. Gives what they gave, in order.
pub(crate) fn run<T: Send>(
    jobs: usize,
    streams: usize,
    job: impl Fn(usize) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    let streams = streams.min(jobs);
    if streams < 2 {
        return (0..jobs).map(job).collect();
    }
    let next = AtomicUsize::new(0);
    let done: Vec<Mutex<Option<Result<T>>>> = (0..jobs).map(|_| Mutex::new(None)).collect();
    let stream = || {
        while let Some(i) = Some(next.fetch_add(1, Ordering::Relaxed)).filter(|&i| i < jobs) {
            let found = job(i);
            if let Ok(mut slot) = done[i].lock() {
                *slot = Some(found);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..streams {
            scope.spawn(|| match rayon::ThreadPoolBuilder::new().num_threads(1).build() {
                Ok(pool) => pool.install(stream),
                Err(_) => stream(), // no thread to be had: share those there are
            });
        }
    });
    let missing = || Error::Core(manyview_core::Error::other(Kind::Internal, "a batch was lost"));
    done.into_iter().map(|slot| slot.into_inner().ok().flatten().ok_or_else(missing)?).collect()
}
