use crate::pooling_config::PoolingConfig;
use crate::{Pooling, Result, native};

/// States of the tokens a batch keeps, `[rows, hidden]`, where the engine has them.
#[allow(clippy::large_enum_variant)] // taken as soon as it is made
pub(crate) enum States {
    Slice(Vec<f32>),
    #[cfg(feature = "train")]
    Tensor(burn::tensor::Tensor<2>),
}

impl States {
    /// One vector a text, `[texts, hidden]`, not normalised, of the states the pooling needs ([`crate::batch::Keep::of`]).
    pub(crate) fn pooled(self, pooling: Pooling, lengths: &[usize]) -> Result<Vec<f32>> {
        match (pooling, self) {
            (Pooling::Cls | Pooling::LastToken, states) => states.into_vec(),
            (Pooling::Mean, Self::Slice(states)) => Ok(native::means(&states, lengths)),
            #[cfg(feature = "train")]
            (Pooling::Mean, Self::Tensor(states)) => {
                Self::Tensor(crate::model::means(states, lengths)).into_vec()
            }
            (Pooling::Max | Pooling::MeanSqrtLen | Pooling::WeightedMean, states) => {
                let states = states.into_vec()?;
                let hidden = states.len() / lengths.iter().sum::<usize>();
                Ok(PoolingConfig::from(pooling).pool(&states, hidden, lengths, 0))
            }
        }
    }

    /// The values, row after row.
    pub(crate) fn into_vec(self) -> Result<Vec<f32>> {
        match self {
            Self::Slice(states) => Ok(states),
            #[cfg(feature = "train")]
            Self::Tensor(states) => on_host(states),
        }
    }
}

#[cfg(feature = "train")]
fn on_host(states: burn::tensor::Tensor<2>) -> Result<Vec<f32>> {
    use manyview_core::{Error, Kind};

    states.cast(burn::tensor::DType::F32).into_data().try_into_vec::<f32>().map_err(|e| {
        let found = format!("a device gave values of another type: {e:?}");
        Error::other(Kind::Internal, found).into()
    })
}
