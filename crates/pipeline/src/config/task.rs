use super::{Experiment, Learning, Suite};
use crate::{Error, Result};

/// What an experiment teaches: which of its tables says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// A view for an instruction, from a teacher's vectors: neither of the tables below.
    Views,
    /// Figures in several dimensions, from an oracle's scores: `[scores]`.
    Scores,
    /// What belongs together, from pairs of texts: `[pairs]`.
    Pairs,
}

impl Experiment {
    fn task(&self) -> Result<Task> {
        match (&self.scores, &self.pairs) {
            (None, None) if self.train.encoder != Learning::Frozen => {
                let found = self.train.encoder.as_str();
                let problem = format!(
                    "expected `frozen` without [pairs] or [scores], found `{found}`; an encoder learns from these"
                );
                Err(Error::setting("train.encoder", problem))
            }
            (None, None) => Ok(Task::Views),
            (Some(_), None) => Ok(Task::Scores),
            (None, Some(_)) => Ok(Task::Pairs),
            (Some(_), Some(_)) => {
                Err(Error::setting("scores", "expected one of [scores] and [pairs], found both"))
            }
        }
    }
}

impl Suite {
    /// What its experiments teach.
    ///
    /// # Errors
    /// Experiments of more than one task.
    pub fn task(&self) -> Result<Task> {
        let mut tasks = self.members().into_iter().map(|(_, experiment)| experiment.task());
        let first = tasks.next().unwrap_or(Ok(Task::Views))?;
        for task in tasks {
            if task? != first {
                return Err(Error::setting("variants", "expected variants of one task, found several"));
            }
        }
        Ok(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encoder_learns_from_pairs_and_from_scores() {
        let task = |text: &str| Suite::parse(text, "test", &[]).unwrap().task();
        let alone = task("train.encoder = \"lora\"").unwrap_err().to_string();
        assert!(alone.starts_with("train.encoder") && alone.contains("`lora`"), "{alone}");
        assert_eq!(task("train.encoder = \"lora\"\n[pairs]").unwrap(), Task::Pairs);
        assert_eq!(task("train.encoder = \"lora\"\n[scores]").unwrap(), Task::Scores);
    }
}
