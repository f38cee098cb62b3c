use crate::Result;
use std::sync::mpsc::sync_channel;

/// Items made before the one at work is done.
const LEAD: usize = 2;

/// Makes items `0..count` one after the other on a thread of its own and gives them to `work` in order, so that the next
/// ones are made meanwhile: at most [`LEAD`] wait. A single one is made here.
pub(crate) fn run<T: Send>(
    count: usize,
    make: impl Fn(usize) -> Result<T> + Sync,
    mut work: impl FnMut(usize, T) -> Result<()>,
) -> Result<()> {
    if count < 2 {
        return (0..count).try_for_each(|i| work(i, make(i)?));
    }
    std::thread::scope(|scope| {
        let (made, next) = sync_channel(LEAD);
        let make = &make;
        scope.spawn(move || {
            let wanted = |i| made.send(make(i)).is_ok(); // no longer once `work` has failed
            (0..count).all(wanted)
        });
        next.into_iter().enumerate().try_for_each(|(i, item)| work(i, item?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn refused() -> Error {
        Error::Setting { setting: "item", problem: "refused".into() }
    }

    #[test]
    fn items_come_in_order_and_each_once() {
        for count in [0, 1, 2, 50] {
            let mut seen = Vec::new();
            let work = |i, item| {
                seen.push((i, item));
                Ok(())
            };
            run(count, |i| Ok(2 * i), work).unwrap();
            assert_eq!(seen, (0..count).map(|i| (i, 2 * i)).collect::<Vec<_>>());
        }
    }

    #[test]
    fn items_are_made_while_the_first_is_at_work() {
        let made = AtomicUsize::new(0);
        let work = |i, _| {
            while i == 0 && made.load(Ordering::SeqCst) < 3 {
                std::thread::yield_now(); // for ever, if nothing were made ahead
            }
            Ok(())
        };
        run(3, |_| Ok(made.fetch_add(1, Ordering::SeqCst)), work).unwrap();
    }

    #[test]
    fn an_item_that_cannot_be_made_ends_it_there() {
        let mut seen = Vec::new();
        let work = |_, item| {
            seen.push(item);
            Ok(())
        };
        assert!(run(100, |i| if i == 3 { Err(refused()) } else { Ok(i) }, work).is_err());
        assert_eq!(seen, [0, 1, 2]);
    }

    #[test]
    fn nothing_is_made_for_long_after_the_work_has_failed() {
        let made = AtomicUsize::new(0);
        let make = |_| Ok(made.fetch_add(1, Ordering::SeqCst));
        assert!(run(1000, make, |_, _| Err(refused())).is_err());
        assert!(made.load(Ordering::SeqCst) <= 2 + LEAD, "{made:?}");
    }
}
