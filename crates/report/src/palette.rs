use std::collections::BTreeMap;

/// Colours there are; the style sheet names them `c0` to `c11`.
const COLOURS: usize = 12;

/// Which label has which colour: the same in all maps of a view.
pub(crate) struct Palette {
    /// Labels with a colour of their own, in order of that colour.
    pub(crate) named: Vec<String>,
    /// How many labels share grey.
    pub(crate) others: usize,
}

impl Palette {
    /// Up to 12 labels keep their order and have a colour each; of more, the 11 most frequent do.
    pub(crate) fn new<'a>(order: &'a [String], used: impl Iterator<Item = &'a str>) -> Self {
        let mut counts = BTreeMap::<&str, usize>::new();
        used.for_each(|label| *counts.entry(label).or_default() += 1);
        let mut labels: Vec<&str> = Vec::new();
        for label in order.iter().map(String::as_str).chain(counts.keys().copied()) {
            if counts.contains_key(label) && !labels.contains(&label) {
                labels.push(label);
            }
        }
        let all = labels.len();
        if all > COLOURS {
            labels.sort_by_key(|label| std::cmp::Reverse(counts.get(label)));
            labels.truncate(COLOURS - 1);
        }
        Self { others: all - labels.len(), named: labels.into_iter().map(str::to_owned).collect() }
    }

    /// The colour of a label; `None` for grey.
    pub(crate) fn colour(&self, label: &str) -> Option<usize> {
        self.named.iter().position(|l| l == label)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_labels_the_most_frequent_have_colours() {
        let order: Vec<String> = (0..20).map(|i| format!("label {i}")).collect();
        let used = order.iter().enumerate().flat_map(|(i, l)| std::iter::repeat_n(l.as_str(), i + 1));
        let palette = Palette::new(&order, used);
        assert_eq!((palette.named.len(), palette.others), (11, 9));
        assert_eq!(palette.colour("label 19"), Some(0));
        assert_eq!(palette.colour("label 3"), None);
    }

    #[test]
    fn few_labels_keep_their_order() {
        let order = ["b", "a", "unused"].map(String::from);
        let palette = Palette::new(&order, ["a", "b", "a"].into_iter());
        assert_eq!((palette.named, palette.others), (vec!["b".to_owned(), "a".to_owned()], 0));
    }
}
