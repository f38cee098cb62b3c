use crate::{Error, Result};
use bhtsne::{Neighbor, tSNE};
use faer::{Mat, Side};
use manyview_core::Embeddings;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Below this t-SNE has no neighbourhoods to keep; the map is then the two first principal components.
const FEWEST: usize = 5;
/// About how many neighbours t-SNE keeps near.
const PERPLEXITY: f64 = 30.0;
/// How coarsely far points are taken together: Barnes–Hut's θ.
const ANGLE: f64 = 0.5;

/// A 2-D map of each view: for `views` of `[n, dim]` each (`dim` may differ), `n` points each, centred on the origin.
///
/// Barnes–Hut t-SNE over Euclidean distances (neighbours are exact, so time and memory grow with `n²`: meant for up to
/// about 1,000 rows), started from the principal components with a jitter drawn from `seed`, then turned and mirrored (Procrustes) to lie as
/// close as possible to the first map. The same input gives the same maps, whatever the number of threads.
///
/// # Errors
/// [`Error::Rows`] when the views differ in `n`; [`Error::Components`] when a view's values are too extreme.
pub fn project(views: &[&Embeddings], seed: u64) -> Result<Vec<Vec<[f32; 2]>>> {
    let n = views.first().map_or(0, |v| v.n());
    if let Some((view, v)) = views.iter().enumerate().find(|(_, v)| v.n() != n) {
        return Err(Error::Rows { view, expected: n, found: v.n() });
    }
    let mut maps = std::thread::scope(|scope| {
        let maps: Vec<_> = views.iter().map(|x| scope.spawn(|| alone(x, seed))).collect();
        let done = maps.into_iter().map(|map| map.join().unwrap_or_else(|e| std::panic::resume_unwind(e)));
        done.enumerate().map(|(view, map)| map?.ok_or(Error::Components { view })).collect::<Result<Vec<_>>>()
    })?;
    if let Some((first, rest)) = maps.split_first_mut() {
        rest.iter_mut().for_each(|map| align(map, first));
    }
    Ok(maps.into_iter().map(|map| map.into_iter().map(|[x, y]| [x as f32, y as f32]).collect()).collect())
}

/// One map on one thread: a sum over several depends on which of them took which part.
fn alone(x: &Embeddings, seed: u64) -> Result<Option<Vec<[f64; 2]>>> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
    Ok(pool.map_err(|source| Error::Thread { source })?.install(|| neighbourhoods(x, seed)))
}

fn neighbourhoods(x: &Embeddings, seed: u64) -> Option<Vec<[f64; 2]>> {
    let (n, gram) = (x.n(), gram(x));
    let components = principal_components(&gram)?;
    if n < FEWEST {
        return Some(components);
    }
    let spread = (components.iter().map(|p| p[0] * p[0]).sum::<f64>() / n as f64).sqrt();
    let scale = if spread > 0.0 { 1e-4 / spread } else { 0.0 };
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut jitter = || (f64::from(random.next_u32()) / f64::from(u32::MAX) - 0.5) * 1e-6;
    let start: Vec<f64> = components.iter().flatten().map(|v| v * scale + jitter()).collect();

    let perplexity = PERPLEXITY.min((n - 1) as f64 / 3.0);
    let near = neighbours(&gram, (3.0 * perplexity).round() as usize);
    let places: Vec<usize> = (0..n).collect();
    let mut tsne = tSNE::<f64, usize, 2>::new(&places);
    tsne.perplexity(perplexity).initial_embedding(start).barnes_hut_with_neighbors(ANGLE, &near);
    let mut map = tsne.embedding().as_chunks().0.to_vec();
    centre(&mut map);
    finite(map)
}

fn finite(map: Vec<[f64; 2]>) -> Option<Vec<[f64; 2]>> {
    map.iter().flatten().all(|v| v.is_finite()).then_some(map)
}

/// Dot products of the centred rows, `[n, n]`: components and distances both follow from them.
fn gram(x: &Embeddings) -> Mat<f64> {
    let mut mean = vec![0.0; x.dim()];
    for row in x.rows() {
        mean.iter_mut().zip(row).for_each(|(m, v)| *m += f64::from(*v) / x.n() as f64);
    }
    let centred = Mat::from_fn(x.n(), x.dim(), |i, j| f64::from(x.row(i)[j]) - mean[j]);
    &centred * centred.transpose()
}

/// Each row's first two principal components. The sign of each is chosen so that the value furthest from 0 is positive.
fn principal_components(gram: &Mat<f64>) -> Option<Vec<[f64; 2]>> {
    let n = gram.nrows();
    let eigen = gram.self_adjoint_eigen(Side::Lower).ok()?;
    let mut out = vec![[0.0; 2]; n];
    for axis in 0..n.min(2) {
        let column = n - 1 - axis; // eigenvalues ascend
        let vector = eigen.U().col(column);
        let length = eigen.S().column_vector()[column].max(0.0).sqrt();
        let furthest = vector.iter().copied().fold(0.0_f64, |a, b| if b.abs() > a.abs() { b } else { a });
        for (point, v) in out.iter_mut().zip(vector.iter()) {
            point[axis] = v * length * furthest.signum();
        }
    }
    finite(out)
}

