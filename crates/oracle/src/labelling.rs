use crate::budget::Budget;
use crate::ledger::Entry;
use crate::rate_limit::RateLimit;
use crate::{Answer, Error, Failure, Ledger, Oracle, Prices, Question, Result, Totals, Usage};
use manyview_core::{Fingerprint, Progress};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// How an oracle is asked for many texts.
#[derive(Clone, Debug, PartialEq)]
pub struct Labelling {
    /// How often a text is asked about before it goes without an answer.
    pub attempts: u32,
    /// The first wait after a failure; it doubles with every further one.
    pub first_wait: Duration,
    /// The longest wait; an oracle that asks for more ends the labelling.
    pub longest_wait: Duration,
    /// Most questions a minute.
    pub per_minute: Option<f64>,
    /// Questions under way at once.
    pub parallel: usize,
    /// What tokens cost.
    pub prices: Option<Prices>,
    /// The most that all answers in the ledger may cost, with what is reserved for questions that were not answered.
    pub budget: Option<f64>,
    /// Which time the texts are asked about; another round asks for every one again.
    pub round: u32,
}

impl Default for Labelling {
    fn default() -> Self {
        Self {
            attempts: 5,
            first_wait: Duration::from_secs(1),
            longest_wait: Duration::from_secs(120),
            per_minute: None,
            parallel: 1,
            prices: None,
            budget: None,
            round: 1,
        }
    }
}

/// What a labelling came to.
#[derive(Debug)]
pub struct Labelled {
    /// The scores of each question, `[n]` of `[d]`; none where there is no answer.
    pub scores: Vec<Option<Vec<f64>>>,
    /// Why questions have no answer, by their place, but for the error that ended it.
    pub failed: Vec<(usize, Error)>,
    /// Answers that were asked for now, rather than known.
    pub asked: u64,
    /// What the ledger comes to.
    pub totals: Totals,
    /// Why it ended.
    pub ended: Ended,
}

/// Why a labelling ended.
#[derive(Debug)]
#[non_exhaustive]
pub enum Ended {
    /// Every text was asked about.
    Done,
    /// The next question could have passed the budget.
    Budget,
    /// The oracle cannot be asked any more, it has no answer to any text, or the user stopped.
    Error(Error),
}

impl Labelling {
    /// Asks `oracle` every question that `ledger` has no answer to; equal texts once.
    ///
    /// # Errors
    /// [`Error::Setting`] for numbers that cannot be used. What goes wrong later is in [`Labelled::ended`], beside the
    /// answers there are.
    pub fn run(
        &self,
        oracle: &dyn Oracle,
        questions: &[Question],
        ledger: &mut Ledger,
        progress: &dyn Progress,
    ) -> Result<Labelled> {
        self.check()?;
        let fingerprint = oracle.fingerprint();
        let keys: Vec<Fingerprint> =
            questions.iter().map(|q| Ledger::key(&fingerprint, q, self.round)).collect();
        let mut open: Vec<(&Fingerprint, &Question)> = Vec::new();
        let mut places = HashMap::new();
        for (key, question) in keys.iter().zip(questions) {
            if ledger.known(key).is_none() && places.insert(key, open.len()).is_none() {
                open.push((key, question));
            }
        }
        progress.begin("label", open.len() as u64);
        let Totals { cost, reserved, .. } = ledger.totals();
        let budget = Budget::new(self.budget, cost + reserved, ledger.dearest());
        let work = Work {
            labelling: self,
            oracle,
            progress,
            open: &open,
            next: AtomicUsize::new(0),
            over: AtomicBool::new(false),
            rate_limit: RateLimit::new(self.per_minute),
            state: Mutex::new(State {
                ledger,
                budget,
                failed: HashMap::new(),
                in_a_row: 0,
                asked: 0,
                ended: Ended::Done,
            }),
        };
        thread::scope(|scope| {
            (0..self.parallel.min(open.len())).for_each(|_| drop(scope.spawn(|| work.go())));
        });
        progress.end();
        let State { ledger, mut failed, asked, mut ended, .. } =
            work.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        let scores: Vec<_> = keys.iter().map(|key| ledger.known(key).map(<[f64]>::to_vec)).collect();
        let mut failed: Vec<_> =
            keys.iter().enumerate().filter_map(|(place, key)| Some((place, failed.remove(key)?))).collect();
        if matches!(ended, Ended::Done) && !failed.is_empty() && scores.iter().all(Option::is_none) {
            ended = Ended::Error(failed.remove(0).1);
        }
        Ok(Labelled { scores, failed, asked, totals: ledger.totals(), ended })
    }

    fn check(&self) -> Result<()> {
        let positive = |number: f64| number.is_finite() && number > 0.0;
        if self.attempts == 0 || self.parallel == 0 {
            return Err(Error::setting("attempts, parallel", "expected a number from 1, found 0"));
        }
        if let Some(n) = self.per_minute.filter(|n| !positive(*n)) {
            return Err(Error::setting(
                "requests_per_minute",
                format!("expected a number above 0, found {n}"),
            ));
        }
        if let Some(budget) = self.budget {
            if !positive(budget) {
                return Err(Error::setting("budget", format!("expected a sum above 0, found {budget}")));
            }
            if self.prices.is_none() {
                let problem = "expected prices to count by, found none; set input_price and output_price";
                return Err(Error::setting("budget", problem));
            }
        }
        Ok(())
    }

    fn wait(&self, attempt: u32) -> Duration {
        let wait = self.first_wait.saturating_mul(2u32.saturating_pow(attempt.saturating_sub(1)));
        wait.min(self.longest_wait)
    }
}

