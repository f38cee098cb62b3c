use crate::architecture::post_norm;
use crate::native::activation;

/// What a `Dense` module applies to each value, by the name of its class.
#[derive(Clone, Copy, Debug)]
pub(super) enum Activation {
    Identity,
    Tanh,
    Sigmoid,
    /// One that models apply as well.
    Model(post_norm::Activation),
}

impl Activation {
    /// The classes there are.
    pub(super) const NAMES: &str = "Identity, Tanh, ReLU, Sigmoid, GELU and SiLU of torch.nn";

    /// By the path of a class of torch.
    pub(super) fn of_class(path: &str) -> Option<Self> {
        let class = path.strip_prefix("torch.nn.")?.rsplit('.').next()?;
        Some(match class {
            "Identity" => Self::Identity,
            "Tanh" => Self::Tanh,
            "Sigmoid" => Self::Sigmoid,
            "ReLU" => Self::Model(post_norm::Activation::Relu),
            "GELU" => Self::Model(post_norm::Activation::Gelu),
            "SiLU" => Self::Model(post_norm::Activation::Silu),
            _ => return None,
        })
    }

    pub(super) fn apply(self, values: &mut [f32]) {
        match self {
            Self::Identity => {}
            Self::Tanh => values.iter_mut().for_each(|v| *v = v.tanh()),
            Self::Sigmoid => values.iter_mut().for_each(|v| *v = 1.0 / (1.0 + (-*v).exp())),
            Self::Model(of_models) => activation::apply(of_models, values),
        }
    }
}
