use std::time::{Duration, Instant};

use manyview_core::Latency;

use crate::bootstrap::quantile;

const FEWEST: usize = 5;
const MOST: usize = 100_000;

/// Times `call(i)` until `budget` is spent, after `warmup` calls that are not timed: at least 5 timed calls and at
/// most 100,000. `i` counts all calls, the warm-up included.
///
/// ```
/// # use std::time::Duration;
/// let texts = ["a", "b", "c"];
/// let latency = manyview_eval::latency(Duration::from_millis(5), 10, |i| {
///     std::hint::black_box(texts[i % texts.len()].to_uppercase());
///     Ok::<_, std::convert::Infallible>(())
/// })?;
/// assert!(latency.p50 <= latency.p99 && latency.calls >= 5);
/// # Ok::<(), std::convert::Infallible>(())
/// ```
///
/// # Errors
/// The first error of `call`.
pub fn latency<E>(
    budget: Duration,
    warmup: usize,
    mut call: impl FnMut(usize) -> Result<(), E>,
) -> Result<Latency, E> {
    for i in 0..warmup {
        call(i)?;
    }
    let start = Instant::now();
    let mut times = Vec::new();
    while times.len() < FEWEST || (times.len() < MOST && start.elapsed() < budget) {
        let before = Instant::now();
        call(warmup + times.len())?;
        times.push(before.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    let [p50, p95, p99] = [0.5, 0.95, 0.99].map(|q| quantile(&times, q));
    Ok(Latency { p50, p95, p99, calls: times.len() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_budget_five_calls_are_timed_after_the_warm_up() {
        let mut seen = Vec::new();
        let latency = latency(Duration::ZERO, 2, |i| {
            seen.push(i);
            Ok::<_, ()>(())
        });
        assert_eq!(latency.unwrap().calls, 5);
        assert_eq!(seen, [0, 1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn calls_without_cost_stop_at_the_most() {
        let latency = latency(Duration::from_secs(3600), 0, |_| Ok::<_, ()>(())).unwrap();
        assert_eq!(latency.calls, MOST);
        assert!(latency.p50 <= latency.p95 && latency.p95 <= latency.p99);
    }

    #[test]
    fn the_first_error_ends_it() {
        assert_eq!(latency(Duration::ZERO, 0, |i| if i == 3 { Err(i) } else { Ok(()) }), Err(3));
    }
}
