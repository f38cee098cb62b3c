//! The adapter as NumPy matrices: `weight.npy` `[dim_in, dim_out]`, and `bias.npy` `[1, dim_out]` where there is one.
use crate::Result;
use manyview_adapter::Linear;
use manyview_core::Embeddings;
use manyview_data::write_npy;
use std::path::Path;

pub(super) fn write(dir: &Path, linear: &Linear) -> Result<()> {
    let matrix = |values: &[f32]| Embeddings::new(values.to_vec(), linear.dim_out());
    write_npy(&dir.join("weight.npy"), &matrix(linear.weight())?)?;
    if let Some(bias) = linear.bias() {
        write_npy(&dir.join("bias.npy"), &matrix(bias)?)?;
    }
    Ok(())
}
