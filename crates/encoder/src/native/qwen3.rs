use super::dense::{Care, Dense, Source};
use super::norm::RmsNorm;
use super::stack::{self, Layers, Past};
use super::words::Words;
use crate::Result;
use crate::architecture::Heads;
use crate::architecture::qwen3::{Config, WORDS};
use rten_simd::SimdUnaryOp;
use rten_vecmath::Silu;

/// Qwen3 (Yang et al., 2025): causal, grouped heads, normalised queries and keys, rotary positions, SwiGLU.
pub(crate) struct Qwen3 {
    words: Words,
    layers: Vec<Layer>,
    norm: RmsNorm,
    heads: Heads,
    config: Config,
}

struct Layer {
    input_norm: RmsNorm,
    qkv: Dense,
    query_norm: RmsNorm,
    key_norm: RmsNorm,
    out: Dense,
    inner_norm: RmsNorm,
    gate_up: Dense,
    down: Dense,
}

/// The model and where each packed token of a batch stands.
struct Pass<'a> {
    model: &'a Qwen3,
    places: Vec<usize>,
    cos: Vec<f32>, // [positions, dim / 2]
    sin: Vec<f32>,
}

impl Qwen3 {
    pub(super) fn load(config: &Config, source: &Source<'_>) -> Result<Self> {
        let checkpoint = source.checkpoint;
        let hidden = config.hidden_size;
        let layers = (0..config.num_hidden_layers).map(|i| Layer::load(source, config, i));
        Ok(Self {
            words: Words::load(source, WORDS, [config.vocab_size, hidden])?,
            layers: layers.collect::<Result<_>>()?,
            norm: RmsNorm::load(checkpoint, "norm", hidden, config.rms_norm_eps)?,
            heads: config.heads(),
            config: config.clone(),
        })
    }

    /// States of packed tokens, `[tokens, hidden]`, or of those `kept`; the tokens of `past` stand before each text.
    pub(super) fn forward(
        &self,
        ids: &[u32],
        lengths: &[usize],
        past: Option<&Past>,
        kept: Option<&[usize]>,
    ) -> Result<Vec<f32>> {
        let (words, pass) = self.pass(ids, lengths, past.map_or(0, Past::tokens));
        let mut states = stack::run(&pass, words, lengths, past, kept)?;
        self.norm.apply(&mut states);
        Ok(states)
    }

    /// What texts need of tokens that stand before them all.
    pub(super) fn past(&self, ids: &[u32]) -> Result<Past> {
        let (words, pass) = self.pass(ids, &[ids.len()], 0);
        stack::past(&pass, words, ids.len())
    }

    fn pass(&self, ids: &[u32], lengths: &[usize], before: usize) -> (Vec<f32>, Pass<'_>) {
        let n = self.dim();
        let mut words = vec![0f32; ids.len() * n];
        words.chunks_exact_mut(n).zip(ids).for_each(|(row, &id)| self.words.copy(id, row));
        let (cos, sin) = self.config.angles(before + lengths.iter().copied().max().unwrap_or(0));
        let places = lengths.iter().flat_map(|&length| before..before + length).collect();
        (words, Pass { model: self, places, cos, sin })
    }

    pub(super) fn dim(&self) -> usize {
        self.config.hidden_size
    }
}

impl Layers for Pass<'_> {
    fn count(&self) -> usize {
        self.model.layers.len()
    }

    fn heads(&self) -> Heads {
        self.model.heads
    }

    fn project(&self, layer: usize, states: &[f32], first: usize, qkv: &mut [f32]) -> Result<()> {
        let (layer, heads) = (&self.model.layers[layer], self.model.heads);
        let mut normed = states.to_vec();
        layer.input_norm.apply(&mut normed);
        layer.qkv.forward(&normed, self.model.dim(), qkv)?;
        for (row, &place) in qkv.chunks_exact_mut(heads.width()).zip(&self.places[first..]) {
            let (queries, rest) = row.split_at_mut(heads.query * heads.dim);
            let keys = &mut rest[..heads.key * heads.dim];
            layer.query_norm.apply(queries);
            layer.key_norm.apply(keys);
            self.rotate(queries, place);
            self.rotate(keys, place);
        }
        Ok(())
    }

    fn finish(
        &self,
        layer: usize,
        states: &mut [f32],
        gathered: &[f32],
        gate_up: &mut Vec<f32>,
    ) -> Result<()> {
        let (layer, n) = (&self.model.layers[layer], self.model.dim());
        let inner = self.model.config.intermediate_size;
        layer.out.add(gathered, self.model.heads.query * self.model.heads.dim, states)?;
        let mut normed = states.to_vec();
        layer.inner_norm.apply(&mut normed);
        gate_up.resize(states.len() / n * 2 * inner, 0.0);
        layer.gate_up.forward(&normed, n, gate_up)?;
        for row in gate_up.chunks_exact_mut(2 * inner) {
            let (gate, up) = row.split_at_mut(inner);
            Silu {}.map_mut(gate);
            gate.iter_mut().zip(up).for_each(|(gate, up)| *gate *= *up);
        }
        layer.down.add(gate_up, 2 * inner, states)
    }
}

impl Pass<'_> {
    /// Rotates the two halves of each head against each other, `[heads, dim]`; not neighbouring pairs.
    fn rotate(&self, x: &mut [f32], place: usize) {
        let half = self.model.heads.dim / 2;
        let (cos, sin) = (&self.cos[place * half..][..half], &self.sin[place * half..][..half]);
        for head in x.chunks_exact_mut(2 * half) {
            let (first, second) = head.split_at_mut(half);
            for (((a, b), cos), sin) in first.iter_mut().zip(second).zip(cos).zip(sin) {
                (*a, *b) = (*a * cos - *b * sin, *b * cos + *a * sin);
            }
        }
    }
}

impl Layer {
    fn load(source: &Source<'_>, config: &Config, i: usize) -> Result<Self> {
        let checkpoint = source.checkpoint;
        let (hidden, inner, eps) = (config.hidden_size, config.intermediate_size, config.rms_norm_eps);
        let heads = config.heads();
        let at = |name: &str| format!("layers.{i}.{name}");
        let norm = |name: &str, dim: usize| RmsNorm::load(checkpoint, &at(name), dim, eps);
        let qkv = [
            (at("self_attn.q_proj"), heads.query * heads.dim),
            (at("self_attn.k_proj"), heads.key * heads.dim),
            (at("self_attn.v_proj"), heads.key * heads.dim),
        ];
        let gate_up = [(at("mlp.gate_proj"), inner), (at("mlp.up_proj"), inner)];
        let (input_norm, inner_norm) =
            (norm("input_layernorm", hidden)?, norm("post_attention_layernorm", hidden)?);
        let zeros = vec![0f32; hidden];
        let care = |scale, skip| Care { skip, norm: Some((scale, &zeros[..])) };
        let before_values = (heads.query + heads.key) * heads.dim;
        Ok(Self {
            qkv: Dense::fused(source, &qkv, hidden, care(input_norm.scale(), before_values))?,
            query_norm: norm("self_attn.q_norm", heads.dim)?,
            key_norm: norm("self_attn.k_norm", heads.dim)?,
            out: Dense::load(source, &at("self_attn.o_proj"), heads.query * heads.dim, hidden)?,
            gate_up: Dense::fused(source, &gate_up, hidden, care(inner_norm.scale(), 0))?,
            down: Dense::load(source, &at("mlp.down_proj"), inner, hidden)?,
            input_norm,
            inner_norm,
        })
    }
}
