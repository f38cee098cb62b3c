/// What may still be spent. Every question under way holds the price of the dearest answer so far.
pub(crate) struct Purse {
    budget: Option<f64>,
    spent: f64,
    held: f64,
    dearest: f64,
}

impl Purse {
    /// A purse of which `spent` is gone, on answers of at most `dearest` each.
    pub(crate) fn new(budget: Option<f64>, spent: f64, dearest: f64) -> Self {
        Self { budget, spent, held: 0.0, dearest }
    }

    /// Holds the price of a question, and gives it; none where it could pass the budget.
    pub(crate) fn reserve(&mut self) -> Option<f64> {
        let after = self.spent + self.held + self.dearest;
        if self.budget.is_some_and(|budget| after > budget || self.spent >= budget) {
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_not_passed_once_a_price_is_known() {
        let mut purse = Purse::new(Some(1.0), 0.5, 0.0);
        let held = purse.reserve().unwrap();
        purse.settle(held, 0.25);
        let held = purse.reserve().unwrap();
        assert_eq!((held, purse.reserve()), (0.25, None), "what is under way counts");
        purse.settle(held, 0.125);
        assert_eq!(purse.reserve(), None);
    }

    #[test]
    fn without_a_budget_everything_goes() {
        let mut purse = Purse::new(None, 1e9, 0.0);
        assert_eq!(purse.reserve(), Some(0.0));
    }
}
