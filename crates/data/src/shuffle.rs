use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The numbers `0..n` in an order drawn from `seed`: the same in every release and on every platform, so splits are
/// written out here rather than left to a library's shuffle.
pub fn order(n: usize, seed: u64) -> Vec<usize> {
    let mut random = generator(seed);
    let mut order: Vec<usize> = (0..n).collect();
    for last in (1..n).rev() {
        order.swap(last, below(&mut random, last as u64 + 1) as usize);
    }
    order
}

fn generator(seed: u64) -> ChaCha8Rng {
    let mut bytes = [0; 32];
    for (to, from) in bytes.iter_mut().zip(seed.to_le_bytes()) {
        *to = from;
    }
    ChaCha8Rng::from_seed(bytes)
}

/// A number below `bound`, each equally likely: draws from the incomplete last interval are thrown away.
fn below(random: &mut impl Rng, bound: u64) -> u64 {
    let limit = u64::MAX - u64::MAX % bound;
    loop {
        let draw = random.next_u64();
        if draw < limit {
            return draw % bound;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_a_permutation_that_stays_the_same() {
        assert_eq!(order(8, 7), order(8, 7));
        assert_ne!(order(8, 7), order(8, 8));
        let mut sorted = order(100, 1);
        sorted.sort_unstable();
        assert_eq!(sorted, (0..100).collect::<Vec<_>>());
        assert_eq!(order(0, 1), Vec::<usize>::new());
        assert_eq!(order(1000, 7)[..6], [451, 156, 902, 396, 621, 935]);
    }

    #[test]
    fn every_place_is_equally_likely() {
        let mut counts = [0usize; 4];
        (0..4000).for_each(|seed| {
            let first = order(4, seed).first().copied().unwrap();
            *counts.get_mut(first).unwrap() += 1;
        });
        assert!(counts.iter().all(|&c| (900..1100).contains(&c)), "{counts:?}");
    }
}
