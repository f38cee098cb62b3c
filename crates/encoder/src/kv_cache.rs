use crate::batch::Batch;
use crate::{Error, Result};
#[cfg(feature = "train")]
use burn::tensor::Tensor;
use manyview_core::Kind;

/// Keys and values that a causal model computed of one sequence so far, for every layer. It grows by appending, so a
/// sequence can be fed in pieces: a prefix once, then what follows it, or one token at a time.
#[derive(Clone, Default)]
pub(crate) struct KvCache {
    tokens: usize,
    layers: Vec<Layer>,
}

/// What one layer keeps, by the engine that computed it.
#[derive(Clone)]
enum Layer {
    Own(Vec<HeadCache>),
    #[cfg(feature = "train")]
    Burn(Box<[Tensor<3>; 2]>), // keys and values, [tokens, key heads, dim] each
}

/// Keys and values of one head, `[tokens, dim]` each.
#[derive(Clone, Default)]
pub(crate) struct HeadCache {
    pub(crate) keys: Vec<f32>,
    pub(crate) values: Vec<f32>,
}

impl KvCache {
    /// Tokens it holds.
    pub(crate) fn tokens(&self) -> usize {
        self.tokens
    }

    /// Counts tokens as held, after every layer has kept its part of them.
    pub(crate) fn advance(&mut self, tokens: usize) {
        self.tokens += tokens;
    }

    /// The heads of a layer, if there is any token.
    pub(crate) fn heads(&self, layer: usize) -> Result<&[HeadCache]> {
        match self.layers.get(layer) {
            None => Ok(&[]),
            Some(Layer::Own(heads)) => Ok(heads),
            #[cfg(feature = "train")]
            Some(Layer::Burn(_)) => Err(other_engine()),
        }
    }

    /// The `count` heads of a layer, to append to.
    pub(crate) fn heads_mut(&mut self, layer: usize, count: usize) -> Result<&mut [HeadCache]> {
        if layer == self.layers.len() {
            self.layers.push(Layer::Own(vec![HeadCache::default(); count]));
        }
        match self.layers.get_mut(layer) {
            Some(Layer::Own(heads)) => Ok(heads),
            _ => Err(other_engine()),
        }
    }

    #[cfg(feature = "train")]
    /// Keys and values of a layer, `[tokens, key heads, dim]`, if there is any token.
    pub(crate) fn tensors(&self, layer: usize) -> Result<Option<[Tensor<3>; 2]>> {
        match self.layers.get(layer) {
            None => Ok(None),
            Some(Layer::Burn(both)) => Ok(Some((**both).clone())),
            Some(Layer::Own(_)) => Err(other_engine()),
        }
    }

    #[cfg(feature = "train")]
    /// Appends to the keys and values of a layer.
    pub(crate) fn append(&mut self, layer: usize, keys: Tensor<3>, values: Tensor<3>) -> Result<()> {
        let both = match self.tensors(layer)? {
            None => [keys, values],
            Some([k, v]) => [Tensor::cat(vec![k, keys], 0), Tensor::cat(vec![v, values], 0)],
        };
        let grown = Layer::Burn(Box::new(both));
        match self.layers.get_mut(layer) {
            Some(layer) => *layer = grown,
            None => self.layers.push(grown),
        }
        Ok(())
    }
}

/// What stands before the texts of a batch: a shared prefix, or the sequence that its one text continues.
pub(crate) fn before(batch: &Batch<'_>, cache: Option<&KvCache>, causal: bool) -> Result<usize> {
    let tokens = batch.prefix.or(cache).map_or(0, KvCache::tokens);
    let problem = match cache {
        _ if !causal && (batch.prefix.is_some() || cache.is_some()) => {
            "keys and values are kept of a causal model alone"
        }
        Some(_) if batch.prefix.is_some() => "a batch continues a sequence or a prefix, not both",
        Some(_) if batch.lengths.len() != 1 => "one text continues the sequence of a cache",
        _ => return Ok(tokens),
    };
    Err(internal(problem))
}

fn other_engine() -> Error {
    internal("this cache is of another engine, or of a model of fewer layers")
}

fn internal(problem: &str) -> Error {
    Error::Core(manyview_core::Error::other(Kind::Internal, problem.to_string()))
}

#[cfg(all(test, feature = "train"))]
#[allow(clippy::unwrap_used)] // what sets a scene is part of a test
mod tests {
    use super::*;
    use crate::architecture;
    use crate::batch::Keep;
    use crate::checkpoint::Checkpoint;
    use crate::engine::{self, Engine, Model, Weights};
    use crate::layout::Layout;
    use crate::{Device, Result};
    use std::path::Path;

