//! Token states, ids and offsets are those of the reference implementation.
#![allow(missing_docs, clippy::unwrap_used)]

mod golden;

use golden::{Golden, MODELS, folder, worst};
use manyview_core::Instruction;
use manyview_encoder::{Engine, TokenStates};
use safetensors::SafeTensors;
use std::ops::Range;

const BOUND: f32 = 1e-5;
/// The texts that states are kept of: every so many.
const STEP: usize = 10;
/// A text of some models beside them: MPNet and RoBERTa do not count the padding token inside a text as a position.
const PADDED: &str = "rain <pad> fell <mask> over <pad> Kent";
const EXTRA: &[(&str, &str)] =
    &[("mpnet-tiny", PADDED), ("xlm-roberta-tiny", PADDED), ("roberta-tiny", PADDED)];

/// What the reference gave for the tokens of all texts, one text after the other.
struct Reference {
    ids: Vec<u32>,
    offsets: Vec<Range<usize>>,
    states: Vec<f32>,
    lengths: Vec<usize>,
}

impl Reference {
    fn read(name: &str) -> Self {
        let bytes = std::fs::read(folder().join("states").join(format!("{name}.safetensors"))).unwrap();
        let file = SafeTensors::deserialize(&bytes).unwrap();
        let whole = |key: &str| -> Vec<usize> {
            let data = file.tensor(key).unwrap().data().to_vec();
            data.as_chunks::<8>().0.iter().map(|b| i64::from_le_bytes(*b) as usize).collect()
        };
        let states = file.tensor("states").unwrap().data().to_vec();
        let pairs = whole("offsets");
        Self {
            ids: whole("ids").into_iter().map(|id| id as u32).collect(),
            offsets: pairs.as_chunks::<2>().0.iter().map(|[start, end]| *start..*end).collect(),
            states: states.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect(),
            lengths: whole("lengths"),
        }
    }
}

fn rows(states: &[TokenStates]) -> Vec<f32> {
    states.iter().flat_map(|text| text.states.as_slice().to_vec()).collect()
}

#[test]
fn states_ids_and_offsets_equal_the_reference_on_both_engines() {
    for name in MODELS {
        let (golden, reference) = (Golden::read(name), Reference::read(name));
        let mut texts: Vec<&str> = golden.texts().into_iter().step_by(STEP).collect();
        texts.extend(EXTRA.iter().filter(|(of, _)| of == name).map(|(_, text)| text));
        for (engine, batch_tokens) in
            [(Engine::Own, 1), (Engine::Own, 1024), (Engine::Burn, 1), (Engine::Burn, 1024)]
        {
            let found = golden.load_on(engine, batch_tokens, 2).token_states(&texts, None).unwrap();
            let lengths: Vec<usize> = found.iter().map(|text| text.ids.len()).collect();
            assert_eq!(lengths, reference.lengths, "{name}");
            let ids: Vec<u32> = found.iter().flat_map(|text| text.ids.clone()).collect();
            assert_eq!(ids, reference.ids, "{name}");
            let offsets: Vec<Range<usize>> = found.iter().flat_map(|text| text.offsets.clone()).collect();
            assert_eq!(offsets, reference.offsets, "{name}");
            let alone = golden.load_on(engine, batch_tokens, 2).token_offsets(&texts).unwrap();
            let same = found
                .iter()
                .zip(&alone)
                .all(|(all, (own, cut))| (&all.offsets, all.truncated) == (own, *cut));
            assert!(same, "{name}");
            let (gap, token) = worst(&rows(&found), &reference.states, golden.dim);
            assert!(gap <= BOUND, "{name}, {engine:?}: {gap} apart at token {token}");
        }
    }
}

#[test]
fn offsets_after_an_instruction_are_those_of_the_text_alone() {
    for name in MODELS {
        let golden = Golden::read(name);
        let (encoder, task) = (golden.load(1024, 1), Instruction::new("Find the topic"));
        let text = "rain fell over old Kent";
        let whole = format!("{}{text}", task.prefix());
        let [after] = encoder.token_states(&[text], Some(&task)).unwrap().try_into().unwrap();
        let [joined] = encoder.token_states(&[&whole], None).unwrap().try_into().unwrap();
        assert_eq!((&after.ids, &after.states), (&joined.ids, &joined.states), "{name}");
        let mut read = 0; // XLM-RoBERTa's mark before a word stands for the word's first letter, as the next token may
        let piece = |offset: &Range<usize>| {
            let start = read.max(offset.start);
            read = read.max(offset.end);
            text[start..read].trim()
        };
        let pieces: String = after.offsets.iter().map(piece).collect();
        assert_eq!(pieces, text.replace(' ', ""), "{name}");
    }
}
