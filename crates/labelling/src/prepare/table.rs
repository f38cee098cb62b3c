use manyview_core::Fingerprint;
use manyview_data::{Filter, ScoredText, Split};
use serde::{Deserialize, Serialize};

/// Rows of one tier in each part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TierRow {
    /// Name of the tier; `below` for rows below all thresholds.
    pub tier: String,
    /// The least weighted mean in it; none below all.
    pub threshold: Option<f64>,
    /// Rows in the training part.
    pub train: usize,
    /// Rows in the validation part.
    pub val: usize,
    /// Rows in the test part.
    pub test: usize,
}

/// The place of a row's tier among those of the filter; their number below all.
pub(super) fn tier(filter: &Filter, row: &ScoredText) -> usize {
    filter.tier_index(filter.weighted(&row.scores)).unwrap_or(filter.tiers.len())
}

/// How the rows of each tier are spread over the parts; `tiers` gives the tier of each row.
pub(super) fn tiers(filter: &Filter, tiers: &[usize], split: &Split) -> Vec<TierRow> {
    let count = |rows: &[usize], tier| rows.iter().filter(|&&row| tiers.get(row) == Some(&tier)).count();
    let row = |place: usize, tier: String, threshold| TierRow {
        tier,
        threshold,
        train: count(&split.train, place),
        val: count(&split.val, place),
        test: count(&split.test, place),
    };
    let named = filter.tiers.iter().enumerate();
    let mut table: Vec<TierRow> =
        named.map(|(place, tier)| row(place, tier.name.clone(), Some(tier.threshold))).collect();
    if tiers.contains(&filter.tiers.len()) {
        table.push(row(filter.tiers.len(), "below".into(), None));
    }
    table
}

/// Changes whenever the meaning of a score or of a tier does; descriptions and the prompt are no part of it.
pub fn filter_fingerprint(filter: &Filter) -> Fingerprint {
    let number = |value: f64| value.to_bits().to_le_bytes();
    let mut of = Fingerprint::builder("filter/1").field("name", filter.name.as_bytes());
    for dimension in &filter.dimensions {
        of = of.field("dimension", dimension.name.as_bytes()).field("weight", &number(dimension.weight));
    }
    for tier in &filter.tiers {
        of = of.field("tier", tier.name.as_bytes()).field("threshold", &number(tier.threshold));
    }
    filter.range.iter().fold(of, |of, &bound| of.field("range", &number(bound))).finish()
}
