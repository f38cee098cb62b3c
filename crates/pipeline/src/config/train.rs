use manyview_adapter::Prior;
use serde::{Deserialize, Serialize};

/// How the adapter is fitted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Train {
    /// `ridge` in closed form, or `gradient`.
    pub method: Method,
    /// Ridge: what the map is shrunk towards: `identity`, `zero` or `procrustes`.
    pub towards: Prior,
    /// Ridge: fits a bias as well.
    pub center: bool,
    /// Ridge: the penalties tried; a grid around the mean eigenvalue without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lambdas: Option<Vec<f64>>,
}
