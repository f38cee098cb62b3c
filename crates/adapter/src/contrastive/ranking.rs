use super::loss::Loss;
use crate::gradient::parameters::places;
use burn::tensor::{Device, IndexingUpdateOp, Tensor, TensorData};
use rayon::prelude::*;
use std::ops::Range;

/// Passages of a block: blocks run side by side, and none needs the logits of another. Part of the arithmetic.
const BLOCK: usize = 4096;
/// The logit of a passage that is no negative: nothing is left of it after exp, and no infinity gets into a difference.
const BARRED: f32 = -1e9;

/// Cross-entropy of each query's positive among its negatives.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ranking {
    pub(super) scale: f64,
    /// Negatives whose cosine is above the positive's by more than this are left out.
    pub(super) margin: Option<f64>,
}

/// Softmax over one block of passages, up to a factor for each query.
struct Part {
    /// Highest logit of each query, `[n, 1]`.
    highest: Tensor<2>,
    /// exp(logit − highest), `[n, block]`.
    shares: Tensor<2>,
    /// Their sum, `[n, 1]`.
    sum: Tensor<2>,
    /// The passages weighted by them, `[n, dim]`.
    mean: Tensor<2>,
}

impl Ranking {
    /// The loss of queries `q`, `[n, dim]`, among passages `p`, `[m, dim]`, all of length 1, and its gradients; that of
    /// the passages where `trained`. `positive` is the place of each query's positive, `barred` the places of passages
    /// that are no negatives, the positive among them.
    ///
    /// With l = s q·p and the shares π of a softmax over the positive and the negatives, the loss is the mean of
    /// log Σ exp(l) − l⁺, its gradient s/n (Σ π p − p⁺) for a query and s/n (Σ π q − q⁺) for a passage, where q⁺ are the
    /// queries it answers. The sums run over blocks, each against its own highest logit.
    pub(super) fn loss(
        &self,
        q: &Tensor<2>,
        p: &Tensor<2>,
        positive: &[usize],
        barred: &[Vec<usize>],
        trained: bool,
    ) -> Loss {
        let ([n, dim], m, device) = (q.dims(), p.dims()[0], q.device());
        let places = places(positive, &device);
        let answers = p.clone().select(0, places.clone());
        let of_answers = (q.clone() * answers.clone()).sum_dim(1) * self.scale;
        let blocks: Vec<Range<usize>> =
            (0..m).step_by(BLOCK).map(|start| start..m.min(start + BLOCK)).collect();
        let parts: Vec<Part> = blocks
            .par_iter()
            .map(|block| {
                let p = p.clone().slice([block.clone(), 0..dim]);
                self.part(q, p, &of_answers, bars(barred, block, &device))
            })
            .collect();

        let highest =
            parts.iter().fold(of_answers.clone(), |highest, part| highest.max_pair(part.highest.clone()));
        let factors: Vec<Tensor<2>> =
            parts.iter().map(|part| (part.highest.clone() - highest.clone()).exp()).collect();
        let own = (of_answers.clone() - highest.clone()).exp();
        let total = parts
            .iter()
            .zip(&factors)
            .fold(own.clone(), |total, (part, factor)| total + part.sum.clone() * factor.clone());
        let losses = highest + total.clone().log() - of_answers;
        let value = f64::from(losses.sum().into_scalar::<f32>()) / n as f64;

        let step = self.scale / n as f64;
        let missing = (own / total.clone() - 1.0) * step;
        let factors: Vec<Tensor<2>> = factors.into_iter().map(|f| f / total.clone() * step).collect();
        let queries = parts
            .iter()
            .zip(&factors)
            .fold(answers * missing.clone(), |sum, (part, factor)| sum + part.mean.clone() * factor.clone());
        let passages = trained.then(|| {
            let of_block =
                |(part, factor): (Part, Tensor<2>)| (part.shares * factor).transpose().matmul(q.clone());
            let of_blocks = parts.into_par_iter().zip(factors).map(of_block);
            let of_negatives = Tensor::cat(of_blocks.collect(), 0);
            of_negatives.select_assign(0, places, q.clone() * missing, IndexingUpdateOp::Add)
        });
        Loss { value, queries, passages }
    }

    fn part(&self, q: &Tensor<2>, p: Tensor<2>, of_answers: &Tensor<2>, bars: Option<Tensor<2>>) -> Part {
        let mut logits = q.clone().matmul(p.clone().transpose()) * self.scale;
        if let Some(margin) = self.margin {
            let above = (logits.clone() - of_answers.clone()).greater_elem(self.scale * margin);
            logits = logits.mask_fill(above, BARRED);
        }
        if let Some(bars) = bars {
            logits = logits + bars;
        }
        let highest = logits.clone().max_dim(1);
        let shares = (logits - highest.clone()).exp();
        Part { highest, sum: shares.clone().sum_dim(1), mean: shares.clone().matmul(p), shares }
    }
}

/// [`BARRED`] at the barred places of a block, 0 elsewhere, `[n, block]`; none where nothing is barred.
fn bars(barred: &[Vec<usize>], block: &Range<usize>, device: &Device) -> Option<Tensor<2>> {
    let within = |places: &Vec<usize>| {
        let start = places.partition_point(|p| *p < block.start);
        let end = places.partition_point(|p| *p < block.end);
        start..end
    };
    if barred.iter().all(|places| within(places).is_empty()) {
        return None;
    }
    let mut bars = vec![0.0; barred.len() * block.len()];
    for (row, places) in bars.chunks_exact_mut(block.len()).zip(barred) {
        for place in places.get(within(places)).into_iter().flatten() {
            row.iter_mut().skip(place - block.start).take(1).for_each(|v| *v = BARRED);
        }
    }
    Some(Tensor::from_data(TensorData::new(bars, [barred.len(), block.len()]), device))
}
