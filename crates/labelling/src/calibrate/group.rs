use super::settings::Settings;
use crate::{Error, Result};
use manyview_core::{Encoder, Progress};
use manyview_data::Article;
use serde::{Deserialize, Serialize};

/// What an oracle should find in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// On the topic: it should score high.
    Positive,
    /// Off it: it should score low.
    Negative,
    /// Neither is plain.
    Edge,
}

impl Group {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Positive, Self::Negative, Self::Edge];

    /// The name in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Positive => "positive",
            Self::Negative => "negative",
            Self::Edge => "edge",
        }
    }
}

/// How texts are told apart before an oracle sees them.
#[derive(Clone, Copy)]
pub enum By<'a> {
    /// By the words of the filter's calibration table.
    Words,
    /// By the likeness of their vectors to two descriptions there, as this encoder makes them.
    Likeness(&'a dyn Encoder),
}

/// The group of each text; none for one that could be in several.
pub(super) fn groups(
    by: By<'_>,
    articles: &[Article],
    settings: &Settings,
    progress: &dyn Progress,
) -> Result<Vec<Option<Group>>> {
    match by {
        By::Words => words(articles, settings),
        By::Likeness(encoder) => likeness(articles, settings, encoder, progress),
    }
}

/// On the topic: some of the positive words and none of the negative ones. Edge: some of both, or, where no negative
/// word is given, one positive word only.
fn words(articles: &[Article], settings: &Settings) -> Result<Vec<Option<Group>>> {
    if settings.positive.is_empty() {
        return Err(missing(
            "positive",
            "words of texts on the topic, such as positive = [\"solar\", \"wind farm\"]",
        ));
    }
    let group = |article: &Article| {
        let text = plain(&article.text());
        let found = |words: &[String]| words.iter().filter(|word| text.contains(&plain(word))).count();
        match (found(&settings.positive), found(&settings.negative)) {
            (0, _) => Group::Negative,
            (1, 0) if settings.negative.is_empty() => Group::Edge,
            (_, 0) => Group::Positive,
            (_, _) => Group::Edge,
        }
    };
    Ok(articles.iter().map(|article| Some(group(article))).collect())
}

/// Lower-case words between single spaces, with one at each end: a word is found whole.
fn plain(text: &str) -> String {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.fold(" ".into(), |text, word| text + &word.to_lowercase() + " ")
}

/// By how much nearer a text is to one description than to the other: the first twentieth is on the topic, the next
/// tenth is edge, the last half is off it.
fn likeness(
    articles: &[Article],
    settings: &Settings,
    encoder: &dyn Encoder,
    progress: &dyn Progress,
) -> Result<Vec<Option<Group>>> {
    for (key, text) in
        [("positive_text", &settings.positive_text), ("negative_text", &settings.negative_text)]
    {
        if text.trim().is_empty() {
            return Err(missing(key, "a description in words"));
        }
    }
    let poles =
        encoder.encode(&[&settings.positive_text, &settings.negative_text], None)?.vectors.normalized()?;
    let texts: Vec<String> = articles.iter().map(Article::text).collect();
    const AT_ONCE: usize = 256;
    let mut nearer = Vec::with_capacity(texts.len());
    progress.begin("compare", texts.len() as u64);
    for chunk in texts.chunks(AT_ONCE) {
        if progress.stopped() {
            return Err(manyview_core::Error::Interrupted.into());
        }
        let texts: Vec<&str> = chunk.iter().map(String::as_str).collect();
        let vectors = encoder.encode(&texts, None)?.vectors.normalized()?; // [chunk, dim]
        let cosine =
            |row: &[f32], pole: usize| row.iter().zip(poles.row(pole)).map(|(a, b)| a * b).sum::<f32>();
        nearer.extend(vectors.rows().map(|row| cosine(row, 0) - cosine(row, 1)));
        progress.advance(chunk.len() as u64);
    }
    progress.end();
    let mut order: Vec<usize> = (0..nearer.len()).collect();
    order.sort_by(|&a, &b| nearer[b].total_cmp(&nearer[a]).then(a.cmp(&b)));
    let n = order.len();
    let mut groups = vec![None; n];
    for (place, &row) in order.iter().enumerate() {
        groups[row] = match place {
            place if place < n / 20 => Some(Group::Positive),
            place if place < n / 20 + n / 10 => Some(Group::Edge),
            place if place >= n - n / 2 => Some(Group::Negative),
            _ => None,
        };
    }
    Ok(groups)
}

fn missing(key: &str, what: &str) -> Error {
    let problem = format!("expected {what}, found none; add it to the table `calibration` of the filter");
    Error::setting(&format!("calibration.{key}"), problem)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn article(content: &str) -> Article {
        Article {
            id: content.into(),
            title: String::new(),
            content: content.into(),
            fields: Default::default(),
        }
    }

    #[test]
    fn words_are_found_whole_and_in_any_case() {
        let settings = Settings {
            positive: vec!["wind farm".into()],
            negative: vec!["cup".into()],
            ..Settings::default()
        };
        let of = |text: &str| words(&[article(text)], &settings).unwrap()[0].unwrap();
        assert_eq!(of("A new Wind-Farm opens"), Group::Positive);
        assert_eq!(of("A wind farmer"), Group::Negative);
        assert_eq!(of("The wind farm sponsors the cup"), Group::Edge);
    }

    #[test]
    fn without_negative_words_one_positive_word_is_not_plain() {
        let settings = Settings { positive: vec!["wind".into(), "solar".into()], ..Settings::default() };
        let of = |text: &str| words(&[article(text)], &settings).unwrap()[0].unwrap();
        assert_eq!(
            [of("wind"), of("wind and solar"), of("rain")],
            [Group::Edge, Group::Positive, Group::Negative]
        );
        let e = words(&[], &Settings::default()).unwrap_err().to_string();
        assert!(e.contains("calibration.positive"), "{e}");
    }
}
