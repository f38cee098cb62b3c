//! The bytes of a file of text, unpacked where its name says that it is packed.

use crate::kind::{check_path, first_bytes, foreign};
use crate::{Error, Result};
use flate2::bufread::MultiGzDecoder;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use zstd::stream::read::Decoder;

/// How a file is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packing {
    Gzip,
    Zstd,
}

impl Packing {
    /// What the last part of a name says, and the name without it.
    pub(crate) fn of_name(name: &str) -> (Option<Self>, &str) {
        let ends = [(".gz", Self::Gzip), (".zst", Self::Zstd), (".zstd", Self::Zstd)];
        let found = ends.iter().find_map(|(end, packing)| Some((*packing, name.strip_suffix(end)?)));
        found.map_or((None, name), |(packing, name)| (Some(packing), name))
    }

    /// A reader of the unpacked bytes; files that were put together have several members.
    pub(crate) fn unpack<'a>(
        self,
        packed: impl BufRead + Send + 'a,
    ) -> io::Result<Box<dyn BufRead + Send + 'a>> {
        Ok(match self {
            Self::Gzip => Box::new(BufReader::new(MultiGzDecoder::new(packed))),
            Self::Zstd => Box::new(BufReader::new(Decoder::with_buffer(packed)?)),
        })
    }

    /// What the first bytes of a file say.
    pub(crate) fn of_bytes(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0x1f, 0x8b, ..] => Some(Self::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Self::Zstd),
            _ => None,
        }
    }
}

/// A reader of the unpacked bytes.
pub(crate) struct Packed(Box<dyn BufRead + Send>);

impl Packed {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        check_path(path)?;
        let file = BufReader::new(File::open(path).map_err(Error::io(path))?);
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_lowercase();
        let packing = Packing::of_name(&name).0;
        if let Some(problem) = foreign(&first_bytes(path)?).filter(|_| packing.is_none()) {
            return Err(Error::file(path, problem));
        }
        Ok(Self(match packing {
            None => Box::new(file),
            Some(packing) => packing.unpack(file).map_err(Error::io(path))?,
        }))
    }
}

/// Why a file could not be read: one that is packed may be damaged.
pub(super) fn unread(path: &Path) -> impl FnOnce(io::Error) -> Error {
    move |e| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_lowercase();
        let system = e.raw_os_error().is_some();
        match Packing::of_name(&name).0.filter(|_| !system) {
            Some(_) => Error::file(path, format!("not a whole packed file: {e}; make or fetch it again")),
            None => Error::io(path)(e),
        }
    }
}

impl Read for Packed {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.0.read(bytes)
    }
}

impl BufRead for Packed {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.0.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.0.consume(amount);
    }
}
