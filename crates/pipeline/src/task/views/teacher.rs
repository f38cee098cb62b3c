use super::corpus::SplitCorpus;
use super::spec::Spec;
use crate::config::{Data, Teacher, TeacherKind};
use crate::run::{Context, TextSet};
use crate::{Error, Result, given_vectors};
use manyview_core::{Embeddings, Fingerprint, Instruction};

/// What a teacher taught: its vectors for training rows, and for the other rows where it can see them.
#[derive(Clone, Debug)]
pub(super) struct TrainingData {
    /// The training rows it was asked for, sorted.
    pub rows: Vec<usize>,
    /// Its vectors of those rows, `[rows, dim_out]`.
    pub train: Embeddings,
    /// Its vectors of the validation rows, `[val, dim_out]`; none when it cannot see them or there are none.
    pub val: Option<Embeddings>,
    /// Its vectors of the test rows, `[test, dim_out]`; none when it cannot see them.
    pub test: Option<Embeddings>,
}

impl TrainingData {
    /// The rows of the corpus at these positions of [`TrainingData::rows`].
    pub(super) fn rows_at(&self, positions: &[usize]) -> Vec<usize> {
        positions.iter().filter_map(|&i| self.rows.get(i).copied()).collect()
    }
}

/// Asks the teacher of `spec`; `base` are the vectors of all rows, `[n, dim]`. No label of a validation or test row is
/// read.
///
/// # Errors
/// A teacher whose settings are missing or do not fit the corpus, or whatever the encoder reports.
pub(super) fn teach(
    spec: &Spec,
    corpus: &SplitCorpus,
    base: &Embeddings,
    cx: &mut Context<'_>,
) -> Result<TrainingData> {
    let kind = spec.teacher.kind;
    if corpus.vectors.is_some() && kind != TeacherKind::Vectors {
        return Err(Error::setting(
            "teacher.kind",
            format!(
                "the teacher `{}` asks the encoder, and with data.vectors there is none; use `vectors`, or leave out \
                 data.vectors",
                kind.as_str()
            ),
        ));
    }
    let mut encode = |texts: &[&str], instruction: Option<Instruction>| -> Result<Embeddings> {
        let set = TextSet { texts: texts.to_vec(), instruction };
        let encoded = cx.encode(&spec.encoder, &spec.store, &[set])?;
        Ok(encoded.sets::<1>()?[0].clone())
    };
    let training = match kind {
        TeacherKind::Vectors => matrix(spec, corpus),
        TeacherKind::Instructed => instructed(spec, corpus, &mut encode),
        TeacherKind::Answers => answers(spec, corpus, &mut encode),
        TeacherKind::Names => names(spec, corpus, base, &mut encode),
    }?;
    if training.rows.len() < 2 {
        return Err(Error::setting(
            "teacher.rows",
            format!("expected at least 2 training rows to learn from, found {}", training.rows.len()),
        ));
    }
    Ok(training)
}

/// That what a teacher needs is there; gives its name.
///
/// # Errors
/// What is missing.
pub(super) fn ready(teacher: &Teacher, data: &Data) -> Result<String> {
    match teacher.kind {
        TeacherKind::Instructed => drop(instruction(teacher)?),
        TeacherKind::Answers if data.answers.is_none() => {
            return Err(Error::setting("data.answers", "the teacher `answers` needs the column of answers"));
        }
        TeacherKind::Vectors => match &teacher.vectors {
            None => return Err(Error::setting("teacher.vectors", "the teacher `vectors` needs a file")),
            Some(path) => drop(manyview_data::read_vectors(path, &teacher.vectors_column)?),
        },
        TeacherKind::Answers | TeacherKind::Names => {}
    }
    Ok(teacher.kind.as_str().into())
}

/// Encodes texts under an instruction.
type Encode<'a> = dyn FnMut(&[&str], Option<Instruction>) -> Result<Embeddings> + 'a;

