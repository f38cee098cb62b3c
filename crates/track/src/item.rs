use serde::Serialize;
use std::collections::BTreeMap;

/// What one request of `runs/log-batch` may hold.
const METRICS: usize = 1000;
const PARAMS: usize = 100;
const TAGS: usize = 100;
const BYTES: usize = 900_000;

/// How many characters a value may have.
const PARAM_VALUE: usize = 6000;
const TAG_VALUE: usize = 5000;

/// One value for `runs/log-batch`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub(crate) enum Item {
    Metric { key: String, value: f64, timestamp: u64, step: u64 },
    Param(Pair),
    Tag(Pair),
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Pair {
    key: String,
    value: String,
}

/// The values of one request.
#[derive(Default, Serialize)]
pub(crate) struct Batch<'a> {
    metrics: Vec<&'a Item>,
    params: Vec<&'a Item>,
    tags: Vec<&'a Item>,
}

impl Item {
    pub(crate) fn params(values: &BTreeMap<String, String>) -> impl Iterator<Item = Self> + '_ {
        values.iter().map(|(k, v)| Self::Param(Pair { key: k.clone(), value: shortened(v, PARAM_VALUE) }))
    }

    pub(crate) fn tags(values: &BTreeMap<String, String>) -> impl Iterator<Item = Self> + '_ {
        values.iter().map(|(k, v)| Self::tag(k, v))
    }

    pub(crate) fn tag(key: &str, value: &str) -> Self {
        Self::Tag(Pair { key: key.into(), value: shortened(value, TAG_VALUE) })
    }

    /// No fewer bytes than it takes as JSON: a byte may need six, `\u0000`, and the names of the fields fewer than 100.
    fn bytes(&self) -> usize {
        100 + 6 * match self {
            Self::Metric { key, .. } => key.len(),
            Self::Param(pair) | Self::Tag(pair) => pair.key.len() + pair.value.len(),
        }
    }
}

impl<'a> Batch<'a> {
    pub(crate) fn of(items: &'a [Item]) -> Self {
        let mut batch = Self::default();
        items.iter().for_each(|item| batch.list(item).push(item));
        batch
    }

    fn list(&mut self, item: &Item) -> &mut Vec<&'a Item> {
        match item {
            Item::Metric { .. } => &mut self.metrics,
            Item::Param(_) => &mut self.params,
            Item::Tag(_) => &mut self.tags,
        }
    }

    fn fits(&self) -> bool {
        let (metrics, params, tags) = (self.metrics.len(), self.params.len(), self.tags.len());
        params <= PARAMS && tags <= TAGS && metrics + params + tags <= METRICS
    }
}

/// `items` in order, in pieces that each fit into one request.
pub(crate) fn requests(mut items: &[Item]) -> Vec<&[Item]> {
    let mut requests = Vec::new();
    while !items.is_empty() {
        let (mut batch, mut bytes, mut count) = (Batch::default(), 0, 0);
        for item in items {
            batch.list(item).push(item);
            bytes += item.bytes();
            if count > 0 && (!batch.fits() || bytes > BYTES) {
                break;
            }
            count += 1;
        }
        let (request, rest) = items.split_at(count);
        requests.push(request);
        items = rest;
    }
    requests
}

fn shortened(value: &str, most: usize) -> String {
    if value.chars().count() <= most {
        return value.into();
    }
    value.chars().take(most - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metric(step: u64) -> Item {
        Item::Metric { key: "m".into(), value: 1.0, timestamp: 0, step }
    }

    fn param(value: String) -> Item {
        Item::Param(Pair { key: "k".into(), value })
    }

    #[test]
    fn requests_keep_every_item_in_order_within_the_limits_of_the_server() {
        let mut items: Vec<Item> = (0..2500).map(metric).collect();
        items.extend((0..250).map(|i| param(i.to_string())));
        items.extend((0..250).map(|i| Item::tag("t", &i.to_string())));
        let requests = requests(&items);
        assert_eq!(requests.concat(), items);
        for request in &requests {
            assert!(Batch::of(request).fits(), "{} items", request.len());
        }
        assert!(requests.len() <= 8, "{}", requests.len());
    }

    #[test]
    fn a_request_stays_below_a_megabyte_whatever_is_in_it() {
        let items: Vec<Item> =
            Item::params(&(0..100).map(|i| (i.to_string(), "\u{1}".repeat(9000))).collect()).collect();
        let requests = requests(&items);
        assert!(requests.len() > 1);
        for request in requests {
            let size = serde_json::to_vec(&Batch::of(request)).unwrap().len();
            assert!(size < 1_000_000, "{size}");
        }
    }

    #[test]
    fn a_value_too_long_is_cut_and_says_so() {
        let long = shortened(&"ü".repeat(6001), PARAM_VALUE);
        assert_eq!(long.chars().count(), 6000);
        assert!(long.ends_with('…'));
        assert_eq!(shortened("short", TAG_VALUE), "short");
    }
}
