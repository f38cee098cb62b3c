use crate::{Embeddings, Error, Result, Targets};

/// Base vectors and teacher vectors of the same rows: the training data of a map.
#[derive(Clone, Debug)]
pub struct Paired {
    base: Embeddings,
    teacher: Embeddings,
}

impl Paired {
    /// Pairs row `i` of `base`, `[n, dim_in]`, with row `i` of `teacher`, `[n, dim_out]`.
    ///
    /// # Errors
    /// [`Error::Shape`] when the numbers of rows differ.
    pub fn new(base: Embeddings, teacher: Embeddings) -> Result<Self> {
        if base.n() != teacher.n() {
            return Err(Error::Shape {
                what: "teacher vectors".into(),
                expected: format!("{} rows, one for each base vector", base.n()),
                found: format!("{} rows", teacher.n()),
            });
        }
        Ok(Self { base, teacher })
    }

    /// The base vectors, `[n, dim_in]`.
    pub fn base(&self) -> &Embeddings {
        &self.base
    }

    /// The teacher vectors, `[n, dim_out]`.
    pub fn teacher(&self) -> &Embeddings {
        &self.teacher
    }
}

/// Base vectors and target values of the same texts: the training data of a head.
#[derive(Clone, Debug)]
pub struct Scored {
    base: Embeddings,
    targets: Targets,
}

impl Scored {
    /// Pairs row `i` of `base`, `[n, dim_in]`, with the target values of text `i`, `[n, dim_out]`.
    ///
    /// # Errors
    /// [`Error::Shape`] when the numbers of rows differ.
    pub fn new(base: Embeddings, targets: Targets) -> Result<Self> {
        if base.n() != targets.n() {
            return Err(Error::Shape {
                what: "targets".into(),
                expected: format!("{} rows, one for each base vector", base.n()),
                found: format!("{} rows", targets.n()),
            });
        }
        Ok(Self { base, targets })
    }

    /// The base vectors, `[n, dim_in]`.
    pub fn base(&self) -> &Embeddings {
        &self.base
    }

    /// The target values, `[n, dim_out]`.
    pub fn targets(&self) -> &Targets {
        &self.targets
    }
}
