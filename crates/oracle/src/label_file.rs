use crate::{Answer, Error, Failure, Oracle, Question};
use manyview_core::Fingerprint;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Labels there are, as an oracle: of people, of an earlier labelling, of another program. They cost nothing.
#[derive(Clone, Debug)]
pub struct LabelFile {
    path: PathBuf,
    scores: BTreeMap<String, Vec<f64>>,
}

impl LabelFile {
    /// The scores of each text by its `id`, `[d]` each; `path` is where they were read from, for errors.
    pub fn new(path: impl Into<PathBuf>, scores: impl IntoIterator<Item = (String, Vec<f64>)>) -> Self {
        Self { path: path.into(), scores: scores.into_iter().collect() }
    }
}

impl Oracle for LabelFile {
    fn fingerprint(&self) -> Fingerprint {
        let labels = self.scores.iter().fold(Fingerprint::builder("label-file/1"), |f, (id, scores)| {
            let bytes: Vec<u8> = scores.iter().flat_map(|score| score.to_bits().to_le_bytes()).collect();
            f.field("id", id.as_bytes()).field("scores", &bytes)
        });
        labels.finish()
    }

    fn ask(&self, question: &Question) -> Result<Answer, Failure> {
        match self.scores.get(&question.id) {
            Some(scores) => Ok(Answer { scores: scores.clone(), usage: None }),
            None => {
                let (path, id) = (self.path.clone(), question.id.clone());
                Err(Failure::Unanswerable(Error::NoLabel { path, id }))
            }
        }
    }
}
