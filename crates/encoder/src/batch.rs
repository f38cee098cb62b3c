use crate::Pooling;
use crate::kv_cache::KvCache;

/// Texts that go through a model together, their tokens side by side without padding.
#[derive(Clone, Copy)]
pub(crate) struct Batch<'a> {
    /// Token ids, `[tokens]`.
    pub(crate) ids: &'a [u32],
    /// Tokens of each text.
    pub(crate) lengths: &'a [usize],
    /// What a causal model computed of the tokens that stand before every text.
    pub(crate) prefix: Option<&'a KvCache>,
    /// The tokens whose states are asked for.
    pub(crate) keep: Keep,
}

/// The tokens whose states are asked for: where it is one of each text, the last layer computes no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keep {
    All,
    First,
    Last,
}

impl Batch<'_> {
    /// The packed rows of the tokens to keep; none where all are.
    pub(crate) fn rows(&self) -> Option<Vec<usize>> {
        let ends = self.lengths.iter().scan(0, |end, &n| {
            *end += n;
            Some(*end)
        });
        match self.keep {
            Keep::All => None,
            Keep::First => Some(ends.zip(self.lengths).map(|(end, n)| end - n).collect()),
            Keep::Last => Some(ends.map(|end| end - 1).collect()),
        }
    }

    /// The position of every token in its text, where each text starts at `first`.
    pub(crate) fn positions(&self, first: usize) -> impl Iterator<Item = usize> {
        self.lengths.iter().flat_map(move |&n| first..first + n)
    }

    /// Tokens of the longest text.
    pub(crate) fn longest(&self) -> usize {
        self.lengths.iter().copied().max().unwrap_or(0)
    }
}

impl Keep {
    /// What a pooling needs.
    pub(crate) fn of(pooling: Pooling) -> Self {
        match pooling {
            Pooling::Cls => Self::First,
            Pooling::LastToken => Self::Last,
            Pooling::Mean | Pooling::Max | Pooling::MeanSqrtLen | Pooling::WeightedMean => Self::All,
        }
    }
}
