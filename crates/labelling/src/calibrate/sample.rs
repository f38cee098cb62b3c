use super::group::groups;
use super::settings::Settings;
use super::{By, Group, SAMPLED};
use crate::{Error, Result};
use manyview_core::Progress;
use manyview_core::publish::write_whole;
use manyview_data::{Article, Filter, shuffled};
use serde_json::json;
use std::collections::HashSet;
use std::path::PathBuf;

/// What sample to draw.
#[derive(Clone, Debug)]
pub struct SampleRequest {
    /// The filter: a file, or the directory of one version.
    pub filter: PathBuf,
    /// The corpus: JSON objects with `id`, `title` and `content`, one a line.
    pub input: PathBuf,
    /// The sample to write.
    pub output: PathBuf,
    /// Texts on the topic, off it, and between.
    pub counts: [usize; 3],
    /// Seed of the draw.
    pub seed: u64,
    /// Samples drawn earlier: no text of theirs is drawn again.
    pub exclude: Vec<PathBuf>,
}

/// What was drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Texts of each group, in the order of [`Group::ALL`].
    pub drawn: [usize; 3],
    /// Texts there were of each.
    pub there: [usize; 3],
    /// Texts left out because an earlier sample has them.
    pub excluded: usize,
}

/// Draws texts on the topic, off it and between, told apart by `by`, and marks each with its group. The same seed gives the same texts.
///
/// # Errors
/// Files, a filter without words or descriptions, fewer texts of a group than asked for.
pub fn run(request: &SampleRequest, by: By<'_>, progress: &dyn Progress) -> Result<Sample> {
    let filter = Filter::load(&request.filter)?;
    let settings = Settings::of(&filter)?;
    let mut articles = Article::read_all(&request.input)?;
    let read = articles.len();
    let mut seen = HashSet::new();
    for path in &request.exclude {
        for article in Article::read_all(path)? {
            seen.extend([article.text(), format!("id {}", article.id)]);
        }
    }
    articles
        .retain(|article| !seen.contains(&article.text()) && !seen.contains(&format!("id {}", article.id)));
    let excluded = read - articles.len();
    let mut texts = HashSet::new();
    articles.retain(|article| texts.insert(article.text()) && texts.insert(format!("id {}", article.id)));

    let groups = groups(by, &articles, &settings, progress)?;
    let order = shuffled(articles.len(), request.seed);
    let (mut drawn, mut there) = (Vec::new(), [0; 3]);
    for (place, (group, &wanted)) in Group::ALL.into_iter().zip(&request.counts).enumerate() {
        let members: Vec<usize> =
            order.iter().copied().filter(|&row| groups.get(row) == Some(&Some(group))).collect();
        there[place] = members.len();
        if members.len() < wanted {
            return Err(Error::setting(
                &format!("--{}", group.name()),
                format!(
                    "expected {wanted} such texts, found {} of {} in {}; give a larger corpus, other words in the \
                     table `calibration`, or a smaller number",
                    members.len(),
                    articles.len(),
                    request.input.display()
                ),
            ));
        }
        drawn.extend(members.into_iter().take(wanted).map(|row| (row, group)));
    }
    drawn.sort_unstable();
    let mut lines = Vec::new();
    for (row, group) in drawn {
        let Some(article) = articles.get(row) else { continue };
        let mut object = article.object();
        object.insert(SAMPLED.into(), json!({ "filter": filter.name, "group": group.name() }));
        lines.extend(serde_json::Value::Object(object).to_string().into_bytes());
        lines.push(b'\n');
    }
    write_whole(&request.output, &lines)?;
    Ok(Sample { drawn: request.counts, there, excluded })
}
