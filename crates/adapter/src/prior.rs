use crate::{Error, Result, matrix, ridge::same_dims};
use faer::{Mat, MatRef};
use manyview_core::Paired;
use serde::{Deserialize, Serialize};

/// What a strong penalty pulls the map towards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Prior {
    /// The encoder's own view: base and teacher must have one dimension.
    #[default]
    Identity,
    /// Nothing.
    Zero,
    /// The rotation that brings base closest to teacher; with different dimensions the closest map with orthonormal
    /// rows or columns.
    Procrustes,
}

impl Prior {
    /// The map itself, `[dim_in, dim_out]` row after row, or nothing for zero. `base` and `teacher` are the rows the
    /// ridge sees, centred where it centres.
    pub(crate) fn map(self, data: &Paired, base: &[f32], teacher: &[f32]) -> Result<Option<Vec<f32>>> {
        match self {
            Self::Identity => Ok(Some(matrix::identity(same_dims(data, "ridge towards the identity")?))),
            Self::Zero => Ok(None),
            Self::Procrustes => {
                let base = matrix::view(base, data.base().dim());
                Ok(Some(polar(base, matrix::view(teacher, data.teacher().dim()))?))
            }
        }
    }
}

/// `U V'` of the decomposition `X'Y = U S V'`.
fn polar(x: MatRef<'_, f32>, y: MatRef<'_, f32>) -> Result<Vec<f32>> {
    let cross: Mat<f32> = x.transpose() * y;
    let svd = cross
        .thin_svd()
        .map_err(|_| Error::Decomposition { what: "products of base and teacher vectors" })?;
    let rotation = svd.U() * svd.V().transpose();
    Ok(matrix::row_major(rotation.as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_data::normal;
    use manyview_core::Embeddings;

    #[test]
    fn a_rotation_is_recovered() {
        let (x, angle) = (normal(20, 2, 1), 0.7f32);
        let rotation = [angle.cos(), angle.sin(), -angle.sin(), angle.cos()];
        let mut y = vec![0.0; 40];
        matrix::add_product(&mut y, (x.as_slice(), 2), (&rotation, 2), faer::Par::Seq);
        let data = Paired::new(x, Embeddings::new(y, 2).unwrap()).unwrap();
        let found = Prior::Procrustes.map(&data, data.base().as_slice(), data.teacher().as_slice());
        assert!(found.unwrap().unwrap().iter().zip(rotation).all(|(a, b)| (a - b).abs() < 1e-5));
    }

    #[test]
    fn different_dimensions_give_orthonormal_rows() {
        let data = Paired::new(normal(20, 3, 1), normal(20, 5, 2)).unwrap();
        let p =
            Prior::Procrustes.map(&data, data.base().as_slice(), data.teacher().as_slice()).unwrap().unwrap();
        for (i, a) in p.chunks(5).enumerate() {
            for (j, b) in p.chunks(5).enumerate() {
                let dot: f32 = a.iter().zip(b).map(|(a, b)| a * b).sum();
                assert!((dot - f32::from(i == j)).abs() < 1e-5, "{i} {j} {dot}");
            }
        }
    }

    #[test]
    fn the_identity_refuses_different_dimensions() {
        let data = Paired::new(normal(20, 3, 1), normal(20, 5, 2)).unwrap();
        let e = Prior::Identity.map(&data, &[], &[]).unwrap_err();
        assert!(e.to_string().contains("expected 3") && e.to_string().contains("found 5"), "{e}");
    }
}
