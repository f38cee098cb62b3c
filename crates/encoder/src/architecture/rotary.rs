use super::{sound, supported};
use crate::Result;
use crate::layout::Layout;
use serde::Deserialize;
use serde_json::{Map, Value};

/// Rotary positions in `config.json`; older files say `type` for `rope_type`, and some say both.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Rope {
    pub(super) rope_theta: Option<f32>,
    rope_type: Option<String>,
    #[serde(rename = "type")]
    old_type: Option<String>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

impl Rope {
    fn is_empty(&self) -> bool {
        self.rope_theta.is_none()
            && self.rope_type.is_none()
            && self.old_type.is_none()
            && self.others.is_empty()
    }

    /// Refuses other positions than plain ones.
    pub(super) fn check(&self, layout: &Layout) -> Result<()> {
        for kind in [&self.rope_type, &self.old_type].into_iter().flatten() {
            supported(layout, "rope_type", kind, kind == "default", "default")?;
        }
        match self.others.iter().find(|(_, value)| !value.is_null()) {
            None => Ok(()),
            Some((key, value)) => {
                let found = format!("{key}: {value}");
                supported(layout, "rotary position", &found, false, "rope_theta, rope_type")
            }
        }
    }
}

/// The base of rotary positions: `scaling`, if there is any, counts more than `parameters`, and the base in either more
/// than the one `beside` them.
pub(super) fn theta(
    scaling: Option<&Rope>,
    parameters: Option<&Rope>,
    beside: Option<f32>,
    default: f32,
) -> f32 {
    let rope = scaling.filter(|rope| !rope.is_empty()).or(parameters);
    rope.and_then(|rope| rope.rope_theta).or(beside).unwrap_or(default)
}

/// Refuses heads whose two halves cannot be rotated against each other.
pub(super) fn check_dim(layout: &Layout, dim: usize) -> Result<()> {
    sound(layout, "an even head_dim above 0", dim > 0 && dim.is_multiple_of(2))
}

/// Cosines and sines of the angles of positions `0..longest`, `[longest, dim / 2]` each.
pub(crate) fn angles(theta: f32, dim: usize, longest: usize) -> (Vec<f32>, Vec<f32>) {
    let speeds: Vec<f32> = (0..dim / 2).map(|i| 1.0 / theta.powf((2 * i) as f32 / dim as f32)).collect();
    let table =
        |f: fn(f32) -> f32| (0..longest).flat_map(|p| speeds.iter().map(move |s| f(p as f32 * s))).collect();
    (table(f32::cos), table(f32::sin))
}
