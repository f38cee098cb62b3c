use super::loader::indices;
use crate::Device;
use burn::tensor::{Int, Tensor};

/// A text is padded to a length that is at most a quarter more than its own.
const SLACK: usize = 4;

/// The texts of a packed batch as attention takes them: neighbours of equal length together or, where no token sees what
/// comes after it, of nearly equal length, padded at their ends. What is padded there is seen by no token of a text, so
/// no mask is needed but the causal one; all other steps have no padding.
pub(super) struct Groups(pub(super) Vec<Group>);

/// Neighbouring texts that go through attention as one tensor.
pub(super) struct Group {
    /// Where its first packed token stands.
    pub(super) token: usize,
    /// Number of packed tokens.
    pub(super) tokens: usize,
    /// Number of texts.
    pub(super) texts: usize,
    /// Tokens of each, padding included.
    pub(super) length: usize,
    /// None where all are of one length.
    pub(super) padding: Option<Padding>,
}

/// The way from packed to padded tokens and back.
pub(super) struct Padding {
    /// For each padded token, the packed one it is: `[texts * length]`.
    pub(super) into: Tensor<1, Int>,
    /// For each of the group's packed tokens, the padded one: `[tokens]`.
    pub(super) back: Tensor<1, Int>,
}

impl Groups {
    /// Of texts of these lengths in this order.
    pub(super) fn of(lengths: &[usize], causal: bool, device: &Device) -> Self {
        let (mut groups, mut rest, mut token) = (Vec::new(), lengths, 0);
        while let Some(&first) = rest.first() {
            let most = if causal { first + first / SLACK } else { first };
            let texts = rest.iter().take_while(|&&n| first <= n && n <= most).count();
            let (own, others) = rest.split_at(texts);
            let group = Group::of(own, token, device);
            token += group.tokens;
            groups.push(group);
            rest = others;
        }
        Self(groups)
    }
}

impl Group {
    fn of(lengths: &[usize], token: usize, device: &Device) -> Self {
        let (tokens, longest) = (lengths.iter().sum(), lengths.iter().copied().max().unwrap_or(0));
        let padding = lengths.iter().any(|&n| n != longest).then(|| {
            let starts = lengths.iter().scan(token, |next, &n| {
                *next += n;
                Some(*next - n)
            });
            let into = starts.zip(lengths).flat_map(|(at, &n)| (0..longest).map(move |i| at + i.min(n - 1)));
            let rows = lengths.iter().enumerate();
            let back = rows.flat_map(|(row, &n)| (0..n).map(move |i| row * longest + i));
            Padding { into: indices(into, device), back: indices(back, device) }
        });
        Self { token, tokens, texts: lengths.len(), length: longest, padding }
    }
}

#[cfg(all(test, feature = "train"))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn groups(lengths: &[usize], causal: bool) -> Groups {
        Groups::of(lengths, causal, &Device::flex())
    }

    fn values(of: &Tensor<1, Int>) -> Vec<usize> {
        of.to_data().iter::<i64>().map(|i| i as usize).collect()
    }

    proptest! {
        #[test]
        fn every_token_comes_back_from_its_padded_place(lengths in prop::collection::vec(1usize..40, 1..30)) {
            let mut next = 0;
            for group in groups(&lengths, true).0 {
                prop_assert_eq!(group.token, next);
                next += group.tokens;
                prop_assert!(4 * group.texts * group.length <= 5 * group.tokens, "too much padding");
                if let Some(padding) = &group.padding {
                    let (into, back) = (values(&padding.into), values(&padding.back));
                    prop_assert_eq!(into.len(), group.texts * group.length);
                    let found: Vec<usize> = back.iter().map(|&i| into[i]).collect();
                    prop_assert_eq!(found, (group.token..next).collect::<Vec<_>>());
                }
            }
            prop_assert_eq!(next, lengths.iter().sum::<usize>());
        }
    }

    #[test]
    fn texts_that_see_all_of_themselves_are_never_padded() {
        let found = groups(&[7, 7, 8, 9, 9], false);
        assert!(found.0.iter().all(|group| group.padding.is_none()));
        let shapes: Vec<_> = found.0.iter().map(|group| (group.texts, group.length)).collect();
        assert_eq!(shapes, [(2, 7), (1, 8), (2, 9)]);
    }

    #[test]
    fn nearly_equal_lengths_of_a_causal_model_go_together() {
        let found = groups(&[7, 8, 8, 10], true);
        let shapes: Vec<_> = found.0.iter().map(|group| (group.texts, group.length)).collect();
        assert_eq!(shapes, [(3, 8), (1, 10)]);
    }
}
