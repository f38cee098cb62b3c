//! Longest common subsequences of words.

/// The length of the longest common subsequence.
pub(super) fn common_length(a: &[String], b: &[String]) -> usize {
    let mut row = vec![0usize; b.len() + 1];
    for word in a {
        let mut diagonal = 0;
        let mut left = 0;
        for (other, cell) in b.iter().zip(row.iter_mut().skip(1)) {
            let above = *cell;
            *cell = if word == other { diagonal + 1 } else { above.max(left) };
            diagonal = above;
            left = *cell;
        }
    }
    row.last().copied().unwrap_or_default()
}

/// The places in `a` of a longest common subsequence. Of several it is the one that goes back through `b` only where that
/// alone keeps the length, which is the one the reference implementation reads out of its table.
pub(super) fn common_places(a: &[String], b: &[String]) -> Vec<usize> {
    let width = b.len() + 1;
    let mut table = vec![0usize; (a.len() + 1) * width]; // [a + 1, b + 1]
    for (i, word) in a.iter().enumerate() {
        for (j, other) in b.iter().enumerate() {
            table[(i + 1) * width + j + 1] = match word == other {
                true => table[i * width + j] + 1,
                false => table[i * width + j + 1].max(table[(i + 1) * width + j]),
            };
        }
    }
    let (mut i, mut j) = (a.len(), b.len());
    let mut places = Vec::new();
    while i > 0 && j > 0 {
        if a[i - 1] == b[j - 1] {
            places.push(i - 1);
            i -= 1;
            j -= 1;
        } else if table[i * width + j - 1] > table[(i - 1) * width + j] {
            j -= 1;
        } else {
            i -= 1;
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_agree_on_the_length() {
        let words = |text: &str| text.chars().map(String::from).collect::<Vec<_>>();
        for (a, b) in [("abcbdab", "bdcaba"), ("", "a"), ("aaa", "aa"), ("xyz", "abc")] {
            let (a, b) = (words(a), words(b));
            assert_eq!(common_length(&a, &b), common_places(&a, &b).len());
        }
        assert_eq!(common_length(&words("abcbdab"), &words("bdcaba")), 4);
    }
}
