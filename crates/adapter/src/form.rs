use crate::weights::Weights;
use crate::{Card, Error, Head, Isotonic, Layer, Linear, Map, Maps, Model, Result, Shape, Sides, TaskCard};
use manyview_core::Error as CoreError;
use serde::{Deserialize, Serialize};

/// What the names of tensors of two maps begin with.
const QUERY: &str = "query.";
const PASSAGE: &str = "passage.";

/// What the tensors of an artifact look like.
#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Form {
    Adapter(MapForm),
    Head {
        /// Widths of the layers between vector and scores.
        hidden: Vec<usize>,
        /// The curve of each dimension, where it is calibrated.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        calibration: Option<Vec<Isotonic>>,
    },
}

/// What the tensors of an adapter look like.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct MapForm {
    /// Which texts are mapped.
    sides: Sides,
    /// What each map computes.
    shape: Shape,
    /// Values between the two layers of a map that has two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    width: Option<usize>,
}

/// A named tensor: its shape and its values, row after row.
type Tensor<'a> = (String, Vec<usize>, &'a [f32]);

impl Form {
    /// The form of `model`.
    ///
    /// # Errors
    /// Two maps that differ in theirs.
    pub(crate) fn of(model: &Model) -> Result<Self> {
        match model {
            Model::Adapter(maps) => MapForm::of(maps).map(Self::Adapter),
            Model::Head(head) => Ok(Self::Head {
                hidden: head.layers().iter().skip(1).map(Layer::dim_in).collect(),
                calibration: head.calibration().map(<[Isotonic]>::to_vec),
            }),
        }
    }

    /// The file of the weights.
    pub(crate) fn file(&self) -> &'static str {
        match self {
            Self::Adapter(_) => "adapter.safetensors",
            Self::Head { .. } => "head.safetensors",
        }
    }

    /// That `card` describes `model`.
    ///
    /// # Errors
    /// Another task, or other dimensions.
    pub(crate) fn check(model: &Model, card: &Card) -> Result<()> {
        let (what, found) = match model {
            Model::Adapter(maps) => ("adapter", [maps.query().dim_in(), maps.query().dim_out()]),
            Model::Head(head) => ("head", [head.dim_in(), head.dim_out()]),
        };
        let expected = match (model, &card.task) {
            (Model::Adapter(_), TaskCard::Views { .. } | TaskCard::Retrieval { .. }) => card.dim_out,
            (Model::Head(_), TaskCard::Scores { dimensions, .. }) => dimensions.len(),
            _ => {
                let expected = "views or retrieval for an adapter, scores for a head";
                return Err(Error::Setting {
                    name: "card, task",
                    expected,
                    found: format!("{:?}", card.task),
                });
            }
        };
        match [card.dim_in, card.dim_out] == found && expected == card.dim_out {
            true => Ok(()),
            false => Err(CoreError::Shape {
                what: what.into(),
                expected: format!("[{}, {expected}], as its card says", card.dim_in),
                found: format!("{found:?}"),
            }
            .into()),
        }
    }

    /// The tensors of `model`, by name.
    pub(crate) fn tensors(model: &Model) -> Vec<Tensor<'_>> {
        let tensors = |name: String, (dim_in, dim_out), weight, bias: Option<_>| {
            let weight = (format!("{name}weight"), vec![dim_in, dim_out], weight);
            [weight].into_iter().chain(bias.map(|bias| (format!("{name}bias"), vec![dim_out], bias)))
        };
        match model {
            Model::Adapter(maps) => {
                let maps = match maps {
                    Maps::Query(map) | Maps::Both(map) => vec![("", map)],
                    Maps::Dual { query, passage } => vec![(QUERY, query), (PASSAGE, passage)],
                };
                let layers =
                    maps.into_iter().flat_map(|(prefix, map)| names(map.shape(), prefix).zip(map.layers()));
                layers
                    .flat_map(|(name, l)| tensors(name, (l.dim_in(), l.dim_out()), l.weight(), l.bias()))
                    .collect()
            }
            Model::Head(head) => {
                let layers = head.layers().iter().enumerate();
                layers
                    .flat_map(|(i, l)| {
                        tensors(format!("{i}."), (l.dim_in(), l.dim_out()), l.weight(), Some(l.bias()))
                    })
                    .collect()
            }
        }
    }

    /// The model of this form in `weights`.
    ///
    /// # Errors
    /// A tensor that is not there, or of another shape.
    pub(crate) fn read(self, card: &Card, weights: &Weights<'_>) -> Result<Model> {
        match self {
            Self::Adapter(form) => form.read(card, weights).map(Model::Adapter),
            Self::Head { hidden, calibration } => {
                let dims: Vec<usize> =
                    [card.dim_in].into_iter().chain(hidden).chain([card.dim_out]).collect();
                let layer = |(i, (dim_in, dim_out)): (usize, (&usize, &usize))| {
                    let weight = weights.values(&format!("{i}.weight"), &[*dim_in, *dim_out])?;
                    Layer::new(weight, weights.values(&format!("{i}.bias"), &[*dim_out])?)
                };
                let layers = dims.iter().zip(dims.iter().skip(1)).enumerate().map(layer);
                let head = Head::new(layers.collect::<Result<_>>()?)?;
                Ok(Model::Head(match calibration {
                    Some(curves) => head.with_calibration(curves)?,
                    None => head,
                }))
            }
        }
    }
}

/// What the names of the tensors of each layer of a map begin with.
fn names(shape: Shape, prefix: &str) -> impl Iterator<Item = String> {
    let (n, prefix) = (shape.dims(1, None, 1).len(), prefix.to_string());
    let one = n == 1;
    (0..n).map(move |i| if one { prefix.clone() } else { format!("{prefix}{i}.") })
}

impl MapForm {
    fn of(maps: &Maps) -> Result<Self> {
        let of = |map: &Map| {
            (
                Self { sides: maps.sides(), shape: map.shape(), width: map.width() },
                [map.dim_in(), map.dim_out()],
            )
        };
        let form = of(maps.query());
        match maps.passage().map(of).filter(|other| *other != form) {
            None => Ok(form.0),
            Some(other) => Err(CoreError::Shape {
                what: "map of passages to save".into(),
                expected: format!("{form:?}, as that of queries"),
                found: format!("{other:?}"),
            }
            .into()),
        }
    }

    fn read(&self, card: &Card, weights: &Weights<'_>) -> Result<Maps> {
        let map = |prefix| self.map(card, weights, prefix);
        Ok(match self.sides {
            Sides::Query => Maps::Query(map("")?),
            Sides::Both => Maps::Both(map("")?),
            Sides::Dual => Maps::Dual { query: map(QUERY)?, passage: map(PASSAGE)? },
        })
    }

    fn map(&self, card: &Card, weights: &Weights<'_>, prefix: &str) -> Result<Map> {
        let dims = self.shape.dims(card.dim_in, self.width, card.dim_out);
        let layers = names(self.shape, prefix).zip(dims);
        let layers = layers.map(|(name, (dim_in, dim_out))| {
            let bias = format!("{name}bias");
            let bias = weights.has(&bias).then(|| weights.values(&bias, &[dim_out])).transpose()?;
            Linear::new(weights.values(&format!("{name}weight"), &[dim_in, dim_out])?, dim_in, bias)
        });
        Map::new(self.shape, layers.collect::<Result<_>>()?)
    }
}
