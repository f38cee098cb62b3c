//! Turns measurements into one HTML page, Markdown and JSON.

mod metrics;

pub use metrics::{Batch, Encoding, Fidelity, FitMetrics, HeldOut, Latencies, Metrics, Scores, Views};
