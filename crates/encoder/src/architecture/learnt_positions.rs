use super::tensors::linear;

/// The tensor of token embeddings.
pub(crate) const TOKEN_EMBEDDINGS: &str = "embeddings.word_embeddings.weight";
/// The tensor of position embeddings.
pub(crate) const POSITION_EMBEDDINGS: &str = "embeddings.position_embeddings.weight";
/// The tensor of the embeddings of token types.
pub(crate) const TYPE_EMBEDDINGS: &str = "embeddings.token_type_embeddings.weight";
/// Scale and shift of the normalisation of embeddings.
pub(crate) const EMBEDDINGS_NORM: &str = "embeddings.LayerNorm";

/// The embeddings of BERT and its descendants: of the token, of its position and of the first token type, added up and
/// normalised.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "train"), allow(dead_code))] // dropout is for training alone
pub(crate) struct LearntPositions {
    pub(crate) vocabulary: usize,
    pub(crate) hidden: usize,
    /// Rows of the tensor of position embeddings.
    pub(crate) rows: usize,
    /// Token types; none where the model has no embeddings of them.
    pub(crate) types: Option<usize>,
    /// The id of the padding token, where positions are counted from the one after it; else they are counted from 0.
    pub(crate) padding: Option<u32>,
    pub(crate) epsilon: f64,
    /// Dropout in training.
    pub(crate) dropout: f64,
}

impl LearntPositions {
    /// Tokens of one text that it has positions for.
    pub(super) fn max_tokens(&self) -> usize {
        self.rows - self.padding.map_or(0, |padding| padding as usize + 1)
    }

    /// The names of its tensors.
    pub(super) fn tensors(&self) -> impl Iterator<Item = String> {
        let types = self.types.map(|_| TYPE_EMBEDDINGS);
        let embeddings = [TOKEN_EMBEDDINGS, POSITION_EMBEDDINGS].into_iter().chain(types);
        embeddings.map(str::to_string).chain(linear(EMBEDDINGS_NORM, true))
    }

    /// The position of every token of packed texts. Where positions follow the padding token's, that token keeps its
    /// own and is not counted.
    pub(crate) fn of(&self, ids: &[u32], lengths: &[usize]) -> Vec<usize> {
        let Some(padding) = self.padding else {
            return lengths.iter().flat_map(|&n| 0..n).collect();
        };
        let mut positions = Vec::with_capacity(ids.len());
        let mut rest = ids;
        for &n in lengths {
            let (text, others) = rest.split_at(n);
            let mut last = padding as usize;
            positions.extend(text.iter().map(|&id| {
                last += usize::from(id != padding);
                if id == padding { padding as usize } else { last }
            }));
            rest = others;
        }
        positions
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn positions(padding: Option<u32>) -> Vec<usize> {
        let embeddings = LearntPositions {
            vocabulary: 9,
            hidden: 4,
            rows: 12,
            types: None,
            padding,
            epsilon: 1e-5,
            dropout: 0.0,
        };
        embeddings.of(&[0, 5, 1, 6, 2, 0, 2], &[5, 2])
    }

    #[test]
    fn padding_inside_a_text_is_not_counted() {
        assert_eq!(positions(Some(1)), [2, 3, 1, 4, 5, 2, 3]);
        assert_eq!(positions(None), [0, 1, 2, 3, 4, 0, 1]);
    }
}
