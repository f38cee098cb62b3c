//! The loop over epochs and batches.
use super::batch::{Batch, Batches};
use super::loss::Loss;
use super::network::Networks;
use super::unit::Unit;
use super::{Contrastive, ContrastiveFit, MonitoredMatches};
use crate::gradient::Epoch;
use crate::gradient::adamw::AdamW;
use crate::gradient::parameters::tensor;
use crate::{Error, Maps, Result};
use burn::tensor::{Int, Tensor, TensorData};
use manyview_core::Error as CoreError;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

/// Everything a run holds between two epochs.
pub(super) struct State {
    networks: Networks,
    history: Vec<Epoch>,
    /// The maps of the best epoch, where a score tells which is best.
    best: Option<Maps>,
}

impl State {
    pub(super) fn new(networks: Networks) -> Self {
        Self { networks, history: Vec::new(), best: None }
    }

    /// The best epoch, from 1: of the highest score, else the last.
    fn best_epoch(&self) -> usize {
        let scored = self.history.iter().filter_map(|e| Some((e.epoch, e.score?)));
        let best = scored.reduce(|best, e| if e.1 > best.1 { e } else { best });
        best.map_or(self.history.len(), |(epoch, _)| epoch)
    }
}

/// One run of [`Contrastive`] on its data.
pub(super) struct Training<'a> {
    contrastive: &'a Contrastive,
    data: &'a MonitoredMatches<'a>,
    batches: Batches<'a>,
    adamw: AdamW,
    queries: Tensor<2>,
    /// Of length 1 where they are not mapped.
    passages: Tensor<2>,
}

impl<'a> Training<'a> {
    pub(super) fn new(contrastive: &'a Contrastive, data: &'a MonitoredMatches<'a>) -> Self {
        let config = &contrastive.config;
        let on_device =
            |x: &manyview_core::Embeddings| tensor(x.as_slice().to_vec(), x.dim(), &contrastive.device);
        let passages = on_device(data.train.passages());
        Self {
            batches: Batches::new(config, &data.train),
            adamw: AdamW::new(config.weight_decay, &contrastive.device),
            queries: on_device(data.train.queries()),
            passages: if config.sides == crate::Sides::Query { Unit::new(passages).rows } else { passages },
            contrastive,
            data,
        }
    }

    /// Trains from `state` to the end.
    pub(super) fn run(&self, mut state: State) -> Result<ContrastiveFit> {
        let (progress, config) = (self.data.progress, &self.contrastive.config);
        progress.advance(state.history.len() as u64);
        while state.history.len() < config.epochs && !self.is_stale(&state) {
            self.epoch(&mut state)?;
            progress.advance(1);
        }
        let (best_epoch, stopped_early) = (state.best_epoch(), state.history.len() < config.epochs);
        let maps = match state.best {
            Some(best) => best,
            None => state.networks.maps()?,
        };
        Ok(ContrastiveFit { maps, history: state.history, best_epoch, stopped_early })
    }

    fn is_stale(&self, state: &State) -> bool {
        let patience = self.contrastive.config.patience;
        patience > 0 && state.history.len() >= state.best_epoch() + patience
    }

    /// One pass over the queries, then the score.
    fn epoch(&self, state: &mut State) -> Result<()> {
        let config = &self.contrastive.config;
        let (epoch, order) = (state.history.len() + 1, self.order(state.history.len() + 1));
        let steps = order.len().div_ceil(config.batch);
        let (mut sum, mut lr) = (0.0, 0.0);
        for (batch, queries) in order.chunks(config.batch).enumerate() {
            if self.data.progress.stopped() {
                return Err(CoreError::Interrupted.into());
            }
            let (step, total) = ((epoch - 1) * steps + batch, config.epochs * steps);
            lr = config.schedule.rate(config.lr, config.warmup, step, total);
            let loss = self.step(&mut state.networks, lr, &self.batches.of(queries))?;
            if !loss.is_finite() {
                return Err(Error::Diverged { epoch, batch: batch + 1, found: loss });
            }
            sum += loss * queries.len() as f64;
        }
        let maps = self.data.score.map(|_| state.networks.maps()).transpose()?;
        let score = self.data.score.zip(maps.as_ref()).map(|(score, maps)| score(maps)).transpose()?;
        if let Some(found) = score.filter(|v| !v.is_finite()) {
            return Err(Error::Diverged { epoch, batch: steps, found });
        }
        state.history.push(Epoch { epoch, train_loss: sum / order.len() as f64, val_loss: None, score, lr });
        if state.best_epoch() == epoch {
            state.best = maps;
        }
        Ok(())
    }

    /// The queries in the order of `epoch`, which depends on nothing but the seed and the epoch.
    fn order(&self, epoch: usize) -> Vec<usize> {
        let mut rng = ChaCha8Rng::seed_from_u64(self.contrastive.config.seed);
        rng.set_stream(epoch as u64);
        let mut order: Vec<usize> = (0..self.data.train.queries().n()).collect();
        order.shuffle(&mut rng);
        order
    }

    fn step(&self, networks: &mut Networks, lr: f64, batch: &Batch) -> Result<f64> {
        let config = &self.contrastive.config;
        let x = self.select(&self.queries, &batch.queries);
        let p = match &batch.passages {
            Some(rows) => self.select(&self.passages, rows),
            None => self.passages.clone(),
        };
        let of_x = networks.query().forward(&x);
        let of_p = networks.passage().map(|network| network.forward(&p));
        let q = Unit::new(of_x.output.clone());
        let mapped = of_p.as_ref().map(|pass| Unit::new(pass.output.clone()));
        let rows = mapped.as_ref().map_or(&p, |unit| &unit.rows);
        let found = Loss::of(config, &batch.lesson, &q.rows, rows, mapped.is_some());

        let mut value = found.value;
        let mut gradient = |unit: &Unit, g: Tensor<2>, output: &Tensor<2>, input: &Tensor<2>| {
            let g = unit.backward(g);
            if config.recovery == 0.0 {
                return g;
            }
            let (moved, weight) = (output.clone() - input.clone(), config.recovery / input.dims()[0] as f64);
            value += weight * f64::from(moved.clone().square().sum().into_scalar::<f32>());
            g + moved * (2.0 * weight)
        };
        let of_queries = gradient(&q, found.queries, &of_x.output, &x);
        let of_queries = networks.query().backward(of_x, of_queries);
        let sides = mapped.zip(found.passages).zip(of_p.zip(networks.passage()));
        let of_passages = sides.map_or_else(Vec::new, |((unit, g), (pass, network))| {
            let g = gradient(&unit, g, &pass.output, &p);
            network.backward(pass, g)
        });
        networks.step(&self.adamw, lr, of_queries, of_passages, config.clip)?;
        Ok(value)
    }

    fn select(&self, x: &Tensor<2>, rows: &[usize]) -> Tensor<2> {
        let rows: Vec<i32> = rows.iter().map(|r| *r as i32).collect();
        let n = rows.len();
        x.clone().select(0, Tensor::<1, Int>::from_data(TensorData::new(rows, [n]), &self.contrastive.device))
    }
}
