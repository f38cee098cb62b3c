//! What was trained: opened wherever it lies, applied to texts and vectors, exported.

mod applier;
mod batch;
mod describe;
mod export;
mod growing;
mod infer;
mod input;
mod ledger;
mod lines;
mod metadata;
mod open;
mod output;
mod push;
mod score;
mod steps;
mod target;
mod text_file;
mod vector_file;
mod writer;

pub use applier::{Applied, Applier, Outcome};
pub use batch::{Batch, Rows};
pub use export::{Export, Format, export};
pub use infer::{Inference, InferenceInput, Texts, infer};
pub use metadata::{Dropped, Encoding, Holds, Inferred, Origin, Seconds, Written};
pub(crate) use open::write_encoder_card;
pub use open::{Artifact, Opened, open};
pub use push::push;
pub use score::{Scoring, score};
pub use target::{FileFormat, Target};
pub use vector_file::GivenVectors;
pub use writer::{Opening, Summary, Writer};
