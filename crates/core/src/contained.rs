use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    static CONTAINED: Cell<bool> = const { Cell::new(false) };
}

/// Runs a reader of bytes nobody vouches for: what it returns, or `None` where it panicked, of which nothing is printed.
///
/// Only panics are held, and only those of this thread: a reader must still be given no more than there is memory for.
///
/// ```
/// # use manyview_core::contained;
/// assert_eq!(contained(|| 1 + 1), Some(2));
/// assert_eq!(contained(|| -> u32 { panic!("damaged") }), None);
/// ```
pub fn contained<T>(read: impl FnOnce() -> T) -> Option<T> {
    static HUSHED: Once = Once::new();
    HUSHED.call_once(|| {
        let usual = take_hook();
        set_hook(Box::new(move |panic| {
            if !CONTAINED.get() {
                usual(panic);
            }
        }));
    });
    let outer = CONTAINED.replace(true);
    let done = catch_unwind(AssertUnwindSafe(read));
    CONTAINED.set(outer);
    done.ok()
}
