use manyview_core::{Error, Progress};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// When the next question may be asked: so many a minute, and none while the oracle asked to wait.
pub(crate) struct RateLimit {
    interval: Duration,
    next: Mutex<Instant>,
}

impl RateLimit {
    /// At most `per_minute` questions a minute; as many as come without it.
    pub(crate) fn new(per_minute: Option<f64>) -> Self {
        let interval = per_minute.map_or(Duration::ZERO, |n| Duration::from_secs_f64(60.0 / n));
        Self { interval, next: Mutex::new(Instant::now()) }
    }

    /// Waits for a turn.
    ///
    /// # Errors
    /// [`Error::Interrupted`] when `progress` says stop meanwhile.
    pub(crate) fn turn(&self, progress: &dyn Progress) -> Result<(), Error> {
        loop {
            if progress.stopped() {
                return Err(Error::Interrupted);
            }
            let now = Instant::now();
            let wait = {
                let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
                match next.checked_duration_since(now).filter(|wait| !wait.is_zero()) {
                    Some(wait) => wait,
                    None => {
                        *next = now + self.interval;
                        return Ok(());
                    }
                }
            };
            const LOOK: Duration = Duration::from_millis(50); // how often to look whether to stop
            std::thread::sleep(wait.min(LOOK));
        }
    }

    /// Lets nobody have a turn for `wait`.
    pub(crate) fn hold(&self, wait: Duration) {
        let until = Instant::now() + wait;
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        *next = until.max(*next);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use manyview_core::Quiet;

    #[test]
    fn a_turn_comes_no_sooner_than_the_interval() {
        let limit = RateLimit::new(Some(1200.0));
        let began = Instant::now();
        (0..4).for_each(|_| limit.turn(&Quiet).unwrap());
        assert!(began.elapsed() >= Duration::from_millis(150), "three intervals of 50 ms");
    }

    #[test]
    fn a_wait_ends_when_the_user_stops() {
        struct Stopped;
        impl Progress for Stopped {
            fn begin(&self, _: &str, _: u64) {}
            fn advance(&self, _: u64) {}
            fn end(&self) {}
            fn stopped(&self) -> bool {
                true
            }
        }
        let limit = RateLimit::new(None);
        limit.hold(Duration::from_secs(3600));
        assert!(matches!(limit.turn(&Stopped), Err(Error::Interrupted)));
    }
}
