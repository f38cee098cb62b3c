use crate::{Embeddings, Error, Result};

/// Queries and the passages that answer them: the training data of a retrieval adapter.
///
/// ```
/// # use manyview_core::{Embeddings, QueryPassagePairs};
/// let queries = Embeddings::new(vec![1.0, 0.0, 0.0, 1.0], 2)?; // [2, 2]
/// let passages = Embeddings::new(vec![0.0, 1.0, 1.0, 0.0, 0.6, 0.8], 2)?; // [3, 2]
/// let pairs = QueryPassagePairs::new(queries, passages, vec![1, 0])?.with_negatives(vec![vec![2], vec![]])?;
/// assert_eq!(pairs.positive(), [1, 0]);
/// # Ok::<(), manyview_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct QueryPassagePairs {
    queries: Embeddings,
    passages: Embeddings,
    positive: Vec<usize>,
    negatives: Option<Vec<Vec<usize>>>,
    groups: Option<Vec<usize>>,
    grades: Option<Vec<f32>>,
}

impl QueryPassagePairs {
    /// Pairs query `i` of `queries`, `[n, dim]`, with passage `positive[i]` of `passages`, `[m, dim]`. A passage may
    /// answer several queries or none; a query with several passages is repeated for each.
    ///
    /// # Errors
    /// [`Error::Shape`] for different dimensions, a wrong number of positives, and a passage index out of range;
    /// [`Error::ZeroRow`] for a vector of norm 0.
    pub fn new(queries: Embeddings, passages: Embeddings, positive: Vec<usize>) -> Result<Self> {
        if queries.dim() != passages.dim() {
            return Err(shape(
                "passages",
                format!("vectors of {} values, as the queries", queries.dim()),
                format!("vectors of {}", passages.dim()),
            ));
        }
        one_a_query("positive passages", queries.n(), positive.len())?;
        there("positive passages", passages.n(), positive.iter().enumerate())?;
        directed("queries", &queries)?;
        directed("passages", &passages)?;
        Ok(Self { queries, passages, positive, negatives: None, groups: None, grades: None })
    }

    /// Adds negatives of each query, such as mined hard negatives: `[n]` lists of passage indices.
    ///
    /// # Errors
    /// [`Error::Shape`] for a wrong number of lists, a passage index out of range, and a query's own positive.
    pub fn with_negatives(self, negatives: Vec<Vec<usize>>) -> Result<Self> {
        one_a_query("lists of negatives", self.queries.n(), negatives.len())?;
        let all = negatives.iter().enumerate().flat_map(|(i, list)| list.iter().map(move |p| (i, p)));
        there("negatives", self.passages.n(), all)?;
        let mut own = negatives.iter().zip(&self.positive).map(|(list, p)| list.contains(p));
        match own.position(|own| own) {
            Some(i) => Err(shape(
                &format!("negatives of query {i}"),
                "other passages than its positive".into(),
                "its positive".into(),
            )),
            None => Ok(Self { negatives: Some(negatives), ..self }),
        }
    }

    /// Adds the group of each passage, `[m]`. Passages of one group, such as parts of one document, are never
    /// negatives of a query that another passage of the group answers.
    ///
    /// # Errors
    /// [`Error::Shape`] for a wrong number of groups.
    pub fn with_groups(self, groups: Vec<usize>) -> Result<Self> {
        if groups.len() != self.passages.n() {
            let expected = format!("{}, one for each passage", self.passages.n());
            return Err(shape("groups", expected, groups.len().to_string()));
        }
        Ok(Self { groups: Some(groups), ..self })
    }

    /// Adds a target similarity for each pair, `[n]` cosines from −1 to 1; without grades it is 1.
    ///
    /// # Errors
    /// [`Error::Shape`] for a wrong number of grades, and a grade out of range.
    pub fn with_grades(self, grades: Vec<f32>) -> Result<Self> {
        one_a_query("grades", self.queries.n(), grades.len())?;
        match grades.iter().enumerate().find(|(_, g)| !(-1.0..=1.0).contains(*g)) {
            Some((i, g)) => Err(shape(&format!("grade {i}"), "a cosine from -1 to 1".into(), g.to_string())),
            None => Ok(Self { grades: Some(grades), ..self }),
        }
    }

    /// The queries, `[n, dim]`.
    pub fn queries(&self) -> &Embeddings {
        &self.queries
    }

