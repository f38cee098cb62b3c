use super::false_negatives::FalseNegativeMask;
use super::{ContrastiveConfig, ContrastiveLoss, Negatives};
use manyview_core::QueryPassagePairs;

/// The rows of one step.
#[derive(Debug, PartialEq)]
pub(super) struct Batch {
    /// Rows of the queries; of pairs, the first of each.
    pub(super) queries: Vec<usize>,
    /// Rows of the passages; of pairs, the second of each. None are all passages.
    pub(super) passages: Option<Vec<usize>>,
    pub(super) labels: Labels,
}

/// What is known of the rows of a batch.
#[derive(Debug, PartialEq)]
pub(super) enum Labels {
    /// Each query is to be nearer to its positive than to the other passages.
    Ranked {
        /// The place of each query's positive among the passages.
        positive: Vec<usize>,
        /// The places of passages that are no negatives of each query, its positive among them; ascending.
        masked: Vec<Vec<usize>>,
    },
    /// How well each pair matches.
    Graded(Vec<f32>),
}

/// Makes the batches of a training.
pub(super) struct Batches<'a> {
    data: &'a QueryPassagePairs,
    mask: Option<FalseNegativeMask>,
    loss: ContrastiveLoss,
    negatives: Negatives,
}

impl<'a> Batches<'a> {
    pub(super) fn new(config: &ContrastiveConfig, data: &'a QueryPassagePairs) -> Self {
        let mask = config.mask_duplicates.then(|| FalseNegativeMask::new(data));
        Self { data, mask, loss: config.loss, negatives: config.negatives }
    }

    /// The batch of some queries.
    pub(super) fn of(&self, queries: &[usize]) -> Batch {
        let matches = || queries.iter().filter_map(|q| Some((*q, *self.data.positive().get(*q)?)));
        match (self.loss, self.negatives) {
            (ContrastiveLoss::MultipleNegativesRanking, Negatives::Batch) => self.ranked(queries, matches()),
            (ContrastiveLoss::MultipleNegativesRanking, Negatives::Corpus) => {
                let masked = matches().map(|(query, positive)| match &self.mask {
                    Some(mask) => mask.masked(query, positive),
                    None => vec![positive],
                });
                Batch {
                    queries: queries.to_vec(),
                    passages: None,
                    labels: Labels::Ranked {
                        positive: matches().map(|(_, positive)| positive).collect(),
                        masked: masked.collect(),
                    },
                }
            }
            _ => self.pairs(matches()),
        }
    }

    fn ranked(&self, queries: &[usize], matches: impl Iterator<Item = (usize, usize)> + Clone) -> Batch {
        let negatives = queries.iter().flat_map(|q| self.negatives_of(*q).iter().copied());
        let passages: Vec<usize> = matches.clone().map(|(_, positive)| positive).chain(negatives).collect();
        let masked = matches.enumerate().map(|(row, (query, positive))| match &self.mask {
            None => vec![row],
            Some(mask) => {
                let places = passages.iter().enumerate();
                places.filter(|(_, p)| mask.masks(query, positive, **p)).map(|(place, _)| place).collect()
            }
        });
        let masked = masked.collect();
        let labels = Labels::Ranked { positive: (0..queries.len()).collect(), masked };
        Batch { queries: queries.to_vec(), passages: Some(passages), labels }
    }

