use crate::{Error, Fractions, Result, Split, shuffle};
use std::cmp::Reverse;
use std::collections::BTreeMap;

impl Split {
    /// Draws groups of rows, so that all rows of a group are in one part and each part holds, as far as whole groups
    /// allow, its share of each label; `codes` and `groups` give the label and the group of each row, `[n]`.
    ///
    /// A part is larger than that of [`Split::stratified`] by less than the largest group. Of groups of one row each,
    /// this is that split. The groups, shuffled and then sorted by size, are dealt out from the largest, each to the
    /// part that has room for it and lacks most of its labels.
    ///
    /// # Errors
    /// [`Error::Split`] when there are fewer groups than parts, or not one label and one group for each row.
    pub fn grouped(codes: &[usize], groups: &[usize], fractions: Fractions, seed: u64) -> Result<Self> {
        if codes.len() != groups.len() {
            let problem =
                format!("expected a group for each of {} rows, found {}", codes.len(), groups.len());
            return Err(Error::Split { problem });
        }
        let members = members(groups);
        let parts = fractions.parts();
        if members.len() < parts {
            let problem = format!(
                "expected at least {parts} groups, one for each part, found {}; group by another column",
                members.len()
            );
            return Err(Error::Split { problem });
        }
        if members.len() == codes.len() {
            return Self::stratified(codes, fractions, seed);
        }
        let totals = fractions.counts(codes.len())?;
        let mut order = shuffle::order(members.len(), seed);
        order.sort_by_key(|&group| Reverse(members[group].len()));
        let mut deal = Deal::new(codes, totals);
        let mut part_of = vec![0; members.len()];
        for &group in &order {
            part_of[group] = deal.give(&members[group]);
        }
        fill(&mut part_of, &members, totals);
        let rows =
            members.iter().zip(part_of).flat_map(|(rows, part)| rows.iter().map(move |&row| (row, part)));
        Ok(Self::of_parts(rows))
    }
}

/// The rows of each group, groups in the order of their first row.
fn members(groups: &[usize]) -> Vec<Vec<usize>> {
    let (mut places, mut members) = (BTreeMap::new(), Vec::<Vec<usize>>::new());
    for (row, group) in groups.iter().enumerate() {
        let place = *places.entry(group).or_insert(members.len());
        match members.get_mut(place) {
            Some(rows) => rows.push(row),
            None => members.push(vec![row]),
        }
    }
    members
}

/// What each part has and should have.
struct Deal<'a> {
    codes: &'a [usize],
    totals: [usize; 3],
    sizes: [usize; 3],
    /// Rows of each label in all.
    labels: BTreeMap<usize, usize>,
    /// Rows of each label by part.
    held: [BTreeMap<usize, usize>; 3],
}

impl<'a> Deal<'a> {
    fn new(codes: &'a [usize], totals: [usize; 3]) -> Self {
        let mut labels = BTreeMap::new();
        codes.iter().for_each(|&code| *labels.entry(code).or_insert(0) += 1);
        Self { codes, totals, sizes: [0; 3], labels, held: Default::default() }
    }

    /// Gives the rows of a group to a part, and says which.
    fn give(&mut self, rows: &[usize]) -> usize {
        let room = |part: usize| self.totals[part].saturating_sub(self.sizes[part]);
        let fits = (0..3).filter(|&part| room(part) >= rows.len());
        let lacking = |part: usize| (self.lack(part, rows), room(part));
        let better = |a: &usize, b: &usize| {
            let ((lack_a, room_a), (lack_b, room_b)) = (lacking(*a), lacking(*b));
            lack_a.total_cmp(&lack_b).then(room_a.cmp(&room_b)).then(b.cmp(a))
        };
        let widest = (0..3).max_by_key(|&part| (room(part), Reverse(part))).unwrap_or(0);
        let part = fits.max_by(better).unwrap_or(widest);
        self.sizes[part] += rows.len();
        for &row in rows {
            *self.held[part].entry(self.codes[row]).or_insert(0) += 1;
        }
        part
    }

    /// How much of its share of the labels of `rows` a part still lacks: 1 for all of it, below 0 for too much.
    fn lack(&self, part: usize, rows: &[usize]) -> f64 {
        let share = self.totals[part] as f64 / self.codes.len() as f64;
        let lack = |&row: &usize| {
            let label = self.codes[row];
            let due = share * self.labels.get(&label).copied().unwrap_or(0) as f64;
            (due - self.held[part].get(&label).copied().unwrap_or(0) as f64) / due
        };
        rows.iter().map(lack).sum::<f64>() / rows.len() as f64
    }
}

