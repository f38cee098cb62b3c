use crate::axis::range;
use crate::escape;
use crate::numbers::counted;
use crate::palette::Palette;

/// A view as points on a plane, one a text.
#[derive(Clone, Debug)]
pub struct Map {
    /// Which view it is.
    pub title: String,
    /// Place of each text, as [`crate::project`] gives it.
    pub points: Vec<[f32; 2]>,
    /// Label of each text: an index into `label_names`.
    pub labels: Vec<usize>,
    /// Names of the labels.
    pub label_names: Vec<String>,
    /// The texts, shown on hover; only the first 80 characters are.
    pub texts: Vec<String>,
}

/// Side of a map, in its own units.
const SIDE: f32 = 320.0;
/// Characters of a text that are shown.
const SHOWN: usize = 80;

impl Map {
    /// A text's label; a question mark for one without a name.
    fn label(&self, text: usize) -> &str {
        self.labels.get(text).and_then(|l| self.label_names.get(*l)).map_or("?", String::as_str)
    }

    fn html(&self, palette: &Palette) -> String {
        let title = escape::html(&self.title);
        // One scale for both axes: distances compare in every direction.
        let spans = [0, 1].map(|axis| range(self.points.iter().map(|p| f64::from(p[axis])), 0.0));
        let [Some((x0, x1)), Some((y0, y1))] = spans.map(|s| s.map(|(a, b)| (a as f32, b as f32))) else {
            return String::new();
        };
        let scale = (SIDE - 20.0) / (x1 - x0).max(y1 - y0);
        // By colour, so that each is named once; grey lies below.
        let mut groups = vec![String::new(); palette.named.len() + 1];
        for (i, [x, y]) in self.points.iter().enumerate().filter(|(_, p)| p.iter().all(|v| v.is_finite())) {
            let label = self.label(i);
            let colour = palette.colour(label);
            let x = SIDE / 2.0 + (x - (x0 + x1) / 2.0) * scale;
            let y = SIDE / 2.0 - (y - (y0 + y1) / 2.0) * scale;
            let text = self.texts.get(i).map_or(String::new(), |t| format!(": {}", escape::short(t, SHOWN)));
            let title = escape::html(&format!("{}{text}", escape::short(label, SHOWN)));
            if let Some(group) = groups.get_mut(colour.map_or(0, |c| c + 1)) {
                group.push_str(&shape(colour, x, y, &title));
            }
        }
        let points: String = groups
            .iter()
            .enumerate()
            .filter(|(_, g)| !g.is_empty())
            .map(|(i, g)| {
                format!("<g class={}>{g}</g>\n", i.checked_sub(1).map_or("other".into(), |c| format!("c{c}")))
            })
            .collect();
        let n = counted(self.points.len(), "text", "texts");
        format!(
            "<figure class=map><figcaption>{title}</figcaption><svg viewBox=\"0 0 {SIDE} {SIDE}\" role=img \
             aria-label=\"{title}: map of {n}\">\n{points}</svg></figure>\n"
        )
    }
}

/// The first six colours are discs, the next six diamonds: hue is not all that tells them apart.
fn shape(colour: Option<usize>, x: f32, y: f32, title: &str) -> String {
    if colour.is_some_and(|c| c >= 6) {
        format!("<path d=\"M{x:.1} {:.1}l4 4-4 4-4-4z\"><title>{title}</title></path>", y - 4.0)
    } else {
        format!("<circle cx={x:.1} cy={y:.1} r=3.2><title>{title}</title></circle>")
    }
}

/// Maps side by side under one legend.
pub(crate) fn html(maps: &[Map], label: &str) -> String {
    let Some(first) = maps.first() else { return String::new() };
    let used = maps.iter().flat_map(|m| (0..m.points.len()).map(|i| m.label(i)));
    let palette = Palette::new(&first.label_names, used);
    let key = |class: &str, colour, name: &str| {
        let dot = shape(colour, 6.0, 6.0, &escape::html(name));
        let name = escape::html(&escape::short(name, 40));
        format!("<li><svg width=12 height=12 class={class} aria-hidden=true>{dot}</svg>{name}</li>")
    };
    let mut keys: String =
        palette.named.iter().enumerate().map(|(c, name)| key(&format!("c{c}"), Some(c), name)).collect();
    if palette.others > 0 {
        keys.push_str(&key("other", None, &counted(palette.others, "other label", "other labels")));
    }
    let maps: String = maps.iter().map(|m| m.html(&palette)).collect();
    format!(
        "<div class=maps>{maps}</div>\n<ul class=legend aria-label=\"Colours by {}\">{keys}</ul>\n",
        escape::html(label)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_point_is_inside_and_has_its_text() {
        let map = Map {
            title: "Base".into(),
            points: vec![[-50.0, 1.0], [70.0, 2.0], [0.0, f32::NAN]],
            labels: vec![0, 1, 7],
            label_names: vec!["<b>".into(), "calm".into()],
            texts: vec!["one".into(), "\u{1}two".into()],
        };
        let html = html(&[map], "mood");
        assert!(
            html.contains("<title>&lt;b&gt;: one</title>") && html.contains("<title>calm: two</title>"),
            "{html}"
        );
        assert!(html.contains("cx=10.2") && html.contains("cx=309.8"), "{html}");
        assert!(!html.contains("NaN"), "{html}");
    }

    #[test]
    fn no_maps_make_no_markup() {
        assert_eq!(html(&[], "x"), "");
    }
}