/// What the threads of a labelling share.
struct Work<'a> {
    labelling: &'a Labelling,
    oracle: &'a dyn Oracle,
    progress: &'a dyn Progress,
    open: &'a [(&'a Fingerprint, &'a Question)],
    next: AtomicUsize,
    over: AtomicBool,
    rate_limit: RateLimit,
    state: Mutex<State<'a>>,
}

struct State<'a> {
    ledger: &'a mut Ledger,
    budget: Budget,
    failed: HashMap<Fingerprint, Error>,
    /// Texts without an answer since the last one with.
    in_a_row: u32,
    asked: u64,
    ended: Ended,
}

impl<'a> Work<'a> {
    /// Texts without an answer, one after the other, after which the rest is not tried.
    const MOST_FAILURES: u32 = 10;

    fn go(&self) {
        while !self.over.load(Ordering::SeqCst) {
            let Some((key, question)) = self.open.get(self.next.fetch_add(1, Ordering::SeqCst)) else {
                return;
            };
            if let Err(ended) = self.one(key, question) {
                let mut state = self.state();
                if !self.over.swap(true, Ordering::SeqCst) {
                    state.ended = ended;
                }
                return;
            }
            self.progress.advance(1);
        }
    }

    /// Asks about one text until there is an answer, or none can be hoped for.
    fn one(&self, key: &Fingerprint, question: &Question) -> Result<(), Ended> {
        let attempts = self.labelling.attempts;
        let mut before = None;
        for attempt in 1..=attempts {
            self.rate_limit.turn(self.progress).map_err(|e| Ended::Error(e.into()))?;
            if self.over.load(Ordering::SeqCst) {
                return Ok(());
            }
            let Some(held) = self.state().budget.hold() else { return Err(Ended::Budget) };
            let answer = self.oracle.ask(question);
            let failure = self.note(key, question, answer, held)?;
            match failure {
                None => return Ok(()),
                Some(Failure::Fatal(error)) => return Err(Ended::Error(error)),
                Some(Failure::Unanswerable(error) | Failure::Declined { error, .. }) => {
                    return self.give_up(key, error);
                }
                Some(Failure::Unusable { error, .. }) => {
                    let said = Some(error.to_string());
                    if attempt == attempts || (self.oracle.repeats_itself() && said == before) {
                        return self.give_up(key, error);
                    }
                    tracing::info!("`{}`, asked again: {error}", question.id);
                    before = said;
                }
                Some(Failure::Retryable { error, .. }) if attempt == attempts => {
                    return Err(Ended::Error(error));
                }
                Some(Failure::Retryable { error, after, .. }) => self.pause(error, after, attempt)?,
            }
        }
        Ok(())
    }

    /// Writes down what came of a question; gives the failure back.
    fn note(
        &self,
        key: &Fingerprint,
        question: &Question,
        answer: Result<Answer, Failure>,
        held: f64,
    ) -> Result<Option<Failure>, Ended> {
        let id = question.id.clone();
        let price = |usage: Option<Usage>| Some(self.labelling.prices?.cost(usage?));
        let mut state = self.state();
        let mut known = true;
        let (entry, failure) = match answer {
            Ok(Answer { scores, usage }) => {
                let cost = price(usage);
                state.budget.settle(held, cost.unwrap_or(0.0));
                (state.in_a_row, state.asked, known) = (0, state.asked + 1, cost.is_some());
                (Some(Entry::Answer { key: key.clone(), id, scores, usage, cost }), None)
            }
            Err(failure @ (Failure::Unusable { .. } | Failure::Declined { .. })) => {
                let (problem, usage) = match &failure {
                    Failure::Unusable { error, usage } | Failure::Declined { error, usage } => {
                        (error.to_string(), *usage)
                    }
                    _ => (String::new(), None),
                };
                let cost = price(usage);
                state.budget.settle(held, cost.unwrap_or(0.0));
                known = cost.is_some();
                (Some(Entry::Unusable { id, problem, usage, cost }), Some(failure))
            }
            Err(Failure::Retryable { error, after, sent: true }) => {
                // Before the first answer there is no price to go by but the largest there can be.
                let largest = || price(self.oracle.largest_usage(question));
                let reserved = Some(held).filter(|held| *held > 0.0).or_else(largest);
                state.budget.reserve(held, reserved.unwrap_or(0.0));
                let entry = Entry::Lost { id, problem: error.to_string(), reserved };
                (Some(entry), Some(Failure::Retryable { error, after, sent: true }))
            }
            Err(failure) => {
                state.budget.settle(held, 0.0);
                (None, Some(failure))
            }
        };
        if let Some(entry) = entry {
            state.ledger.add(entry).map_err(Ended::Error)?;
        }
        if !known && self.labelling.budget.is_some() {
            let problem = "the oracle does not state the `usage` of its answers, so their cost is not known; leave it out";
            return Err(Ended::Error(Error::setting("budget", problem)));
        }
        Ok(failure)
    }

    /// Goes on without an answer to one text, but not to one after the other.
    fn give_up(&self, key: &Fingerprint, error: Error) -> Result<(), Ended> {
        let mut state = self.state();
        state.in_a_row += 1;
        if state.in_a_row >= Self::MOST_FAILURES {
            return Err(Ended::Error(error));
        }
        state.failed.insert(key.clone(), error);
        Ok(())
    }

    /// Keeps every thread from asking for a while.
    fn pause(&self, error: Error, after: Option<Duration>, attempt: u32) -> Result<(), Ended> {
        let wait = after.unwrap_or_default().max(self.labelling.wait(attempt));
        if wait > self.labelling.longest_wait {
            return Err(Ended::Error(error));
        }
        tracing::info!("waiting {:.1} s: {error}", wait.as_secs_f64());
        self.rate_limit.hold(wait);
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State<'a>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