/// The instruction of `teacher`, for prompts.
///
/// # Errors
/// An empty instruction, or a template without its placeholders.
pub(super) fn instruction(teacher: &Teacher) -> Result<Instruction> {
    if teacher.instruction.trim().is_empty() {
        let problem =
            "expected what to look for in a text, such as \"Identify the main topic\"; found nothing";
        return Err(Error::setting("teacher.instruction", problem));
    }
    Ok(Instruction::new(&teacher.instruction).with_template(&teacher.template)?)
}

fn instructed(spec: &Spec, corpus: &SplitCorpus, encode: &mut Encode<'_>) -> Result<TrainingData> {
    let instruction = instruction(&spec.teacher)?;
    let rows = asked(spec, &corpus.split.train);
    let all = [&rows[..], &corpus.split.val, &corpus.split.test].concat();
    let taught = encode(&corpus.texts(&all), Some(instruction))?;
    let part = |from: usize, n: usize| {
        (n > 0).then(|| taught.select(&(from..from + n).collect::<Vec<_>>())).transpose()
    };
    let (n, val) = (rows.len(), corpus.split.val.len());
    let train =
        part(0, n)?.ok_or_else(|| Error::setting("data.train", "expected training rows, found none"))?;
    Ok(TrainingData { train, val: part(n, val)?, test: part(n + val, corpus.split.test.len())?, rows })
}

fn answers(spec: &Spec, corpus: &SplitCorpus, encode: &mut Encode<'_>) -> Result<TrainingData> {
    let Some(answers) = &corpus.train_answers else {
        let problem = "the teacher `answers` reads each training text's answer from a column; name it here";
        return Err(Error::setting("data.answers", problem));
    };
    let given = corpus.split.train.iter().zip(answers).filter_map(|(&row, a)| {
        a.as_deref()
            .map(str::trim)
            .filter(|a| !a.is_empty())
            .map(|a| (row, phrase(&spec.teacher.question, a)))
    });
    let given: Vec<(usize, String)> = given.collect();
    let rows = asked(spec, &given.iter().map(|(row, _)| *row).collect::<Vec<_>>());
    let texts: Vec<&str> =
        given.iter().filter(|(row, _)| rows.binary_search(row).is_ok()).map(|(_, t)| t.as_str()).collect();
    if texts.is_empty() {
        return Err(Error::setting(
            "data.answers",
            "expected an answer in at least 2 training rows, found none",
        ));
    }
    Ok(TrainingData { train: encode(&texts, None)?, rows, val: None, test: None })
}

fn names(
    spec: &Spec,
    corpus: &SplitCorpus,
    base: &Embeddings,
    encode: &mut Encode<'_>,
) -> Result<TrainingData> {
    let teacher = &spec.teacher;
    if teacher.temperature.is_nan() || teacher.temperature <= 0.0 {
        let problem = format!("expected a number above 0, found {}", teacher.temperature);
        return Err(Error::setting("teacher.temperature", problem));
    }
    let mut candidates = teacher.names.clone().unwrap_or_else(|| corpus.train_labels.clone());
    candidates.sort();
    candidates.dedup();
    if candidates.len() < 2 {
        let problem = format!(
            "expected at least 2 candidate names to tell apart, found {}; list them, or use data with more labels",
            candidates.len()
        );
        return Err(Error::setting("teacher.names", problem));
    }
    let phrases: Vec<String> = candidates.iter().map(|name| phrase(&teacher.question, name)).collect();
    let phrases: Vec<&str> = phrases.iter().map(String::as_str).collect();
    let names = encode(&phrases, None)?;
    let mixed = |rows: &[usize]| mix(&base.select(rows)?, &names, teacher.temperature);
    let held_out = |rows: &[usize]| (!rows.is_empty()).then(|| mixed(rows)).transpose();
    let rows = asked(spec, &corpus.split.train);
    Ok(TrainingData {
        train: mixed(&rows)?,
        val: held_out(&corpus.split.val)?,
        test: held_out(&corpus.split.test)?,
        rows,
    })
}

