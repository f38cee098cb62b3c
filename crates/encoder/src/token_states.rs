use crate::batch::Keep;
use crate::states::States;
use crate::{Result, TextEncoder};
use manyview_core::{Embeddings, Instruction};
use std::ops::Range;

/// The last states of one text's tokens, before pooling.
#[derive(Clone, Debug, PartialEq)]
pub struct TokenStates {
    /// The ids the model read, special tokens included.
    pub ids: Vec<u32>,
    /// The bytes of the text that each token stands for; empty for special tokens and for those of an instruction.
    pub offsets: Vec<Range<usize>>,
    /// A row for each token, `[tokens, dim]`, not normalised.
    pub states: Embeddings,
    /// Whether the end of the text was cut.
    pub truncated: bool,
}

impl TextEncoder {
    /// The bytes of each text that its tokens stand for, as in [`TokenStates::offsets`], and whether the end of the
    /// text was cut. Only the tokenizer runs.
    ///
    /// # Errors
    /// A text that cannot be tokenised.
    pub fn token_offsets(&self, texts: &[&str]) -> Result<Vec<(Vec<Range<usize>>, bool)>> {
        let found = self.ids_and_offsets(texts, None)?.into_iter();
        Ok(found.map(|(ids, offsets)| (offsets, ids.truncated)).collect())
    }

    /// The last states of the tokens of each text, in the order of the texts: what pooling makes one vector of.
    ///
    /// # Errors
    /// A text that cannot be tokenised.
    pub fn token_states(
        &self,
        texts: &[&str],
        instruction: Option<&Instruction>,
    ) -> Result<Vec<TokenStates>> {
        let (ids, offsets): (Vec<_>, Vec<_>) = self.ids_and_offsets(texts, instruction)?.into_iter().unzip();
        let dim = self.hidden();
        let whole = |states: States, _: &[usize]| states.into_vec();
        let mut rows: Vec<Vec<f32>> = vec![Vec::new(); texts.len()];
        for (batch, found) in self.run(&ids, None, Keep::All, whole)? {
            let mut rest = found.as_slice();
            for i in batch {
                let (own, others) = rest.split_at(ids[i].ids.len() * dim);
                rows[i] = own.to_vec();
                rest = others;
            }
        }
        let texts = ids.into_iter().zip(offsets).zip(rows);
        texts
            .map(|((ids, offsets), rows)| {
                let states = Embeddings::new(rows, dim)?;
                Ok(TokenStates { ids: ids.ids, offsets, states, truncated: ids.truncated })
            })
            .collect()
    }
}
