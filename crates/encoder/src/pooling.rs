/// How the states of a text's tokens become one vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pooling {
    /// The mean over all tokens.
    Mean,
    /// The first token.
    Cls,
    /// The last token.
    LastToken,
    /// The largest value of each dimension.
    Max,
    /// The sum over all tokens divided by the square root of their number.
    MeanSqrtLen,
    /// The mean over all tokens, the first with weight 1, the second with 2 and so on.
    WeightedMean,
}

impl Pooling {
    pub(crate) const ALL: [Self; 6] =
        [Self::Cls, Self::Max, Self::Mean, Self::MeanSqrtLen, Self::WeightedMean, Self::LastToken];

    /// The name in pooling configurations and fingerprints.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::Cls => "cls",
            Self::LastToken => "lasttoken",
            Self::Max => "max",
            Self::MeanSqrtLen => "mean_sqrt_len_tokens",
            Self::WeightedMean => "weightedmean",
        }
    }

    /// The key that turns it on in older files.
    pub(crate) fn switch(self) -> &'static str {
        match self {
            Self::Mean => "pooling_mode_mean_tokens",
            Self::Cls => "pooling_mode_cls_token",
            Self::LastToken => "pooling_mode_lasttoken",
            Self::Max => "pooling_mode_max_tokens",
            Self::MeanSqrtLen => "pooling_mode_mean_sqrt_len_tokens",
            Self::WeightedMean => "pooling_mode_weightedmean_tokens",
        }
    }

    /// Adds the vector of a text to `out`: of its states, `[tokens, hidden]`, those from `first` on.
    pub(crate) fn pool(self, states: &[f32], hidden: usize, first: usize, out: &mut Vec<f32>) {
        let tokens = states.len() / hidden;
        let read = || states.chunks_exact(hidden).enumerate().skip(first);
        let sum = |weight: &dyn Fn(usize) -> f32| {
            let mut sums = vec![0f32; hidden];
            for (at, state) in read() {
                let weight = weight(at);
                sums.iter_mut().zip(state).for_each(|(sum, value)| *sum += weight * value);
            }
            sums
        };
        let number = tokens.saturating_sub(first);
        let divided = |sums: Vec<f32>, by: f32| sums.into_iter().map(move |sum| sum / by.max(1e-9));
        match self {
            Self::Cls => out.extend_from_slice(read().next().map_or(&states[..hidden], |(_, state)| state)),
            Self::LastToken => {
                out.extend(states[states.len() - hidden..].iter().map(|v| if number > 0 { *v } else { 0.0 }))
            }
            Self::Mean => out.extend(divided(sum(&|_| 1.0), number as f32)),
            Self::MeanSqrtLen => out.extend(divided(sum(&|_| 1.0), (number as f32).sqrt())),
            Self::WeightedMean => {
                let weights: usize = (first..tokens).map(|at| at + 1).sum();
                out.extend(divided(sum(&|at| (at + 1) as f32), weights as f32));
            }
            Self::Max => {
                let mut most = vec![f32::NEG_INFINITY; hidden];
                for (_, state) in read() {
                    most.iter_mut().zip(state).for_each(|(most, value)| *most = most.max(*value));
                }
                out.extend(most.into_iter().map(|v| if number > 0 { v } else { 0.0 }));
            }
        }
    }
}