/// The `count` nearest other rows of each row, nearest first.
fn neighbours(gram: &Mat<f64>, count: usize) -> Vec<Vec<Neighbor<f64>>> {
    let of = |i: usize| {
        let others = (0..gram.nrows()).filter(|j| *j != i);
        let mut near: Vec<_> = others
            .map(|j| Neighbor {
                index: j,
                distance: (gram[(i, i)] + gram[(j, j)] - 2.0 * gram[(i, j)]).max(0.0).sqrt(),
            })
            .collect();
        near.sort_by(|a, b| a.distance.total_cmp(&b.distance));
        near.truncate(count);
        near
    };
    (0..gram.nrows()).map(of).collect()
}

fn centre(map: &mut [[f64; 2]]) {
    let n = map.len() as f64;
    for axis in 0..2 {
        let mean = map.iter().map(|p| p[axis]).sum::<f64>() / n;
        map.iter_mut().for_each(|p| p[axis] -= mean);
    }
}

/// Turns and, where that fits better, mirrors a centred map to lie as close as possible to `onto`: least squares.
fn align(map: &mut [[f64; 2]], onto: &[[f64; 2]]) {
    let mut s = [[0.0; 2]; 2];
    for (from, to) in map.iter().zip(onto) {
        for (row, f) in s.iter_mut().zip(from) {
            row.iter_mut().zip(to).for_each(|(s, t)| *s += f * t);
        }
    }
    let [[xx, xy], [yx, yy]] = s;
    let turned = (xx + yy, xy - yx);
    let mirrored = (xx - yy, xy + yx);
    let better = mirrored.0.hypot(mirrored.1) > turned.0.hypot(turned.1);
    let ((cos, sin), flip) = if better { (mirrored, -1.0) } else { (turned, 1.0) };
    let length = cos.hypot(sin);
    if length > 0.0 {
        let (cos, sin) = (cos / length, sin / length);
        for p in map {
            let [x, y] = [p[0], p[1] * flip];
            *p = [cos * x - sin * y, sin * x + cos * y];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two clusters of `n / 2` rows, far apart along one axis.
    fn clusters(n: usize, dim: usize, seed: u64) -> Embeddings {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut noise = || random.next_u32() as f32 / u32::MAX as f32 - 0.5;
        let rows = (0..n).map(|i| {
            let mut row: Vec<f32> = (0..dim).map(|_| noise()).collect();
            row[0] += if i < n / 2 { -8.0 } else { 8.0 };
            row
        });
        Embeddings::from_rows(rows.collect::<Vec<_>>()).unwrap()
    }

    fn distance(a: [f32; 2], b: [f32; 2]) -> f32 {
        (a[0] - b[0]).hypot(a[1] - b[1])
    }

    #[test]
    fn the_same_vectors_give_the_same_maps() {
        let (a, b) = (clusters(60, 8, 1), clusters(60, 5, 2));
        assert_eq!(project(&[&a, &b], 3).unwrap(), project(&[&a, &b], 3).unwrap());
    }

    #[test]
    fn two_clusters_lie_apart() {
        let x = clusters(60, 8, 1);
        let map = &project(&[&x], 0).unwrap()[0];
        let nearest_is_of_the_same_cluster = (0..60).all(|i| {
            let by = |j: &usize, k: &usize| distance(map[i], map[*j]).total_cmp(&distance(map[i], map[*k]));
            let nearest = (0..60).filter(|j| *j != i).min_by(by).unwrap();
            (i < 30) == (nearest < 30)
        });
        assert!(nearest_is_of_the_same_cluster, "{map:?}");
    }

    #[test]
    fn a_turned_and_mirrored_map_is_laid_back() {
        let onto = [[1.0, 0.0], [-3.0, 1.0], [2.0, -1.0]];
        let (cos, sin) = (0.6, 0.8);
        let mut map = onto.map(|[x, y]: [f64; 2]| [cos * x - sin * y, -(sin * x + cos * y)]);
        align(&mut map, &onto);
        for (a, b) in map.iter().flatten().zip(onto.iter().flatten()) {
            assert!((a - b).abs() < 1e-12, "{map:?}");
        }
    }

    #[test]
    fn few_texts_and_equal_texts_have_maps() {
        for n in 1..=8 {
            let map = &project(&[&clusters(n, 3, 9)], 0).unwrap()[0];
            assert_eq!(map.len(), n);
        }
        let same = Embeddings::new(vec![0.5; 40], 4).unwrap();
        assert_eq!(project(&[&same], 0).unwrap()[0].len(), 10);
        assert_eq!(project(&[], 0).unwrap().len(), 0);
    }

    #[test]
    fn views_of_different_texts_are_refused() {
        let e = project(&[&clusters(6, 2, 0), &clusters(8, 2, 0)], 0).unwrap_err();
        assert!(matches!(e, Error::Rows { view: 1, expected: 6, found: 8 }), "{e}");
    }
}
