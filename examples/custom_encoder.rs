//! Puts an encoder of one's own behind the store and an adapter: words, hashed into a fixed number of places.
#![allow(clippy::print_stdout)]

use manyview::adapter::{Prior, Ridge};
use manyview::data::{Labels, Split, Table};
use manyview::eval::{KMeans, v_measure};
use manyview::store::{CachedEncoder, Store};
use manyview::{Embeddings, Encoded, Encoder, Fingerprint, Fit, Instruction, Paired, Quiet, Transform};
use std::path::Path;

/// Counts words, each at the place its hash says.
struct HashedWords {
    dim: usize,
}

impl Encoder for HashedWords {
    fn dim(&self) -> usize {
        self.dim
    }

    /// Everything a vector depends on; the store keeps vectors under it, an adapter is tied to it.
    fn fingerprint(&self) -> Fingerprint {
        Fingerprint::builder("hashed-words/1").field("dim", &self.dim.to_le_bytes()).finish()
    }

    /// Has no use for instructions; the last place is always set, so that no text is without a direction.
    fn encode(&self, texts: &[&str], _: Option<&Instruction>) -> manyview::Result<Encoded> {
        let rows = texts.iter().map(|text| {
            let mut row = vec![0.0; self.dim];
            row[self.dim - 1] = 0.1;
            for word in text.to_lowercase().split_whitespace() {
                let hash = Fingerprint::builder("word").field("word", word.as_bytes()).finish();
                let place = u64::from_str_radix(hash.short(), 16).unwrap_or_default() as usize;
                row[place % (self.dim - 1)] += 1.0;
            }
            row
        });
        Ok(Embeddings::from_rows(rows)?.normalized()?.into())
    }
}

fn main() -> anyhow::Result<()> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/clinc150/clinc150.parquet");
    let table = Table::read_all(&[file], &["text", "label_domain", "split"])?;
    let column = |name| Ok::<_, anyhow::Error>(table.column(name)?.iter().flatten().collect::<Vec<_>>());
    let texts: Vec<&str> = column("text")?.into_iter().map(String::as_str).collect();
    let (labels, split) = (Labels::of(&column("label_domain")?), Split::from_column(&column("split")?)?);

    // The store keeps what any encoder made.
    let root = tempfile::tempdir()?;
    let encoder = CachedEncoder::new(HashedWords { dim: 512 }, Store::open(root.path())?, "hashed words");
    for attempt in ["first", "again"] {
        let (_, reuse) = encoder.encode_all(&texts, None, &Quiet)?;
        println!("{attempt}: {} texts encoded, {} read from the store", reuse.encoded, reuse.reused);
    }
    let base = encoder.encode(&texts, None)?.vectors; // [2000, 512]

    // A teacher is any matrix with a row a text: here a place for each domain.
    let k = labels.names.len();
    let domains =
        Embeddings::from_rows((0..k).map(|i| (0..k).map(|j| f32::from(i == j)).collect::<Vec<_>>()))?;
    let pairs =
        Paired::new(base.select(&split.train)?, domains.select(&labels.codes)?.select(&split.train)?)?;
    let ridge = Ridge { towards: Prior::Zero, ..Default::default() }; // 512 and 10 dimensions: no identity to start from
    let view = ridge.fit(&pairs)?.linear.transform(&base.select(&split.test)?)?;

    let truth: Vec<usize> = split.test.iter().map(|&row| labels.codes[row]).collect();
    println!("\nV-measure of k-means with the domains, on {} texts the map has not seen:", truth.len());
    for (name, x) in [("words", &base.select(&split.test)?), ("view", &view)] {
        println!("  {name:5}  {:.3}", v_measure(&truth, &KMeans::new(k).fit(x)?.labels)?.v_measure);
    }
    Ok(())
}
