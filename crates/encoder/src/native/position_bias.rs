/// What attention adds to its scores by how far a key is from its query: one table for all layers.
pub(super) struct PositionBias {
    table: Vec<f32>, // [heads, 2 * reach - 1], by the distance from 1 - reach to reach - 1
    reach: usize,
}

impl PositionBias {
    /// For texts of up to `reach` tokens: `of(head, distance)`, where the distance is the key's position less the query's.
    pub(super) fn new(heads: usize, reach: usize, of: impl Fn(usize, isize) -> f32) -> Self {
        let most = reach.cast_signed() - 1;
        let table = (0..heads).flat_map(|head| (-most..=most).map(move |distance| (head, distance)));
        Self { table: table.map(|(head, distance)| of(head, distance)).collect(), reach }
    }

    /// Adds to the scores of a query, one for each key from the first.
    pub(super) fn add(&self, head: usize, query: usize, scores: &mut [f32]) {
        let first = head * (2 * self.reach - 1) + self.reach - 1 - query;
        scores.iter_mut().zip(&self.table[first..]).for_each(|(score, bias)| *score += bias);
    }
}
