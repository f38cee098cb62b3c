use super::gelu::Gelu;
use crate::architecture::post_norm::Activation;
use rten_simd::SimdUnaryOp;
use rten_vecmath::{ApproxGelu, Silu};

/// The function of `x`, in place.
pub(crate) fn apply(activation: Activation, x: &mut [f32]) {
    match activation {
        Activation::Gelu => Gelu.map_mut(x),
        Activation::GeluTanh => ApproxGelu {}.map_mut(x),
        Activation::Relu => x.iter_mut().for_each(|v| *v = v.max(0.0)),
        Activation::Silu => Silu {}.map_mut(x),
    }
}

/// The function of the first half of each row of `x`, `[rows, 2 * inner]`, times its second half: in place of the
/// first.
pub(super) fn gate(activation: Activation, x: &mut [f32], inner: usize) {
    for row in x.chunks_exact_mut(2 * inner) {
        let (gate, up) = row.split_at_mut(inner);
        apply(activation, gate);
        gate.iter_mut().zip(up).for_each(|(gate, up)| *gate *= *up);
    }
}