    /// Each query with its positive, then with its negatives; where none are given and nothing is graded, with the
    /// positive of the query after it.
    fn pairs(&self, matches: impl Iterator<Item = (usize, usize)> + Clone) -> Batch {
        let grades = self.data.grades();
        let (mut queries, mut passages, mut known) = (Vec::new(), Vec::new(), Vec::new());
        let mut add = |query: usize, passage: usize, grade: f32| {
            queries.push(query);
            passages.push(passage);
            known.push(grade);
        };
        for (query, positive) in matches.clone() {
            add(query, positive, grades.and_then(|g| g.get(query)).copied().unwrap_or(1.0));
        }
        if self.data.negatives().is_none() && grades.is_none() {
            let after = matches.clone().skip(1).chain(matches.clone().take(1));
            for ((query, positive), (_, other)) in matches.zip(after) {
                let same = match &self.mask {
                    Some(mask) => mask.masks(query, positive, other),
                    None => other == positive,
                };
                if !same {
                    add(query, other, 0.0);
                }
            }
        } else {
            for (query, _) in matches {
                self.negatives_of(query).iter().for_each(|negative| add(query, *negative, 0.0));
            }
        }
        Batch { queries, passages: Some(passages), labels: Labels::Graded(known) }
    }

    fn negatives_of(&self, query: usize) -> &[usize] {
        self.data.negatives().and_then(|all| all.get(query)).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_data::normal;

    fn matched() -> QueryPassagePairs {
        QueryPassagePairs::new(normal(4, 2, 1), normal(6, 2, 2), vec![3, 1, 3, 0]).unwrap()
    }

    fn batch(config: &ContrastiveConfig, data: &QueryPassagePairs, queries: &[usize]) -> Batch {
        Batches::new(config, data).of(queries)
    }

    fn ranked(positive: &[usize], masked: &[&[usize]]) -> Labels {
        let masked = masked.iter().map(|b| b.to_vec()).collect();
        Labels::Ranked { positive: positive.to_vec(), masked }
    }

    #[test]
    fn a_batch_ranks_its_positives_and_negatives_and_leaves_duplicates_out() {
        let data = matched().with_negatives(vec![vec![5], vec![], vec![4, 5], vec![3]]).unwrap();
        let config = ContrastiveConfig::default();
        let found = batch(&config, &data, &[2, 3, 0]);
        assert_eq!(found.passages, Some(vec![3, 0, 3, 4, 5, 3, 5]));
        assert_eq!(found.labels, ranked(&[0, 1, 2], &[&[0, 2, 5], &[1], &[0, 2, 5]]));
        let plain = ContrastiveConfig { mask_duplicates: false, ..config };
        assert_eq!(batch(&plain, &data, &[2, 3, 0]).labels, ranked(&[0, 1, 2], &[&[0], &[1], &[2]]));
    }

    #[test]
    fn a_corpus_is_ranked_whole() {
        let data = matched().with_groups(vec![0, 1, 1, 2, 3, 4]).unwrap();
        let config = ContrastiveConfig { negatives: Negatives::Corpus, ..Default::default() };
        let found = batch(&config, &data, &[1, 3]);
        assert_eq!(found.passages, None);
        assert_eq!(found.labels, ranked(&[1, 0], &[&[1, 2], &[0]]));
        let plain = ContrastiveConfig { mask_duplicates: false, ..config };
        assert_eq!(batch(&plain, &data, &[1, 3]).labels, ranked(&[1, 0], &[&[1], &[0]]));
    }

    #[test]
    fn pairs_take_given_negatives_or_the_positive_of_the_next_query() {
        let config = ContrastiveConfig { loss: ContrastiveLoss::Contrastive, ..Default::default() };
        let found = batch(&config, &matched(), &[0, 2, 1]);
        assert_eq!((found.queries, found.passages), (vec![0, 2, 1, 2, 1], Some(vec![3, 3, 1, 1, 3])));
        assert_eq!(found.labels, Labels::Graded(vec![1.0, 1.0, 1.0, 0.0, 0.0]));
        let given = matched().with_negatives(vec![vec![4], vec![], vec![], vec![1, 2]]).unwrap();
        let found = batch(&config, &given, &[3, 1]);
        assert_eq!((found.queries, found.passages), (vec![3, 1, 3, 3], Some(vec![0, 1, 1, 2])));
        let graded = matched().with_grades(vec![0.2, 0.4, 0.6, 0.8]).unwrap();
        assert_eq!(batch(&config, &graded, &[3, 1]).labels, Labels::Graded(vec![0.8, 0.4]));
    }
}
