//! The files, by their path below `data/`.

/// One embedded file.
#[derive(Clone, Copy)]
pub(crate) struct File {
    /// Path below `data/`, with `/` between its parts.
    pub(crate) path: &'static str,
    pub(crate) bytes: &'static [u8],
}

#[cfg(not(feature = "files"))]
pub(crate) static FILES: &[File] = &[];

#[cfg(feature = "files")]
pub(crate) static FILES: &[File] = &[
    File { path: "minilm/config.json", bytes: include_bytes!("../../../data/minilm/config.json") },
    File {
        path: "minilm/config_sentence_transformers.json",
        bytes: include_bytes!("../../../data/minilm/config_sentence_transformers.json"),
    },
    File {
        path: "minilm/model.safetensors",
        bytes: include_bytes!("../../../data/minilm/model.safetensors"),
    },
    File { path: "minilm/modules.json", bytes: include_bytes!("../../../data/minilm/modules.json") },
    File {
        path: "minilm/sentence_bert_config.json",
        bytes: include_bytes!("../../../data/minilm/sentence_bert_config.json"),
    },
    File {
        path: "minilm/special_tokens_map.json",
        bytes: include_bytes!("../../../data/minilm/special_tokens_map.json"),
    },
    File { path: "minilm/tokenizer.json", bytes: include_bytes!("../../../data/minilm/tokenizer.json") },
    File {
        path: "minilm/tokenizer_config.json",
        bytes: include_bytes!("../../../data/minilm/tokenizer_config.json"),
    },
    File {
        path: "minilm/1_Pooling/config.json",
        bytes: include_bytes!("../../../data/minilm/1_Pooling/config.json"),
    },
    File { path: "medquad/medquad.parquet", bytes: include_bytes!("../../../data/medquad/medquad.parquet") },
    File { path: "medquad/pairs.parquet", bytes: include_bytes!("../../../data/medquad/pairs.parquet") },
    File {
        path: "clinc150/clinc150.parquet",
        bytes: include_bytes!("../../../data/clinc150/clinc150.parquet"),
    },
];

#[cfg(all(test, feature = "files"))]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::PathBuf;

    #[test]
    fn every_file_of_the_source_tree_is_embedded() {
        let data = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../data");
        let (mut expected, mut open) = (BTreeSet::new(), vec![data.clone()]);
        while let Some(dir) = open.pop() {
            for entry in fs::read_dir(dir).unwrap() {
                let path = entry.unwrap().path();
                let parts =
                    path.strip_prefix(&data).unwrap().iter().map(|part| part.to_string_lossy().into_owned());
                let name = parts.collect::<Vec<_>>().join("/");
                match path.is_dir() {
                    true => open.push(path),
                    false if name.ends_with("README.md") => {}
                    false => drop(expected.insert(name)),
                }
            }
        }
        let embedded: BTreeSet<String> = FILES.iter().map(|file| file.path.to_string()).collect();
        assert_eq!(embedded, expected);
    }
}