    const ENGINES: [Engine; 2] = [Engine::Own, Engine::Burn];

    fn model(name: &str, engine: Engine) -> Box<dyn Model> {
        let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/models");
        let layout = Layout::read(&models.join(name)).unwrap();
        let summary = architecture::summary(&layout).unwrap();
        let checkpoint = Checkpoint::open(&layout.transformer, &summary).unwrap();
        engine::load(&layout, &checkpoint, (engine, Weights::F32), &Device::flex()).unwrap().model
    }

    fn states(model: &dyn Model, ids: &[u32], cache: Option<&mut KvCache>) -> Result<Vec<f32>> {
        let batch = Batch { ids, lengths: &[ids.len()], prefix: None, keep: Keep::All };
        model.states(&batch, cache)?.into_vec()
    }

    fn gap(a: &[f32], b: &[f32]) -> f32 {
        assert_eq!(a.len(), b.len());
        a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
    }

    #[test]
    fn a_sequence_fed_in_pieces_gives_what_it_gives_whole() {
        let ids: Vec<u32> = (0..150).map(|i| (i * 37 + 11) % 290).collect();
        for name in ["gemma3-causal", "qwen2-tiny", "qwen3-tiny", "qwen3-grouped"] {
            for engine in ENGINES {
                let model = model(name, engine);
                let whole = states(&*model, &ids, None).unwrap();
                for pieces in [&[150][..], &[1, 149], &[20, 1, 1, 1, 127], &[7, 130, 13], &[1; 150]] {
                    let (mut cache, mut found, mut rest) = (KvCache::default(), Vec::new(), &ids[..]);
                    for &n in pieces {
                        let (piece, others) = rest.split_at(n);
                        found.extend(states(&*model, piece, Some(&mut cache)).unwrap());
                        rest = others;
                        assert_eq!(cache.tokens(), ids.len() - rest.len());
                    }
                    let gap = gap(&found, &whole);
                    assert!(gap <= 1e-5, "{name}, {engine:?}, pieces of {pieces:?}: {gap} apart");
                }
            }
        }
    }

    #[test]
    fn texts_after_a_shared_prefix_give_what_they_give_with_it() {
        let prefix: Vec<u32> = (0..9).map(|i| i * 31 % 290).collect();
        let texts: Vec<Vec<u32>> = [5, 6, 6, 1, 40].iter().map(|&n| (3..3 + n).collect()).collect();
        let (lengths, packed): (Vec<usize>, Vec<u32>) =
            (texts.iter().map(Vec::len).collect(), texts.concat());
        for engine in ENGINES {
            let (model, mut cache) = (model("qwen3-grouped", engine), KvCache::default());
            states(&*model, &prefix, Some(&mut cache)).unwrap();
            for keep in [Keep::All, Keep::Last] {
                let batch = Batch { ids: &packed, lengths: &lengths, prefix: Some(&cache), keep };
                let found = model.states(&batch, None).unwrap().into_vec().unwrap();
                let each = texts.iter().flat_map(|text| {
                    let joined = [&prefix[..], text].concat();
                    let all = states(&*model, &joined, None).unwrap();
                    let hidden = all.len() / joined.len();
                    let kept = if keep == Keep::All { prefix.len() } else { joined.len() - 1 };
                    all[kept * hidden..].to_vec()
                });
                let gap = gap(&found, &each.collect::<Vec<f32>>());
                assert!(gap <= 1e-5, "{engine:?}, {keep:?}: {gap} apart");
            }
        }
    }

    #[test]
    fn what_cannot_continue_a_sequence_is_refused() {
        for engine in ENGINES {
            let (bert, qwen3) = (model("bert-tiny", engine), model("qwen3-tiny", engine));
            let refused = |model: &dyn Model, batch: Batch<'_>, cache: &mut KvCache| {
                model.states(&batch, Some(cache)).err().unwrap().to_string()
            };
            let one = Batch { ids: &[1, 2], lengths: &[2], prefix: None, keep: Keep::All };
            let two = Batch { ids: &[1, 2], lengths: &[1, 1], prefix: None, keep: Keep::All };
            let mut cache = KvCache::default();
            assert!(refused(&*bert, one, &mut cache).contains("causal"));
            assert!(refused(&*qwen3, two, &mut cache).contains("one text"));
            let other = model("qwen3-tiny", if engine == Engine::Own { Engine::Burn } else { Engine::Own });
            qwen3.states(&one, Some(&mut cache)).unwrap();
            assert!(refused(&*other, one, &mut cache).contains("another engine"));
        }
    }
}
