use crate::{Error, Result};

/// The longest key MLflow takes.
const LONGEST: usize = 250;

/// Refuses what MLflow would refuse as a key, or what would leave the directory of artifacts.
pub(crate) fn check(name: &str) -> Result<()> {
    let allowed = |c: char| c.is_alphanumeric() || "_-. /".contains(c);
    let part = |p: &str| !matches!(p, "" | "." | "..");
    if name.chars().count() <= LONGEST && name.chars().all(allowed) && name.split('/').all(part) {
        return Ok(());
    }
    Err(Error::Name { name: name.chars().take(LONGEST).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_leaves_its_directory_is_refused() {
        for bad in ["..", "a/../b", "/etc/passwd", "a//b", "a/", "./a", "", "a\\b", "a\nb", "c:x", "a%2e%2e"]
        {
            assert!(check(bad).is_err(), "{bad:?}");
        }
        assert!(check(&"k".repeat(251)).is_err());
    }

    #[test]
    fn usual_names_pass() {
        for good in ["loss", "views/topic/nmi", "fit.ridge lambda", "größe", "..a", &"k".repeat(250)] {
            assert!(check(good).is_ok(), "{good:?}");
        }
    }
}
