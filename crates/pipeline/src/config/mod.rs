//! An experiment file as types: read, merged with overrides, checked.

mod experiment;
mod layers;
mod limits;
mod methods;
mod retrieval;
mod scores;
mod suite;
mod task;
mod teacher;
mod train;
mod trainers;

pub use experiment::{Data, Evaluate, Experiment, Output, Tracking};
pub use manyview_artifact::Encoder;
pub use retrieval::Retrieval;
pub use scores::Scores;
pub use suite::{Suite, Variant};
pub use teacher::{Teacher, TeacherKind};
pub use train::{
    DistillationLoss, HeadObjective, Lora, LossKind, MapShape, Monitor, Optimizer, RetrievalGradient,
    RetrievalTrain, ScoresGradient, ScoresRidge, ScoresTrain, Train, TunedScores, TunedViews, Tuning,
    TuningTrain, ViewsGradient, ViewsMap, ViewsRidge, ViewsTrain,
};
