use std::collections::HashMap;

/// Puts rows together that share a value in any of several columns: one number a row, `[n]`, counted from 0 in the order
/// of their first rows. A row without a value shares it with none.
pub(super) fn groups(n: usize, columns: &[Vec<Option<String>>]) -> Vec<usize> {
    let mut parent: Vec<usize> = (0..n).collect();
    for values in columns {
        let mut first: HashMap<&str, usize> = HashMap::new();
        for (row, value) in values.iter().enumerate() {
            let Some(value) = value.as_deref() else { continue };
            let other = *first.entry(value).or_insert(row);
            let (a, b) = (root(&mut parent, row), root(&mut parent, other));
            parent[a.max(b)] = a.min(b);
        }
    }
    let mut numbers = HashMap::new();
    (0..n)
        .map(|row| {
            let root = root(&mut parent, row);
            let next = numbers.len();
            *numbers.entry(root).or_insert(next)
        })
        .collect()
}

fn root(parent: &mut [usize], mut row: usize) -> usize {
    while parent[row] != row {
        parent[row] = parent[parent[row]];
        row = parent[row];
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_share_any_value_are_together_also_by_way_of_others() {
        let a = [Some("x"), Some("y"), Some("z"), Some("y"), None, None];
        let b = [Some("1"), Some("2"), Some("1"), Some("3"), Some("4"), Some("5")];
        let column = |values: [Option<&str>; 6]| values.map(|v| v.map(String::from)).to_vec();
        assert_eq!(groups(6, &[column(a), column(b)]), [0, 1, 0, 1, 2, 3]);
        assert_eq!(groups(0, &[]), Vec::<usize>::new());
    }
}
