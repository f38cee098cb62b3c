use crate::numbers::{count, counted, duration};
use manyview_core::{Estimate, Latency, Summary};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Everything that was measured of one view; `metrics.json` is this, as JSON. Absent figures are `null`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ViewsMetrics {
    /// Name of the corpus.
    pub dataset: String,
    /// Name of the encoder.
    pub encoder: String,
    /// The encoder's fingerprint.
    pub encoder_fingerprint: String,
    /// What to look for in a text.
    pub instruction: String,
    /// Whether the view is the vectors of the fine-tuned encoder, not an adapter's; absent where it is not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fine_tuned: bool,
    /// Which teacher: `instructed`, `answers`, `names` or `vectors`.
    pub teacher: String,
    /// The column the views are scored against.
    pub label: String,
    /// Number of distinct labels among the test texts: the `k` of k-means.
    pub classes: usize,
    /// Texts the adapter was fitted on.
    pub n_train: usize,
    /// Texts held back for choosing, or unused.
    pub n_val: usize,
    /// Texts the scores are from.
    pub n_test: usize,
    /// Scores of each view on the test texts.
    pub views: Views,
    /// V-measure of the adapter's view minus that of the base, paired.
    pub gain: Estimate,
    /// `(adapter − base) / (teacher − base)` in V-measure; `null` when the teacher has no measurable gain or cannot see
    /// test texts.
    pub gain_kept: Option<Estimate>,
    /// The same in words.
    pub verdict: String,
    /// How close the view is to the teacher's vectors.
    pub fidelity: Fidelity,
    /// Time for one text.
    pub latency_ms: Latencies,
    /// Time for a batch of texts.
    pub batch_latency_ms: Batch,
    /// Median teacher pass over median adapter pass, one text whose base vector is stored; over the pass of the fine-tuned
    /// encoder where there is one.
    pub speedup: Option<f64>,
    /// The same scores over all texts not trained on, where none of them chose anything.
    pub held_out: Option<HeldOut>,
    /// How the adapter was fitted.
    pub fit: FitMetrics,
    /// What encoding the corpus took.
    pub encoding: Encoding,
}

/// Scores by view.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Views {
    /// The stored vectors as they are.
    pub base: Scores,
    /// The stored vectors plus the mean difference to the teacher; `null` when dimensions differ.
    pub offset: Option<Scores>,
    /// The adapter's view.
    pub adapter: Scores,
    /// The teacher itself; `null` when it cannot see test texts.
    pub teacher: Option<Scores>,
}

/// Clustering scores of one view.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// V-measure, 0 to 1.
    pub v_measure: Summary,
    /// Each cluster holds one label only, 0 to 1.
    pub homogeneity: Summary,
    /// Each label lies in one cluster only, 0 to 1.
    pub completeness: Summary,
    /// Adjusted mutual information: 0 for chance, 1 for equal.
    pub ami: Summary,
    /// Adjusted Rand index: 0 for chance, 1 for equal.
    pub ari: Summary,
}

/// How close the view is to the teacher.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fidelity {
    /// Mean cosine between the view's and the teacher's vector of the same text.
    pub cosine: f64,
    /// Mean share of the `knn` nearest neighbours that both agree on.
    pub knn_overlap: f64,
    /// The number of neighbours compared.
    pub knn: usize,
    /// The base vectors' cosine, for comparison; `null` when dimensions differ.
    pub base_cosine: Option<f64>,
    /// The base vectors' overlap, for comparison.
    pub base_knn_overlap: f64,
    /// On which texts: `test`, or `train, leave-one-out` when the teacher cannot see test texts.
    pub measured_on: String,
}

/// Time for one text, by pass; `null` where a pass does not exist.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Latencies {
    /// The encoder with the instruction prompt.
    pub teacher: Option<Latency>,
    /// The encoder without.
    pub base: Option<Latency>,
    /// The adapter alone, on a stored vector; the fine-tuned encoder, on the text.
    pub adapter: Latency,
}

/// Time for a batch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Batch {
    /// Texts a batch.
    pub n: usize,
    /// By pass.
    #[serde(flatten)]
    pub passes: Latencies,
}

/// Scores over all texts not trained on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HeldOut {
    /// Number of texts.
    pub n: usize,
    /// Scores by view.
    pub views: Views,
    /// V-measure of the adapter's view minus that of the base, paired.
    pub gain: Estimate,
}

/// How the adapter was fitted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FitMetrics {
    /// `ridge`, `gradient`, `lora` or `full`.
    pub method: String,
    /// Wall time, seconds.
    pub seconds: f64,
    /// What was chosen or reached, by name: `lambda`, `leave_one_out_cosine`, `best_epoch` and the like.
    pub metrics: BTreeMap<String, f64>,
}

/// What encoding the corpus took.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Encoding {
    /// Texts in the corpus.
    pub texts: usize,
    /// Vectors computed in this run, base and teacher together.
    pub encoded: usize,
    /// Vectors found in the store.
    pub reused: usize,
    /// Texts of the corpus whose end was cut at the encoder's maximum length.
    pub truncated: usize,
    /// The share of the tokens that the encoder read, from up to 1,000 texts; none where no text was cut.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share_read: Option<f64>,
    /// Wall time, seconds.
    pub seconds: f64,
}

impl Encoding {
    /// How much was encoded and read, in a sentence.
    pub(crate) fn sentence(&self) -> String {
        let read = self.share_read.map(|share| format!("; {:.0}% of the tokens were read", share * 100.0));
        format!(
            "{} computed and {} found in the store in {}; {} of {} texts cut at the encoder's maximum length{}",
            counted(self.encoded, "vector", "vectors"),
            count(self.reused),
            duration(self.seconds * 1e3),
            count(self.truncated),
            count(self.texts),
            read.unwrap_or_default()
        )
    }
}
