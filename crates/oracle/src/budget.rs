/// What may still be spent. Every question under way holds the price of the dearest answer so far.
pub(crate) struct Budget {
    limit: Option<f64>,
    spent: f64,
    held: f64,
    dearest: f64,
}

impl Budget {
    /// A budget of which `spent` is gone, on answers of at most `dearest` each.
    pub(crate) fn new(limit: Option<f64>, spent: f64, dearest: f64) -> Self {
        Self { limit, spent, held: 0.0, dearest }
    }

    /// Holds the price of a question, and gives it; none where it could pass the limit.
    pub(crate) fn hold(&mut self) -> Option<f64> {
        let after = self.spent + self.held + self.dearest;
        if self.limit.is_some_and(|limit| after > limit || self.spent >= limit) {
            return None;
        }
        self.held += self.dearest;
        Some(self.dearest)
    }

    /// Pays what an answer cost in place of what was held for it.
    pub(crate) fn settle(&mut self, held: f64, cost: f64) {
        self.held -= held;
        self.spent += cost;
        self.dearest = self.dearest.max(cost);
    }

    /// Sets `price` aside for a question that was sent and not answered, in place of what was held for it: nobody
    /// says what it cost.
    pub(crate) fn reserve(&mut self, held: f64, price: f64) {
        self.held -= held;
        self.spent += price;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_not_passed_once_a_price_is_known() {
        let mut budget = Budget::new(Some(1.0), 0.5, 0.0);
        let held = budget.hold().unwrap();
        budget.settle(held, 0.25);
        let held = budget.hold().unwrap();
        assert_eq!((held, budget.hold()), (0.25, None), "what is under way counts");
        budget.settle(held, 0.125);
        assert_eq!(budget.hold(), None);
    }

    #[test]
    fn what_may_have_been_charged_is_gone_and_is_no_price_of_an_answer() {
        let mut budget = Budget::new(Some(1.0), 0.0, 0.25);
        let held = budget.hold().unwrap();
        budget.reserve(held, 0.75);
        assert_eq!(budget.hold(), Some(0.25));
        assert_eq!(budget.hold(), None);
    }

    #[test]
    fn without_a_limit_everything_goes() {
        let mut budget = Budget::new(None, 1e9, 0.0);
        assert_eq!(budget.hold(), Some(0.0));
    }
}
