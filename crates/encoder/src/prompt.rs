use crate::Result;
use crate::native::Past;
use crate::tokens::Ids;
use std::sync::{Arc, Mutex};

/// The tokens that stand before every text of a call, run through the model once and remembered until others do.
#[derive(Default)]
pub(crate) struct Prompt {
    last: Mutex<Option<(Vec<u32>, Arc<Past>)>>,
}

impl Prompt {
    /// The states of these tokens, computed where the last ones asked for were others.
    pub(crate) fn past(
        &self,
        ids: &[u32],
        compute: impl FnOnce(&[u32]) -> Result<Option<Past>>,
    ) -> Result<Option<Arc<Past>>> {
        if let Ok(last) = self.last.lock()
            && let Some((_, past)) = last.as_ref().filter(|(known, _)| known == ids)
        {
            return Ok(Some(past.clone()));
        }
        let Some(past) = compute(ids)?.map(Arc::new) else { return Ok(None) };
        if let Ok(mut last) = self.last.lock() {
            *last = Some((ids.to_vec(), past.clone()));
        }
        Ok(Some(past))
    }
}

/// How many tokens of `prompt` to run once: as many as save the most, for the texts whose ids begin with them and go on.
///
/// The ids decide, not the strings: a tokenizer may join the prompt's last character with a text's first.
pub(crate) fn shared(prompt: &[u32], texts: &[Ids]) -> usize {
    let mut same: Vec<usize> = texts.iter().map(|text| common(prompt, &text.ids)).collect();
    same.sort_unstable();
    let saved = same.iter().enumerate().map(|(i, &tokens)| (tokens * (same.len() - i), tokens));
    saved.max().map_or(0, |(_, tokens)| tokens)
}

/// Tokens that a text begins with and the prompt too, at least one of the text's own left over.
pub(crate) fn common(prompt: &[u32], text: &[u32]) -> usize {
    let same = prompt.iter().zip(text).take_while(|(a, b)| a == b).count();
    same.min(text.len().saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(ids: &[&[u32]]) -> Vec<Ids> {
        ids.iter().map(|ids| Ids { ids: ids.to_vec(), truncated: false }).collect()
    }

    #[test]
    fn a_text_that_changes_the_prompt_does_not_spoil_it_for_the_others() {
        let texts = texts(&[&[1, 2, 3, 7], &[1, 2, 3, 8, 9], &[1, 9, 9]]);
        assert_eq!(shared(&[1, 2, 3, 0], &texts), 3);
    }

    #[test]
    fn what_most_texts_change_is_left_to_them() {
        let texts = texts(&[&[1, 2, 4], &[1, 2, 5], &[1, 2, 3, 6], &[1, 2, 7]]);
        assert_eq!(shared(&[1, 2, 3], &texts), 2);
    }

    #[test]
    fn a_text_keeps_a_token_of_its_own() {
        assert_eq!(common(&[1, 2, 3], &[1, 2]), 1);
        assert_eq!(shared(&[1, 2], &[]), 0);
    }
}
