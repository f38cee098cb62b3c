//! The names, files and licences of the embedded corpora.

use crate::config::Data;

/// A corpus in `data/`.
#[derive(Clone, Copy, Debug)]
pub struct EmbeddedCorpus {
    /// The name a configuration uses.
    pub name: &'static str,
    /// Its file below `data/`.
    pub file: &'static str,
    /// Where it comes from, and its licence.
    pub origin: &'static str,
}

/// The corpora there are.
pub const CORPORA: &[EmbeddedCorpus] = &[
    EmbeddedCorpus {
        name: "medquad",
        file: "medquad/medquad.parquet",
        origin: "MedQuAD answers (Ben Abacha and Demner-Fushman, 2019), CC BY 4.0",
    },
    EmbeddedCorpus {
        name: "medquad-pairs",
        file: "medquad/pairs.parquet",
        origin: "MedQuAD questions and answers (Ben Abacha and Demner-Fushman, 2019), CC BY 4.0",
    },
    EmbeddedCorpus {
        name: "clinc150",
        file: "clinc150/clinc150.parquet",
        origin: "CLINC150 (Larson et al., 2019), CC BY 3.0",
    },
];

/// What the embedded experiment is called in errors and reports.
pub const QUICKSTART: &str = "the embedded quickstart experiment";

/// The embedded corpus a configuration names, if it names one.
pub(crate) fn corpus(data: &Data) -> Option<&'static EmbeddedCorpus> {
    CORPORA.iter().find(|c| c.name == data.source)
}
