//! What the machine has free, where the system says.

use crate::{Error, Result};
use std::path::Path;

/// Weights are held as `f32`, and most are stored at half of that.
const MOST_GROWTH: u64 = 2;

/// Bytes of memory that are free or can be freed; none where the system does not say.
pub(crate) fn memory() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

/// Bytes free on the disk of `path`; none where the system does not say.
#[cfg(unix)]
pub(crate) fn disk(path: &Path) -> Option<u64> {
    let found = rustix::fs::statvfs(path).ok()?;
    found.f_bavail.checked_mul(found.f_frsize)
}

/// Bytes free on the disk of `path`; none where the system does not say.
#[cfg(not(unix))]
pub(crate) fn disk(_: &Path) -> Option<u64> {
    None
}

/// That the weights in `dir` may be held in memory.
///
/// # Errors
/// Too little memory for them.
pub(crate) fn fits(dir: &Path) -> Result<()> {
    let entries = std::fs::read_dir(dir).map_err(Error::io(dir))?.flatten();
    let weights = entries.filter(|entry| entry.path().extension().is_some_and(|e| e == "safetensors"));
    let bytes: u64 = weights.filter_map(|entry| entry.metadata().ok()).map(|file| file.len()).sum();
    match memory() {
        Some(free) if bytes.saturating_mul(MOST_GROWTH) > free => Err(Error::setting(
            "encoder.model",
            format!(
                "{} of weights, which may take {} in memory; found {} free",
                gib(bytes),
                gib(bytes * MOST_GROWTH),
                gib(free)
            ),
        )),
        _ => Ok(()),
    }
}

/// A number of bytes for people.
pub(crate) fn gib(bytes: u64) -> String {
    format!("{:.1} GiB", bytes as f64 / f64::from(1 << 30))
}
