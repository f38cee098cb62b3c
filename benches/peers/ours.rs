//! The Rust side of `compare.py`: `peers ridge|gradient|kmeans|contrastive X.npy [Y.npy]` prints seconds and what came out, as JSON.
#![allow(clippy::print_stdout)]

use anyhow::{Context, bail};
use manyview::adapter::{
    Contrastive, ContrastiveConfig, Gradient, GradientConfig, Monitored, MonitoredPairs, Prior, Ridge, Sides,
};
use manyview::artifact::device;
use manyview::data::read_vectors;
use manyview::eval::KMeans;
use manyview::{Embeddings, Fit, Paired, QueryPassagePairs, Quiet};
use std::path::Path;
use std::time::Instant;

/// The penalties of both sides; `compare.py` writes the same.
fn lambdas() -> Vec<f64> {
    (0..25).map(|i| 10f64.powf(-4.0 + 7.0 * f64::from(i) / 24.0)).collect()
}

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let read = |i: usize| -> anyhow::Result<Embeddings> {
        let path = arguments.get(i).context("expected a task and .npy files")?;
        Ok(read_vectors(Path::new(path), "")?)
    };
    let task = arguments.first().context("expected ridge, gradient, kmeans or contrastive")?;
    let (seconds, result) = match task.as_str() {
        "ridge" => {
            let ridge = Ridge { towards: Prior::Zero, center: false, lambdas: Some(lambdas()) };
            let pairs = Paired::new(read(1)?, read(2)?)?;
            let (seconds, fit) = timed(|| Ok(ridge.fit(&pairs)?))?;
            let least = fit.path.iter().min_by(|a, b| a.mse.total_cmp(&b.mse)).context("no penalty")?;
            (seconds, format!("\"lambda\": {:e}, \"mse\": {:e}", least.lambda, least.mse))
        }
        "gradient" => {
            let gradient = Gradient::new(GradientConfig::default(), device("flex")?);
            let train = Paired::new(read(1)?, read(2)?)?;
            let data = Monitored { train, validation: None, score: None, progress: &Quiet };
            let (seconds, fit) = timed(|| Ok(gradient.fit(&data)?))?;
            let last = fit.history.last().context("no epoch")?;
            (seconds, format!("\"loss\": {}", last.train_loss))
        }
        "contrastive" => {
            let config =
                ContrastiveConfig { sides: Sides::Both, mask_duplicates: false, ..Default::default() };
            let contrastive = Contrastive::new(config, device("flex")?);
            let (queries, passages) = (read(1)?, read(2)?);
            let positive = (0..queries.n()).collect();
            let train = QueryPassagePairs::new(queries, passages, positive)?;
            let data = MonitoredPairs { train, score: None, progress: &Quiet };
            let (seconds, fit) = timed(|| Ok(contrastive.fit(&data)?))?;
            let last = fit.history.last().context("no epoch")?;
            (seconds, format!("\"loss\": {}", last.train_loss))
        }
        "kmeans" => {
            let (x, kmeans) = (read(1)?, KMeans::new(10));
            let (seconds, clusters) = timed(|| Ok(kmeans.fit(&x)?))?;
            (seconds, format!("\"inertia\": {}, \"iterations\": {}", clusters.inertia, clusters.iterations))
        }
        other => bail!("expected ridge, gradient, kmeans or contrastive, found {other}"),
    };
    println!("{{\"seconds\": {seconds}, {result}}}");
    Ok(())
}

fn timed<T>(work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<(f64, T)> {
    let started = Instant::now();
    let made = work()?;
    Ok((started.elapsed().as_secs_f64(), made))
}
