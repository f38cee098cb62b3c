/// What a stored vector is found by.
pub(crate) type TextHash = [u8; 32];

/// BLAKE3 over the schema and the bytes of the text, each with its length.
pub(crate) fn hash(text: &str) -> TextHash {
    let mut hasher = blake3::Hasher::new();
    for part in ["schema", "text/1", "text", text] {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    *hasher.finalize().as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use manyview_core::Fingerprint;
    use proptest::prelude::*;

    fn hex(hash: TextHash) -> String {
        blake3::Hash::from_bytes(hash).to_hex().to_string()
    }

    #[test]
    fn a_text_has_the_same_hash_in_every_release() {
        assert_eq!(
            hex(hash("rain in Kent")),
            "96a8bf37716f577353fac0435e69defbd382e1be9e201daf921181ed8a57cfdd"
        );
        assert_eq!(hex(hash("")), "163c281bd8449cae59485be9f856d4b1045f288b4c756e94e53f83dd65b296e2");
    }

    /// A million texts, of which many are others cut shorter, joined, or with a space more.
    #[test]
    #[allow(clippy::print_stdout)] // the figures of tests/README.md are printed
    fn c8_no_two_of_a_million_texts_share_a_hash() {
        let mut hashes = std::collections::HashSet::new();
        let mut tried = 0;
        for i in 0..125_000_u32 {
            let word = format!("text {i}");
            for text in
                ["", " ", "\0", "\n", " text", "\u{301}", "/1", "\0\0\0"].map(|end| format!("{word}{end}"))
            {
                assert!(hashes.insert(hash(&text)), "{text:?}");
                tried += 1;
            }
        }
        println!("reliability: C8 tried={tried} texts");
    }

    proptest! {
        #[test]
        fn a_hash_is_the_fingerprint_of_its_text(text in ".*") {
            let fingerprint = Fingerprint::builder("text/1").field("text", text.as_bytes()).finish();
            prop_assert_eq!(hex(hash(&text)), fingerprint.as_str());
        }

        #[test]
        fn texts_whose_boundary_shifts_never_share_a_hash(a in ".{0,8}", b in ".{0,8}", c in ".{1,8}") {
            let split = [[a.clone(), format!("{b}{c}")], [format!("{a}{b}"), c.clone()]];
            for (left, right) in split[0].iter().zip(&split[1]) {
                prop_assert_eq!(left == right, hash(left) == hash(right));
            }
            prop_assert_ne!(hash(&a), hash(&format!("{a}{c}")));
            prop_assert_ne!(hash(&a), hash(&format!("{a}\0")));
        }
    }
}
