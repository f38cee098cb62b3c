//! Writes the whole page, with maps of real projections, where a person can open it.

#[cfg(test)]
#[path = "../src/sample.rs"]
mod sample;

use manyview_core::{Embeddings, Result};
use manyview_report::{Curve, Fact, Map, Report, ViewsMetrics, ViewsSection, project};

/// `n` rows of `dim` values around as many centres as there are classes.
fn vectors(n: usize, dim: usize, classes: usize, spread: f32) -> Result<Embeddings> {
    let mut state = 17_u32;
    let mut uniform = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 24) as f32 - 0.5
    };
    let centres: Vec<Vec<f32>> = (0..classes).map(|_| (0..dim).map(|_| uniform()).collect()).collect();
    let rows: Vec<Vec<f32>> =
        (0..n).map(|i| centres[i % classes].iter().map(|c| c + uniform() * spread).collect()).collect();
    Embeddings::from_rows(rows)
}

#[test]
fn a_page_with_projected_maps_is_written() {
    let mut report = sample::report();
    for view in &mut report.sections {
        let (n, classes) = (view.maps[0].points.len(), view.maps[0].label_names.len());
        let spreads = [2.6, 1.7, 1.5].map(|s| vectors(n, 24, classes, s).unwrap());
        let maps = project(&spreads.each_ref(), 17).unwrap();
        for (map, points) in view.maps.iter_mut().zip(maps) {
            map.points = points;
        }
    }
    let at = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    for (name, text) in
        [("report.html", report.html()), ("report.md", report.markdown()), ("report.txt", report.table())]
    {
        manyview_core::publish::write_whole(&at.join(name), text.as_bytes()).unwrap();
        assert_eq!(std::fs::read_to_string(at.join(name)).unwrap(), text);
    }
}
