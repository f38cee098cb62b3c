use crate::native::gelu;

/// What a `Dense` module applies to each value, by the name of its class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Activation {
    Identity,
    Tanh,
    Relu,
    Sigmoid,
    Gelu,
    Silu,
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
            "ReLU" => Self::Relu,
            "Sigmoid" => Self::Sigmoid,
            "GELU" => Self::Gelu,
            "SiLU" => Self::Silu,
            _ => return None,
        })
    }

    pub(super) fn apply(self, values: &mut [f32]) {
        let sigmoid = |v: f32| 1.0 / (1.0 + (-v).exp());
        match self {
            Self::Identity => {}
            Self::Tanh => values.iter_mut().for_each(|v| *v = v.tanh()),
            Self::Relu => values.iter_mut().for_each(|v| *v = v.max(0.0)),
            Self::Sigmoid => values.iter_mut().for_each(|v| *v = sigmoid(*v)),
            Self::Gelu => gelu(values),
            Self::Silu => values.iter_mut().for_each(|v| *v *= sigmoid(*v)),
        }
    }
}
