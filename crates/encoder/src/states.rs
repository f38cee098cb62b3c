use crate::{Pooling, Result, model, native};
use burn::tensor::{DType, Tensor};
use manyview_core::Kind;

/// States of the tokens a batch keeps, `[rows, hidden]`, where the engine has them.
#[allow(clippy::large_enum_variant)] // taken as soon as it is made
pub(crate) enum States {
    Slice(Vec<f32>),
    Tensor(Tensor<2>),
}

impl States {
    /// One vector a text, `[texts, hidden]`, not normalised, of the states the pooling needs ([`crate::batch::Keep::of`]).
    pub(crate) fn pooled(self, pooling: Pooling, lengths: &[usize]) -> Result<Vec<f32>> {
        match (pooling, self) {
            (Pooling::Cls | Pooling::LastToken, states) => states.into_vec(),
            (Pooling::Mean, Self::Slice(states)) => Ok(native::means(&states, lengths)),
            (Pooling::Mean, Self::Tensor(states)) => Self::Tensor(model::means(states, lengths)).into_vec(),
        }
    }

    /// The values, row after row.
    pub(crate) fn into_vec(self) -> Result<Vec<f32>> {
        let states = match self {
            Self::Slice(states) => return Ok(states),
            Self::Tensor(states) => states,
        };
        states.cast(DType::F32).into_data().try_into_vec::<f32>().map_err(|e| {
            manyview_core::Error::other(
                Kind::Internal,
                format!("a device gave values of another type: {e:?}"),
            )
            .into()
        })
    }
}
