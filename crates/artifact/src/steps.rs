use crate::{Error, Result};
use manyview_core::{Error as CoreError, Progress};
use std::thread::ScopedJoinHandle;

/// Reads the next item while the one before is applied and the one before that is written, in order. What was applied is
/// written, whatever is wrong with what comes after it.
///
/// # Errors
/// The first error of a step; an interruption.
pub(crate) fn in_steps<A: Send, B: Send>(
    items: impl Iterator<Item = Result<A>> + Send,
    mut apply: impl FnMut(A) -> Result<B>,
    mut write: impl FnMut(B) -> Result<()> + Send,
    progress: &dyn Progress,
) -> Result<()> {
    let mut items = items.fuse();
    let (mut item, mut ready, mut broken) = (items.next().transpose()?, None, None);
    while item.is_some() || ready.is_some() {
        if progress.stopped() {
            ready.take().map_or(Ok(()), &mut write)?;
            return Err(CoreError::Interrupted.into());
        }
        let (read, applied, written) = std::thread::scope(|scope| {
            let reading = item.is_some().then(|| scope.spawn(|| items.next().transpose()));
            let writing = ready.take().map(|ready| scope.spawn(|| write(ready)));
            let applied = item.take().map(&mut apply);
            (reading.map(ended), applied, writing.map(ended))
        });
        written.unwrap_or(Ok(()))?;
        ready = applied.transpose()?;
        item = read.unwrap_or(Ok(None)).unwrap_or_else(|e: Error| {
            broken = Some(e);
            None
        });
    }
    broken.map_or(Ok(()), Err)
}

/// What a thread gave.
fn ended<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}
