//! What a file is, by its name and its first bytes; what it should be is said where the two differ.

use crate::table::Packing;
use crate::{Error, Result};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// The form of a file of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Parquet,
    Arrow,
    Commas,
    Tabs,
    Lines,
    Array,
}

/// The ends of names, for people.
const ENDS: &str = ".parquet, .csv, .tsv, .jsonl or .ndjson, or in .json, .arrow or .feather; put .gz or .zst behind \
                    one that is packed";

impl Form {
    /// What a name says.
    pub(crate) fn of_name(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?.to_lowercase();
        let (packing, name) = Packing::of_name(&name);
        Some(match name.rsplit_once('.')?.1 {
            "parquet" | "pq" if packing.is_none() => Self::Parquet,
            "arrow" | "feather" | "ipc" if packing.is_none() => Self::Arrow,
            "csv" => Self::Commas,
            "tsv" | "tab" => Self::Tabs,
            "jsonl" | "ndjson" => Self::Lines,
            "json" => Self::Array,
            _ => return None,
        })
    }

    /// What a file is, where its name and its bytes agree.
    ///
    /// # Errors
    /// A file that is not there, is empty, or is something else, which is named with the cure.
    pub(crate) fn of(path: &Path) -> Result<Self> {
        check_path(path)?;
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_lowercase();
        let Some(form) = Self::of_name(path) else {
            let (packing, bare) = Packing::of_name(&name);
            let problem = match packing.is_some() && Self::of_name(Path::new(bare)).is_some() {
                true => "is packed within itself already; unpack it".to_string(),
                false => format!("expected a name that ends in {ENDS}"),
            };
            return Err(Error::file(path, problem));
        };
        let bytes = first_bytes(path)?;
        if bytes.is_empty() {
            return Err(Error::file(path, "the file is empty"));
        }
        let told = Packing::of_name(&name).0;
        let wrong = match (form, told) {
            (Self::Parquet, _) => !bytes.starts_with(b"PAR1"),
            (Self::Arrow, _) => !bytes.starts_with(b"ARROW1") && !bytes.starts_with(&[0xff; 4]),
            (_, Some(packing)) => Packing::of_bytes(&bytes) != Some(packing),
            (_, None) => true,
        };
        match foreign(&bytes).filter(|_| wrong) {
            Some(problem) => Err(Error::file(path, problem)),
            None if told.is_some() && wrong => Err(Error::file(
                path,
                "its name says that it is packed, and it is not; take the last part off its name",
            )),
            None => Ok(form),
        }
    }
}

/// Refuses a path that a shell, or another system, would have read otherwise.
pub(crate) fn check_path(path: &Path) -> Result<()> {
    let Some(text) = path.to_str() else { return Ok(()) };
    let drive = text.as_bytes();
    let windows = drive.len() > 2
        && drive[0].is_ascii_alphabetic()
        && drive[1] == b':'
        && matches!(drive[2], b'\\' | b'/');
    let problem = if path.exists() {
        return Ok(());
    } else if text == "-" {
        "standard input, which cannot be read here a second time: write it to a file first"
    } else if text == "~" || text.starts_with("~/") {
        "no shell has put your home directory in place of `~`; write it out, or leave `~` outside quotes"
    } else if windows || text.starts_with("\\\\") {
        "a path of Windows; under WSL, C:\\ is /mnt/c/, and \\ is /"
    } else if text.contains('\\') {
        "`\\` separates no directories here; write / in its place"
    } else if text.starts_with("file://") {
        "an address in place of a path; leave file:// out"
    } else if text.starts_with("http://") || text.starts_with("https://") {
        "an address in place of a path; fetch it first, or name a data set of the hub as hub:ORG/NAME"
    } else {
        return Ok(());
    };
    Err(Error::file(path, problem))
}

/// The first bytes of a file, enough to know it by.
pub(crate) fn first_bytes(path: &Path) -> Result<Vec<u8>> {
    const ENOUGH: u64 = 512;
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(Error::io(path))?;
    file.take(ENOUGH).read_to_end(&mut bytes).map_err(Error::io(path))?;
    Ok(bytes)
}

/// What a file is that is not what its name says, by its first bytes, and the cure.
pub(crate) fn foreign(bytes: &[u8]) -> Option<&'static str> {
    let text = String::from_utf8_lossy(bytes);
    let words = text.trim_start_matches('\u{feff}').trim_start().to_lowercase();
    Some(match bytes {
        b if b.starts_with(b"version https://git-lfs.github.com/spec/")
            || b.starts_with(b"version https://hawser.") =>
        {
            "a pointer of Git LFS, not the file itself: run `git lfs pull` in its clone, or fetch the file"
        }
        b if Packing::of_bytes(b) == Some(Packing::Gzip) => {
            "packed with gzip, which its name does not say: put .gz behind its name, or unpack it with gunzip"
        }
        b if Packing::of_bytes(b) == Some(Packing::Zstd) => {
            "packed with zstd, which its name does not say: put .zst behind its name, or unpack it with unzstd"
        }
        b if b.starts_with(b"PAR1") => "a Parquet file under another name; let its name end in .parquet",
        b if b.starts_with(b"ARROW1") => "an Arrow file under another name; let its name end in .arrow",
        b if b.starts_with(b"FEA1") => {
            "the first version of Feather, which is no longer read; write it again as .parquet"
        }
        b if b.starts_with(b"\x93NUMPY") => "a .npy array under another name; let its name end in .npy",
        b if b.starts_with(b"PK\x03\x04") => {
            "a zip archive, as those of Excel and of NumPy are: unpack it, or export the sheet as CSV"
        }
        b if b.starts_with(b"BZh") => "packed with bzip2: unpack it with bunzip2",
        b if b.starts_with(b"\xfd7zXZ") => "packed with xz: unpack it with unxz",
        b if b.starts_with(b"\xd0\xcf\x11\xe0") => "a workbook of an old Excel: export the sheet as CSV",
        b if b.starts_with(b"SQLite format 3") => "a database of SQLite: export the table as CSV",
        b if b.starts_with(b"\x80\x02")
            || b.starts_with(b"\x80\x03")
            || b.starts_with(b"\x80\x04")
            || b.starts_with(b"\x80\x05") =>
        {
            "a pickle of Python, which is never opened: write it again as .parquet or .npy"
        }
        b if b.starts_with(b"\xff\xfe") || b.starts_with(b"\xfe\xff") => {
            "text in UTF-16, and so it is not UTF-8; save the file as UTF-8"
        }
        _ if words.starts_with("<!doctype") || words.starts_with("<html") => {
            "a page for people, not the file: fetch it again, with the address of the file itself"
        }
        _ => return None,
    })
}