/// Gives a part that large groups left empty the smallest group of the part with the most.
fn fill(part_of: &mut [usize], members: &[Vec<usize>], totals: [usize; 3]) {
    for empty in (0..3).filter(|&part| totals[part] > 0) {
        let groups = |part: usize| part_of.iter().filter(|&&p| p == part).count();
        if groups(empty) > 0 {
            continue;
        }
        let most = (0..3).max_by_key(|&part| groups(part)).unwrap_or(0);
        let smallest = (0..members.len())
            .filter(|&group| part_of[group] == most)
            .min_by_key(|&group| members[group].len());
        if let Some(group) = smallest {
            part_of[group] = empty;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fractions(train: f64, val: f64) -> Fractions {
        Fractions::new(train, val, 1.0 - train - val).unwrap()
    }

    #[test]
    fn a_grouped_split_stays_the_same_from_release_to_release() {
        let (codes, groups) = ([0, 0, 1, 1, 0, 1, 0, 1, 0, 0], [0, 0, 0, 1, 1, 2, 3, 4, 5, 5]);
        let split = Split::grouped(&codes, &groups, fractions(0.6, 0.2), 7).unwrap();
        assert_eq!((split.train, split.val, split.test), (vec![0, 1, 2, 5, 6, 7], vec![8, 9], vec![3, 4]));
    }

    #[test]
    fn groups_of_one_row_are_split_as_rows() {
        let codes: Vec<usize> = (0..40).map(|row| row % 3).collect();
        let groups: Vec<usize> = (0..40).collect();
        let grouped = Split::grouped(&codes, &groups, fractions(0.8, 0.1), 3).unwrap();
        assert_eq!(grouped, Split::stratified(&codes, fractions(0.8, 0.1), 3).unwrap());
    }

    #[test]
    fn parts_of_small_groups_hold_their_shares_of_each_label() {
        let groups: Vec<usize> = (0..900).map(|row| row * 7 % 300).collect();
        let codes: Vec<usize> = (0..900).map(|row| [0, 0, 0, 1, 1, 2][row * 31 % 6]).collect();
        let split = Split::grouped(&codes, &groups, fractions(0.8, 0.1), 1).unwrap();
        for (rows, share) in [(&split.train, 0.8), (&split.val, 0.1), (&split.test, 0.1)] {
            for label in 0..3 {
                let all = codes.iter().filter(|&&code| code == label).count() as f64;
                let held = rows.iter().filter(|&&row| codes[row] == label).count() as f64;
                assert!((held - share * all).abs() <= 3.0, "label {label}: {held} of {all} for {share}");
            }
        }
    }

    #[test]
    fn a_part_too_small_for_any_group_gets_the_smallest() {
        let groups = [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 4];
        let split = Split::grouped(&[0; 11], &groups, fractions(0.8, 0.1), 1).unwrap();
        let sizes = [split.train.len(), split.val.len(), split.test.len()];
        assert_eq!(sizes, [7, 2, 2]);
        let halves = Split::grouped(&[0; 11], &groups, fractions(0.5, 0.0), 1).unwrap();
        assert!(halves.val.is_empty() && !halves.test.is_empty());
    }

    #[test]
    fn too_few_groups_are_refused_with_the_cure() {
        let e = Split::grouped(&[0; 9], &[0, 0, 0, 0, 1, 1, 1, 1, 1], fractions(0.8, 0.1), 1).unwrap_err();
        assert!(
            e.to_string().contains("at least 3 groups") && e.to_string().contains("another column"),
            "{e}"
        );
        assert!(Split::grouped(&[0; 9], &[0; 8], fractions(0.8, 0.1), 1).is_err());
    }

    proptest! {
        #[test]
        fn no_group_straddles_parts_and_every_row_is_in_one(
            rows in prop::collection::vec((0usize..4, 0usize..12), 20..200),
            train in 0.3f64..0.8, of_rest in 0.1f64..0.9, seed: u64,
        ) {
            let (codes, groups): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
            let members = members(&groups);
            prop_assume!(members.len() >= 3);
            let shares = fractions(train, (1.0 - train) * of_rest);
            let split = Split::grouped(&codes, &groups, shares, seed).unwrap();
            prop_assert_eq!(&split, &Split::grouped(&codes, &groups, shares, seed).unwrap());
            let parts = [&split.train, &split.val, &split.test];
            for rows in &members {
                let in_parts = parts.iter().filter(|part| rows.iter().any(|row| part.contains(row))).count();
                prop_assert_eq!(in_parts, 1);
            }
            let mut all = parts.map(Vec::as_slice).concat();
            all.sort_unstable();
            prop_assert_eq!(all, (0..codes.len()).collect::<Vec<_>>());
            let largest = members.iter().map(Vec::len).max().unwrap();
            for (part, total) in parts.into_iter().zip(shares.counts(codes.len()).unwrap()) {
                prop_assert!(part.is_sorted() && !part.is_empty());
                prop_assert!(part.len() < total + largest, "{} rows for {}", part.len(), total);
            }
        }
    }
}
