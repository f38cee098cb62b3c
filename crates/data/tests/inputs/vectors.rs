//! Vectors made elsewhere.

use crate::counted::{Expected, Refused, Right, counted};
use crate::scene::Scene;
use flate2::Compression;
use half::f16;
use manyview_data::read_vectors;
use std::io::{Cursor, Write};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// A `.npy` file of 2 rows of 2 numbers.
fn npy(descriptor: &str, bytes: Vec<u8>) -> Vec<u8> {
    let mut header = format!("{{'descr': '{descriptor}', 'fortran_order': False, 'shape': (2, 2), }}");
    while (header.len() + 11) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    let length = (header.len() as u16).to_le_bytes();
    [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), &bytes].concat()
}

fn npz(entries: &[(&str, &[u8])], method: CompressionMethod) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        writer.start_file(*name, SimpleFileOptions::default().compression_method(method)).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

#[test]
fn vectors_of_every_form_are_read_or_refused() {
    const X: [f32; 4] = [1.0, 0.5, -2.0, 0.25];
    let of = |write: &dyn Fn(f32) -> Vec<u8>| X.iter().flat_map(|x| write(*x)).collect::<Vec<u8>>();
    let floats = npy("<f4", of(&|x| x.to_le_bytes().into()));
    let halves = npy("<f2", of(&|x| f16::from_f32(x).to_le_bytes().into()));
    let stored = CompressionMethod::Stored;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(&floats).unwrap();
    let right = Right("1 0.5|-2 0.25");
    let files: Vec<(&str, Vec<u8>, Expected)> = vec![
        ("f4.npy", floats.clone(), right),
        ("big-f4.npy", npy(">f4", of(&|x| x.to_be_bytes().into())), right),
        ("f8.npy", npy("<f8", of(&|x| f64::from(x).to_le_bytes().into())), right),
        ("f2.npy", halves.clone(), right),
        ("big-f2.npy", npy(">f2", of(&|x| f16::from_f32(x).to_be_bytes().into())), right),
        ("stored.npz", npz(&[("x.npy", &floats)], stored), right),
        ("packed.npz", npz(&[("arr_0.npy", &halves)], CompressionMethod::Deflated), right),
        ("named.npz", npz(&[("a.npy", b"x"), ("vector.npy", &floats)], stored), right),
        (
            "several.npz",
            npz(&[("a.npy", &floats), ("b.npy", &floats)], stored),
            Refused("several arrays, `a`, `b`"),
        ),
        ("empty.npz", npz(&[], stored), Refused("several arrays, none")),
        ("half.npz", npz(&[("a.npy", &floats)], stored)[..60].to_vec(), Refused("not a whole .npz file")),
        ("i8.npy", npy("<i8", vec![0; 32]), Refused("expected float16, float32 or float64, found")),
        ("c8.npy", npy("<c8", vec![0; 32]), Refused("expected float16, float32 or float64, found")),
        ("short.npy", floats[..floats.len() - 1].to_vec(), Refused("not a whole .npy file")),
        ("nan.npy", npy("<f2", [f16::NAN; 4].iter().flat_map(|x| x.to_le_bytes()).collect()), Refused("NaN")),
        (
            "pointer.npy",
            b"version https://git-lfs.github.com/spec/v1\n".to_vec(),
            Refused("a pointer of Git LFS"),
        ),
        (
            "pointer.npz",
            b"version https://git-lfs.github.com/spec/v1\n".to_vec(),
            Refused("a pointer of Git LFS"),
        ),
        ("packed.npy", gzip.finish().unwrap(), Refused("packed with gzip")),
        ("pickle.npy", b"\x80\x04\x95xx".to_vec(), Refused("a pickle of Python, which is never opened")),
        ("a.pt", b"PK\x03\x04".to_vec(), Refused("expected a name that ends in .npy, .npz or .parquet")),
    ];
    let scene = Scene::new();
    files.iter().for_each(|(name, bytes, _)| drop(scene.file(name, bytes)));
    let cases: Vec<(&str, Expected)> = files.iter().map(|(name, _, expected)| (*name, *expected)).collect();
    counted("vectors", &cases, |name| {
        let x = read_vectors(&scene.0.path().join(name), "vector").map_err(|e| e.to_string())?;
        let row = |row: &[f32]| row.iter().map(f32::to_string).collect::<Vec<_>>().join(" ");
        Ok(x.rows().map(row).collect::<Vec<_>>().join("|"))
    });
}
