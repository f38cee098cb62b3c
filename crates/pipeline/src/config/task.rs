use super::{Experiment, Suite};
use crate::{Error, Result};

impl Experiment {
    /// The task: `scores` with the table `[scores]`, `retrieval` with `[retrieval]`, otherwise `views`.
    ///
    /// # Errors
    /// Both tables.
    pub fn task(&self) -> Result<&'static str> {
        match (&self.scores, &self.retrieval) {
            (None, None) => Ok("views"),
            (Some(_), None) => Ok("scores"),
            (None, Some(_)) => Ok("retrieval"),
            (Some(_), Some(_)) => {
                Err(Error::setting("scores", "expected one of [scores] and [retrieval], found both"))
            }
        }
    }
}

impl Suite {
    /// The task of its experiments.
    ///
    /// # Errors
    /// Experiments of more than one task.
    pub fn task(&self) -> Result<&'static str> {
        let mut tasks = self.members().into_iter().map(|(_, experiment)| experiment.task());
        let first = tasks.next().unwrap_or(Ok("views"))?;
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
    fn the_table_says_the_task_and_variants_have_one() {
        let task = |text: &str| Suite::parse(text, "test", &[]).unwrap().task();
        assert_eq!([task("").unwrap(), task("[retrieval]").unwrap()], ["views", "retrieval"]);
        assert!(
            task("[variants.a.scores]\n[variants.b.retrieval]").unwrap_err().to_string().contains("one task")
        );
        assert!(task("[scores]\n[retrieval]").unwrap_err().to_string().contains("found both"));
    }
}
