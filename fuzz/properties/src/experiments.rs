use crate::scratch::{self, parts};
use manyview_pipeline::config::Suite;
use manyview_pipeline::resolved;

/// An experiment file with keys set over it: what is read is written with every key filled in, and that is read as the
/// same.
pub fn experiment(data: &[u8]) {
    let [text, overrides] = parts(data);
    let path = scratch::file("x.toml", text);
    let overrides: Vec<String> =
        String::from_utf8_lossy(overrides).lines().take(4).map(String::from).collect();
    let suite = match Suite::load(&path, &overrides) {
        Ok(suite) => suite,
        Err(e) => return scratch::refused(e.kind(), &e),
    };
    assert_eq!(suite.members().len(), suite.variants.len().max(1));
    let whole = resolved(&suite).unwrap();
    let again = Suite::parse(&whole, "resolved", &[]).unwrap_or_else(|e| panic!("{e}\n{whole}"));
    assert_eq!(resolved(&again).unwrap(), whole);
    let names = |suite: &Suite| suite.variants.iter().map(|v| v.name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&again), names(&suite));
    for (a, b) in suite.members().iter().zip(again.members()) {
        assert_eq!(format!("{:?}", a.1), format!("{:?}", b.1));
    }
}
