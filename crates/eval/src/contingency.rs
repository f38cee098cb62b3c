use std::collections::HashMap;

/// How often each class meets each cluster, over all texts or over a resample of them.
pub(crate) struct Table {
    /// Texts of each class.
    pub(crate) classes: Vec<usize>,
    /// Texts of each cluster.
    pub(crate) clusters: Vec<usize>,
    /// The pairs that occur, and how often.
    pub(crate) cells: Vec<Cell>,
    /// All texts.
    pub(crate) total: usize,
}

/// One pair of class and cluster.
#[derive(Clone, Copy)]
pub(crate) struct Cell {
    pub(crate) class: usize,
    pub(crate) cluster: usize,
    pub(crate) count: usize,
}

/// Two labelings of the same texts, with the cell of each text known beforehand, so that counting a resample takes
/// one step a text.
pub(crate) struct Contingency {
    cell_of: Vec<usize>,
    cells: Vec<Cell>,
    classes: usize,
    clusters: usize,
}

impl Contingency {
    /// `truth` and `found` have one length.
    pub(crate) fn new(truth: &[usize], found: &[usize]) -> Self {
        let (truth, classes) = dense(truth.iter().copied());
        let (found, clusters) = dense(found.iter().copied());
        let (cell_of, _) = dense(truth.iter().copied().zip(found.iter().copied()));
        let mut cells = Vec::new();
        for ((&cell, &class), &cluster) in cell_of.iter().zip(&truth).zip(&found) {
            if cell == cells.len() {
                cells.push(Cell { class, cluster, count: 0 });
            }
        }
        Self { cell_of, cells, classes, clusters }
    }

    /// The table over all texts.
    pub(crate) fn table(&self) -> Table {
        self.count(0..self.cell_of.len())
    }

    /// The table over `texts`, in which a text may repeat; what does not occur is left out.
    pub(crate) fn count(&self, texts: impl Iterator<Item = usize>) -> Table {
        let mut cells = self.cells.clone();
        texts.for_each(|text| cells[self.cell_of[text]].count += 1);
        cells.retain(|cell| cell.count > 0);
        let (mut classes, mut clusters) = (vec![0; self.classes], vec![0; self.clusters]);
        for cell in &cells {
            classes[cell.class] += cell.count;
            clusters[cell.cluster] += cell.count;
        }
        let total = classes.iter().sum();
        Table { classes, clusters, cells, total }
    }
}

/// Each label as its rank of first appearance, and the number of distinct labels.
pub(crate) fn dense<L: Eq + std::hash::Hash>(labels: impl Iterator<Item = L>) -> (Vec<usize>, usize) {
    let mut ranks = HashMap::new();
    let dense = labels
        .map(|label| {
            let next = ranks.len();
            *ranks.entry(label).or_insert(next)
        })
        .collect();
    (dense, ranks.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resample_counts_repeats_and_drops_what_is_absent() {
        let c = Contingency::new(&[7, 7, 9, 9], &[1, 2, 2, 2]);
        let t = c.count([0, 0, 0, 2].into_iter());
        assert_eq!((t.classes, t.clusters, t.total), (vec![3, 1], vec![3, 1], 4));
        let cells: Vec<_> = t.cells.iter().map(|c| (c.class, c.cluster, c.count)).collect();
        assert_eq!(cells, [(0, 0, 3), (1, 1, 1)]);
    }
}
