use super::batch::{Batch as Matches, Batches};
use super::loss::{loss, normalize};
use super::{Contrastive, ContrastiveConfig, RetrievalScore};
use crate::network::MapsNetwork;
use crate::rows::{on_device, select};
use crate::{Maps, Result, Sides};
use burn::tensor::Tensor;
use manyview_core::QueryPassagePairs;
use manyview_train::{Batch, BatchLoss, Measured, TrainStep, ValidationSet};

/// The matches of [`Contrastive`] on its device.
pub(crate) struct TrainingPairs<'a> {
    config: &'a ContrastiveConfig,
    batches: Batches<'a>,
    queries: Tensor<2>,
    /// Of length 1 where they are not mapped.
    passages: Tensor<2>,
}

/// What tells how good maps are after an epoch.
pub(super) struct Score<'a> {
    pub(super) sides: Sides,
    pub(super) score: &'a RetrievalScore<'a>,
}

impl<'a> TrainingPairs<'a> {
    pub(crate) fn new(contrastive: &'a Contrastive, train: &'a QueryPassagePairs) -> Self {
        let config = &contrastive.config;
        let passages = on_device(train.passages(), &contrastive.device);
        Self {
            config,
            batches: Batches::new(config, train),
            queries: on_device(train.queries(), &contrastive.device),
            passages: if config.sides == Sides::Query { normalize(passages) } else { passages },
        }
    }

    fn batch_loss(&self, network: &MapsNetwork, batch: &Matches) -> Tensor<1> {
        let q = select(&self.queries, &batch.queries);
        let p = match &batch.passages {
            Some(rows) => select(&self.passages, rows),
            None => self.passages.clone(),
        };
        let compared = |q, p| loss(self.config, &batch.labels, normalize(q), p);
        match (self.config.sides, &network.passage) {
            (Sides::Query, _) => {
                let mapped = network.query.forward(q.clone());
                self.penalized(compared(mapped.clone(), p), [(mapped, q)])
            }
            (_, Some(passage)) => {
                let (of_q, of_p) = (network.query.forward(q.clone()), passage.forward(p.clone()));
                self.penalized(compared(of_q.clone(), normalize(of_p.clone())), [(of_q, q), (of_p, p)])
            }
            (_, None) => {
                // All rows in one pass, and so in one gradient.
                let ([n, dim], m) = (q.dims(), p.dims()[0]);
                let mapped = network.query.forward(Tensor::cat(vec![q.clone(), p.clone()], 0)); // [n + m, dim]
                let of_q = mapped.clone().slice([0..n, 0..dim]);
                let of_p = mapped.slice([n..n + m, 0..dim]);
                self.penalized(compared(of_q.clone(), normalize(of_p.clone())), [(of_q, q), (of_p, p)])
            }
        }
    }

    /// `loss` with what it costs each map to be away from what it is given: `identity_penalty` · mean |A(x) − x|².
    fn penalized(
        &self,
        loss: Tensor<1>,
        sides: impl IntoIterator<Item = (Tensor<2>, Tensor<2>)>,
    ) -> Tensor<1> {
        let weight = self.config.identity_penalty;
        if weight == 0.0 {
            return loss;
        }
        sides.into_iter().fold(loss, |loss, (mapped, x)| {
            let weight = weight / x.dims()[0] as f64;
            loss + (mapped - x).square().sum() * weight
        })
    }
}

impl TrainStep for TrainingPairs<'_> {
    type Module = MapsNetwork;

    fn examples(&self) -> usize {
        self.queries.dims()[0]
    }

    fn loss(&self, network: &MapsNetwork, batch: &Batch<'_>) -> manyview_core::Result<BatchLoss> {
        Ok(self.batch_loss(network, &self.batches.of(batch.examples)).into())
    }
}

impl ValidationSet<MapsNetwork> for Score<'_> {
    fn measure(&self, network: &MapsNetwork) -> manyview_core::Result<Measured> {
        let score = (self.score)(&maps(network, self.sides)?)?;
        Ok(Measured { score: Some(score), ..Measured::default() })
    }
}

/// The maps of `network` as they stand.
pub(super) fn maps(network: &MapsNetwork, sides: Sides) -> Result<Maps> {
    let query = network.query.to_map()?;
    Ok(match (sides, &network.passage) {
        (Sides::Query, _) => Maps::Query(query),
        (_, Some(passage)) => Maps::Dual { query, passage: passage.to_map()? },
        (_, None) => Maps::Both(query),
    })
}