fn matrix(spec: &Spec, corpus: &SplitCorpus) -> Result<TrainingData> {
    let teacher = &spec.teacher;
    let Some(path) = &teacher.vectors else {
        let problem = "the teacher `vectors` reads a matrix from a .npy or .parquet file; name it here";
        return Err(Error::setting("teacher.vectors", problem));
    };
    let (column, n) = (&teacher.vectors_column, corpus.source_rows);
    let all = given_vectors::matrix("teacher.vectors", path, column, n, &corpus.name)?;
    let of = |rows: &[usize]| {
        let source: Vec<usize> = rows.iter().filter_map(|&i| corpus.corpus.rows.get(i).copied()).collect();
        (!source.is_empty()).then(|| all.select(&source)).transpose()
    };
    let rows = asked(spec, &corpus.split.train);
    let train =
        of(&rows)?.ok_or_else(|| Error::setting("data.train", "expected training rows, found none"))?;
    Ok(TrainingData { train, val: of(&corpus.split.val)?, test: of(&corpus.split.test)?, rows })
}

/// The training rows the teacher is asked for: all, or a seeded sample of `teacher.rows`, sorted.
fn asked(spec: &Spec, rows: &[usize]) -> Vec<usize> {
    let seed = spec.data.seed.to_le_bytes();
    let order = |row: &usize| {
        Fingerprint::builder("teacher-rows/1").field("seed", &seed).field("row", &row.to_le_bytes()).finish()
    };
    let mut sample = rows.to_vec();
    if let Some(limit) = spec.teacher.rows.filter(|&limit| limit < rows.len()) {
        sample.sort_by_cached_key(order);
        sample.truncate(limit);
        sample.sort_unstable();
    }
    sample
}

/// A name or answer as the encoder reads it: after the question, and an identifier such as `credit_card` as words.
fn phrase(question: &str, answer: &str) -> String {
    let sentence = answer.trim().contains(char::is_whitespace);
    let words = if sentence { answer.to_string() } else { answer.replace(['_', '-'], " ") };
    format!("{} {}", question.trim(), words.trim()).trim().to_string()
}

/// For each row of `base`, `[n, dim]`, the mix of `names`, `[names, dim]`, weighted by the softmax of their cosines over
/// `temperature`; L2-normalised, `[n, dim]`.
fn mix(base: &Embeddings, names: &Embeddings, temperature: f64) -> Result<Embeddings> {
    let mixed = base.rows().map(|x| {
        let cosines: Vec<f64> = names.rows().map(|c| dot(x, c) / temperature).collect();
        let top = cosines.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mut row = vec![0f32; names.dim()];
        for (c, cosine) in names.rows().zip(&cosines) {
            let weight = (cosine - top).exp() as f32; // the common factor goes with the normalisation
            row.iter_mut().zip(c).for_each(|(r, c)| *r += weight * c);
        }
        row
    });
    Ok(Embeddings::from_rows(mixed)?.normalized()?)
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Experiment;
    use crate::run::Stage;

    #[test]
    fn a_low_temperature_picks_the_nearest_name() {
        let names = Embeddings::new(vec![1.0, 0.0, 0.0, 1.0], 2).unwrap();
        let base = Embeddings::new(vec![0.8, 0.6], 2).unwrap();
        let sharp = mix(&base, &names, 1e-3).unwrap();
        assert!(sharp.row(0)[0] > 0.999, "{sharp:?}");
        let flat = mix(&base, &names, 1e3).unwrap();
        assert!((flat.row(0)[0] - flat.row(0)[1]).abs() < 1e-3, "{flat:?}");
    }

    #[test]
    fn a_phrase_reads_like_words() {
        assert_eq!(phrase("What is it?", "credit_card-fee"), "What is it? credit card fee");
        assert_eq!(phrase("", "an X-ray of the chest"), "an X-ray of the chest");
        assert_eq!(phrase("", "uk"), "uk");
    }

    #[test]
    fn a_sample_of_rows_is_sorted_and_the_same_every_time() {
        let mut experiment = Experiment::default();
        experiment.teacher.rows = Some(10);
        let spec = Spec::of(&experiment, Stage::Report).unwrap();
        let rows: Vec<usize> = (0..100).collect();
        let sample = asked(&spec, &rows);
        assert_eq!(sample.len(), 10);
        assert!(sample.is_sorted());
        assert_eq!(sample, asked(&spec, &rows));
    }
}
