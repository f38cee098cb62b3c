use super::layouts::Written;
use crate::error::list;
use crate::{Error, Result};
use std::path::{Path, PathBuf};

const STEMS: [&str; 2] = ["config", "filter"];
const ENDS: [&str; 3] = ["toml", "yaml", "yml"];

/// The file of the filter at `path`: itself, or the only one of its names in that directory.
pub(super) fn find(path: &Path) -> Result<PathBuf> {
    if !path.is_dir() {
        return Ok(path.into());
    }
    let names = STEMS.iter().flat_map(|stem| ENDS.iter().map(move |end| format!("{stem}.{end}")));
    let found: Vec<PathBuf> = names.map(|name| path.join(name)).filter(|path| path.is_file()).collect();
    match found.as_slice() {
        [only] => Ok(only.clone()),
        [] => Err(Error::file(
            path,
            format!(
                "expected the file of a filter, `config` or `filter` ending in .toml, .yaml or .yml, found {}; name \
                 the directory of one version, such as filters/NAME/v1",
                list(&inside(path))
            ),
        )),
        several => {
            let names: Vec<String> = several.iter().map(|path| path.display().to_string()).collect();
            Err(Error::file(path, format!("expected one file of a filter, found {}; name it", list(&names))))
        }
    }
}

/// What a file says, by the format its name ends in.
pub(super) fn read(path: &Path) -> Result<Written> {
    let text = std::fs::read_to_string(path).map_err(Error::io(path))?;
    let end = path.extension().and_then(|end| end.to_str()).unwrap_or_default().to_lowercase();
    match end.as_str() {
        "toml" => {
            let wrong = |e: toml::de::Error| Error::file(path, e.to_string().trim_end().to_string());
            let read = toml::Deserializer::parse(&text).map_err(wrong)?;
            serde_path_to_error::deserialize(read).map_err(|e| {
                let at = e.path().to_string();
                Error::file(path, format!("{at}: {}", e.into_inner().message()))
            })
        }
        "yaml" | "yml" => serde_saphyr::from_str(&text)
            .map_err(|e| Error::file(path, format!("{}; repair that line", e.without_snippet()))),
        _ => Err(Error::file(path, "expected a filter, a file that ends in .toml, .yaml or .yml")),
    }
}

fn inside(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.map(|e| e.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}
