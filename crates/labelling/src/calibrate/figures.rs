use super::settings::Settings;
use super::{Group, SAMPLED};
use manyview_data::{Filter, ScoredText};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How the texts of a group were scored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupFigures {
    /// The group.
    pub group: Group,
    /// Texts in it.
    pub rows: usize,
    /// The mean of their weighted means.
    pub mean: f64,
    /// Where weighted means were expected.
    pub expected: Option<[f64; 2]>,
    /// The share of texts there.
    pub agreement: Option<f64>,
    /// Its 95% interval, by Wilson's score.
    pub interval: Option<[f64; 2]>,
    /// Texts elsewhere, those furthest off first: name, title, weighted mean.
    pub elsewhere: Vec<(String, String, f64)>,
}

/// How one dimension was scored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DimensionFigures {
    /// Its name.
    pub name: String,
    /// The mean of all texts.
    pub mean: f64,
    /// The standard deviation of all texts.
    pub sd: f64,
    /// The share at the least score, texts off the topic aside.
    pub at_least: f64,
    /// The share at the greatest score, texts off the topic aside.
    pub at_greatest: f64,
}

/// How far labels of the same texts are from each other: what no model of them can pass.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Disagreement {
    /// Pairs of labels of the same text.
    pub pairs: usize,
    /// Mean absolute difference of the weighted means.
    pub weighted: f64,
    /// Mean absolute difference in each dimension, `[d]`.
    pub dimensions: Vec<f64>,
    /// The share of pairs in different tiers.
    pub tiers: f64,
}

/// What the sample cost and a batch would.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CostFigures {
    /// What all answers in the ledger cost.
    pub so_far: f64,
    /// Of one answer, on average, unusable ones included.
    pub each: f64,
    /// Of a batch of that many texts.
    pub batch: Option<(usize, f64)>,
    /// What it is counted in.
    pub currency: String,
}

/// The group that a row of a sample is marked with.
pub(super) fn group_of(row: &ScoredText) -> Option<Group> {
    let mark = row.article.fields.get(SAMPLED)?.get("group")?.as_str()?;
    Group::ALL.into_iter().find(|group| group.name() == mark)
}

/// Each group that has texts, with them.
pub(super) fn groups(
    rows: &[(Group, ScoredText)],
    filter: &Filter,
    settings: &Settings,
) -> Vec<GroupFigures> {
    let of = |group: Group| {
        let rows: Vec<(&ScoredText, f64)> = rows
            .iter()
            .filter(|(g, _)| *g == group)
            .map(|(_, row)| (row, filter.weighted(&row.scores)))
            .collect();
        let expected = settings.expected.get(group.name()).copied();
        let off = |mean: f64| expected.map_or(0.0, |[low, high]| (low - mean).max(mean - high).max(0.0));
        const ROUNDING: f64 = 1e-9;
        let mut elsewhere: Vec<_> = rows.iter().filter(|(_, mean)| off(*mean) > ROUNDING).collect();
        elsewhere.sort_by(|a, b| off(b.1).total_cmp(&off(a.1)));
        let within = rows.len() - elsewhere.len();
        GroupFigures {
            group,
            rows: rows.len(),
            mean: mean(rows.iter().map(|(_, mean)| *mean)),
            expected,
            agreement: expected.map(|_| within as f64 / rows.len() as f64),
            interval: expected.map(|_| wilson(within, rows.len())),
            elsewhere: elsewhere
                .into_iter()
                .map(|(row, mean)| (row.article.id.clone(), row.article.title.clone(), *mean))
                .collect(),
        }
    };
    let there = |group: &Group| rows.iter().any(|(g, _)| g == group);
    Group::ALL.into_iter().filter(there).map(of).collect()
}

/// Each dimension over all rows.
pub(super) fn dimensions(rows: &[(Group, ScoredText)], filter: &Filter) -> Vec<DimensionFigures> {
    let [least, greatest] = filter.range;
    let of = |(place, name): (usize, &str)| {
        let score = |row: &ScoredText| row.scores.get(place).copied().unwrap_or_default();
        let all: Vec<f64> = rows.iter().map(|(_, row)| score(row)).collect();
        let topical: Vec<f64> =
            rows.iter().filter(|(g, _)| *g != Group::Negative).map(|(_, row)| score(row)).collect();
        let share = |end: f64| {
            topical.iter().filter(|&&score| score == end).count() as f64 / topical.len().max(1) as f64
        };
        let middle = mean(all.iter().copied());
        let variance = mean(all.iter().map(|score| (score - middle).powi(2)));
        DimensionFigures {
            name: name.into(),
            mean: middle,
            sd: variance.sqrt(),
            at_least: share(least),
            at_greatest: share(greatest),
        }
    };
    filter.names().into_iter().enumerate().map(of).collect()
}

/// How far `again`, labels of the same texts, are from `rows`; none where no text is in both.
pub(super) fn disagreement(
    rows: &[(Group, ScoredText)],
    again: &[ScoredText],
    filter: &Filter,
) -> Option<Disagreement> {
    let first: BTreeMap<&str, &[f64]> =
        rows.iter().map(|(_, row)| (row.article.id.as_str(), row.scores.as_slice())).collect();
    let pairs: Vec<(&[f64], &[f64])> = again
        .iter()
        .filter_map(|row| Some((*first.get(row.article.id.as_str())?, row.scores.as_slice())))
        .collect();
    let differ = |of: &dyn Fn(&[f64]) -> f64| mean(pairs.iter().map(|(a, b)| (of(a) - of(b)).abs()));
    let tier = |scores: &[f64]| filter.tier_index(filter.weighted(scores));
    (!pairs.is_empty()).then(|| Disagreement {
        pairs: pairs.len(),
        weighted: differ(&|scores| filter.weighted(scores)),
        dimensions: (0..filter.dimensions.len())
            .map(|place| differ(&|scores| scores.get(place).copied().unwrap_or_default()))
            .collect(),
        tiers: mean(pairs.iter().map(|(a, b)| f64::from(u8::from(tier(a) != tier(b))))),
    })
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, n) = values.fold((0.0, 0usize), |(sum, n), value| (sum + value, n + 1));
    if n == 0 { 0.0 } else { sum / n as f64 }
}

/// The 95% interval of a share of `n`, after Wilson (1927).
fn wilson(within: usize, n: usize) -> [f64; 2] {
    const Z: f64 = 1.959_963_984_540_054;
    let (n, share) = (n as f64, within as f64 / n as f64);
    let middle = share + Z * Z / (2.0 * n);
    let half = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + Z * Z / n;
    [((middle - half) / scale).max(0.0), ((middle + half) / scale).min(1.0)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_of_a_share_is_wilsons() {
        // scipy.stats.binomtest(16, 20).proportion_ci(method="wilson")
        let [low, high] = wilson(16, 20);
        assert!((low - 0.583_983).abs() < 1e-5 && (high - 0.919_342).abs() < 1e-5, "{low} {high}");
        assert!(wilson(20, 20)[1] <= 1.0 && wilson(0, 20)[0] >= 0.0);
    }
}