    /// The passages, `[m, dim]`.
    pub fn passages(&self) -> &Embeddings {
        &self.passages
    }

    /// The index of the passage that answers each query, `[n]`.
    pub fn positive(&self) -> &[usize] {
        &self.positive
    }

    /// The negatives of each query, `[n]` lists of passage indices.
    pub fn negatives(&self) -> Option<&[Vec<usize>]> {
        self.negatives.as_deref()
    }

    /// The group of each passage, `[m]`.
    pub fn groups(&self) -> Option<&[usize]> {
        self.groups.as_deref()
    }

    /// The target similarity of each pair, `[n]`.
    pub fn grades(&self) -> Option<&[f32]> {
        self.grades.as_deref()
    }
}

fn shape(what: &str, expected: String, found: String) -> Error {
    Error::Shape { what: what.into(), expected, found }
}

fn one_a_query(what: &str, n: usize, found: usize) -> Result<()> {
    match found == n {
        true => Ok(()),
        false => Err(shape(what, format!("{n}, one for each query"), found.to_string())),
    }
}

fn there<'a>(what: &str, m: usize, mut found: impl Iterator<Item = (usize, &'a usize)>) -> Result<()> {
    match found.find(|(_, p)| **p >= m) {
        Some((i, p)) => Err(shape(
            &format!("{what} of query {i}"),
            format!("below {m}, the number of passages"),
            p.to_string(),
        )),
        None => Ok(()),
    }
}

fn directed(what: &str, x: &Embeddings) -> Result<()> {
    let mut lengths = x.rows().map(|row| row.iter().map(|v| v * v).sum::<f32>().sqrt());
    match lengths.position(|length| !length.is_normal()) {
        Some(row) => Err(Error::ZeroRow { what: what.into(), row }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(n: usize) -> Embeddings {
        Embeddings::new(vec![1.0; n * 2], 2).unwrap()
    }

    fn pairs() -> QueryPassagePairs {
        QueryPassagePairs::new(rows(2), rows(3), vec![2, 0]).unwrap()
    }

    #[test]
    fn a_passage_that_is_not_there_is_refused_with_its_query() {
        let e = QueryPassagePairs::new(rows(2), rows(3), vec![0, 3]).unwrap_err();
        assert!(e.to_string().contains("query 1") && e.to_string().contains("below 3"), "{e}");
        let e = pairs().with_negatives(vec![vec![1, 7], vec![]]).unwrap_err();
        assert!(e.to_string().contains("query 0") && e.to_string().contains("found 7"), "{e}");
    }

    #[test]
    fn a_positive_among_the_negatives_is_refused() {
        let e = pairs().with_negatives(vec![vec![1], vec![1, 0]]).unwrap_err();
        assert!(e.to_string().contains("negatives of query 1"), "{e}");
    }

    #[test]
    fn a_vector_without_a_direction_is_refused_on_either_side() {
        let zero = Embeddings::new(vec![1.0, 0.0, 0.0, 0.0], 2).unwrap();
        let e = QueryPassagePairs::new(zero.clone(), rows(1), vec![0, 0]).unwrap_err();
        assert!(matches!(&e, Error::ZeroRow { what, row: 1 } if what == "queries"), "{e}");
        let e = QueryPassagePairs::new(rows(1), zero, vec![0]).unwrap_err();
        assert!(matches!(&e, Error::ZeroRow { what, row: 1 } if what == "passages"), "{e}");
    }

    #[test]
    fn other_numbers_than_of_queries_or_passages_are_refused() {
        assert!(QueryPassagePairs::new(rows(2), rows(3), vec![0]).is_err());
        assert!(
            QueryPassagePairs::new(rows(2), Embeddings::new(vec![1.0; 3], 3).unwrap(), vec![0, 0]).is_err()
        );
        assert!(pairs().with_negatives(vec![vec![1]]).is_err());
        assert!(pairs().with_groups(vec![0, 1]).is_err());
        assert!(pairs().with_grades(vec![0.5]).is_err());
        assert!(pairs().with_grades(vec![0.5, 1.5]).is_err());
        assert!(pairs().with_grades(vec![0.5, f32::NAN]).is_err());
        let whole = pairs().with_groups(vec![0, 1, 1]).unwrap().with_grades(vec![0.5, -1.0]).unwrap();
        assert_eq!((whole.groups().unwrap(), whole.grades().unwrap()), (&[0, 1, 1][..], &[0.5, -1.0][..]));
    }
}
