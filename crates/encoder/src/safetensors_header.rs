use crate::{Error, Result, json_file};
use safetensors::tensor::Metadata;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use std::collections::HashSet;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// A header larger than this is no header: a hundred bytes a tensor make some ten kilobytes of most models.
const LARGEST: u64 = 4 << 20;

/// Reads the header of a safetensors file, and checks that the file is exactly as long as it says; gives where the
/// values begin as well.
pub(crate) fn read(path: &Path) -> Result<(Metadata, u64)> {
    let mut file = File::open(path).map_err(Error::io(path))?;
    let length = file.metadata().map_err(Error::io(path))?.len();
    let mut size = [0; 8];
    let cut = |expected: u64| {
        Error::file(
            path,
            format!("expected {expected} bytes, found {length}; the file was cut: fetch it again"),
        )
    };
    if length < 8 {
        return Err(cut(8));
    }
    file.read_exact(&mut size).map_err(Error::io(path))?;
    if &size == b"version " {
        let mut head = size.to_vec();
        Read::by_ref(&mut file).take(200).read_to_end(&mut head).map_err(Error::io(path))?;
        json_file::refuse_pointer(path, &head)?;
    }
    let size = u64::from_le_bytes(size);
    if size > LARGEST {
        return Err(Error::file(path, "not a safetensors file: its header would be larger than 4 MiB"));
    }
    if length < 8 + size {
        return Err(cut(8 + size));
    }
    let mut json = vec![0; size as usize];
    file.read_exact(&mut json).map_err(Error::io(path))?;
    let damaged = |e: serde_json::Error| {
        Error::file(path, format!("not a safetensors file: its header is damaged ({e})"))
    };
    serde_json::from_slice::<Names>(&json).map_err(damaged)?;
    let metadata: Metadata = serde_json::from_slice(&json).map_err(damaged)?;
    let expected = 8 + size + metadata.data_len() as u64;
    match length {
        _ if length < expected => Err(cut(expected)),
        _ if length > expected => {
            Err(Error::file(path, format!("expected {expected} bytes, found {length}; fetch it again")))
        }
        _ => Ok((metadata, 8 + size)),
    }
}

/// The names of a header, each of which may come once; JSON would let the last one win.
struct Names;

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Names)
    }
}

impl<'de> Visitor<'de> for Names {
    type Value = Names;

    fn expecting(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.write_str("tensors by name")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Names, M::Error> {
        let mut seen = HashSet::new();
        while let Some(name) = map.next_key::<String>()? {
            map.next_value::<IgnoredAny>()?;
            if let Some(name) = seen.replace(name) {
                return Err(M::Error::custom(format!("two tensors are called `{name}`")));
            }
        }
        Ok(Names)
    }
}
