use crate::Result;
use crate::kv_cache::KvCache;
use crate::tokenizer::TokenIds;
use std::sync::{Arc, Mutex};

/// Prefixes kept, at most. A token of Qwen3-Embedding-0.6B takes 224 KiB: sixteen instructions of 32 tokens take 112 MiB.
const CAPACITY: usize = 16;

/// What a causal model computed of the tokens that stand before every text of a call, an instruction's: kept for the
/// calls to come, those least recently used dropped.
#[derive(Default)]
pub(crate) struct PrefixKvCache {
    /// The least recently used first.
    kept: Mutex<Vec<(Vec<u32>, Arc<KvCache>)>>,
}

impl PrefixKvCache {
    /// The keys and values of these tokens, computed where they are not kept.
    pub(crate) fn get(
        &self,
        ids: &[u32],
        compute: impl FnOnce(&[u32]) -> Result<KvCache>,
    ) -> Result<Arc<KvCache>> {
        if let Some(found) = self.kept(ids) {
            return Ok(found);
        }
        let computed = Arc::new(compute(ids)?);
        if let Ok(mut kept) = self.kept.lock() {
            if kept.len() == CAPACITY {
                kept.remove(0);
            }
            kept.push((ids.to_vec(), computed.clone()));
        }
        Ok(computed)
    }

    /// Those kept, which become the most recently used.
    fn kept(&self, ids: &[u32]) -> Option<Arc<KvCache>> {
        let mut kept = self.kept.lock().ok()?;
        let at = kept.iter().position(|(known, _)| known == ids)?;
        let entry = kept.remove(at);
        let found = entry.1.clone();
        kept.push(entry);
        Some(found)
    }
}

/// How many tokens of `prompt` to run once: as many as save the most, for the texts whose ids begin with them and go on.
///
/// The ids decide, not the strings: a tokenizer may join the prompt's last character with a text's first.
pub(crate) fn shared(prompt: &[u32], texts: &[TokenIds]) -> usize {
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
    use std::cell::Cell;

    fn texts(ids: &[&[u32]]) -> Vec<TokenIds> {
        ids.iter().map(|ids| TokenIds { ids: ids.to_vec(), truncated: false }).collect()
    }

    #[test]
    fn the_prefix_least_recently_used_is_dropped() {
        let (cache, computed) = (PrefixKvCache::default(), Cell::new(0));
        let get = |i: usize| {
            let compute = |_: &[u32]| {
                computed.set(computed.get() + 1);
                Ok(KvCache::default())
            };
            cache.get(&[i as u32], compute).unwrap();
            computed.get()
        };
        (0..CAPACITY).for_each(|i| assert_eq!(get(i), i + 1));
        assert_eq!((0..CAPACITY).map(get).max(), Some(CAPACITY), "all of them are kept");
        assert_eq!(get(0), CAPACITY); // now 1 is the one to go
        assert_eq!(get(CAPACITY), CAPACITY + 1);
        assert_eq!(get(0), CAPACITY + 1);
        assert_eq!(get(1), CAPACITY + 2);
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
