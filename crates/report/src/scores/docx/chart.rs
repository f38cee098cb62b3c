use crate::escape;
use std::fmt::Write;

/// Colours of lines, in order; more lines than these begin anew.
const COLOURS: [&str; 8] = ["0B63C5", "7A8594", "C2410C", "15803D", "7E22CE", "B45309", "0E7490", "BE123C"];

/// Lines over one horizontal axis, in DrawingML (ECMA-376, part 1, chapter 21.2). The values stand in the chart itself,
/// without a workbook.
pub(super) struct Chart<'a> {
    pub(super) title: String,
    /// What the horizontal axis is.
    pub(super) below: &'a str,
    /// Whether that axis is one of powers.
    pub(super) logarithmic: bool,
    /// A name each, and its points.
    pub(super) lines: Vec<(&'a str, Vec<(f64, f64)>)>,
}

impl Chart<'_> {
    /// The part of a package; none without two points of a line to join.
    pub(super) fn xml(&self) -> Option<String> {
        let lines = self.lines.iter().map(|(name, points)| (name, finite(points)));
        let lines: Vec<_> = lines.filter(|(_, points)| points.len() > 1).collect();
        if lines.is_empty() {
            return None;
        }
        let series: String =
            lines.iter().enumerate().map(|(i, (name, points))| series(i, name, points)).collect();
        let legend = match lines.len() {
            1 => "",
            _ => "<c:legend><c:legendPos val=\"b\"/><c:overlay val=\"0\"/></c:legend>",
        };
        let scale = if self.logarithmic { "<c:logBase val=\"10\"/>" } else { "" };
        Some(format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n<c:chartSpace \
             xmlns:c=\"http://schemas.openxmlformats.org/drawingml/2006/chart\" \
             xmlns:a=\"http://schemas.openxmlformats.org/drawingml/2006/main\"><c:roundedCorners val=\"0\"/><c:chart>{}\
             <c:autoTitleDeleted val=\"0\"/><c:plotArea><c:layout/><c:scatterChart><c:scatterStyle \
             val=\"lineMarker\"/><c:varyColors val=\"0\"/>{series}<c:axId val=\"1\"/><c:axId \
             val=\"2\"/></c:scatterChart>{}{}</c:plotArea>{legend}<c:plotVisOnly val=\"1\"/></c:chart></c:chartSpace>",
            title(&self.title, 1200),
            axis(1, "b", scale, &title(self.below, 900)),
            axis(2, "l", "", "")
        ))
    }
}

fn finite(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    points.iter().copied().filter(|(x, y)| x.is_finite() && y.is_finite()).collect()
}

/// `size` is in hundredths of a point.
fn title(text: &str, size: u32) -> String {
    format!(
        "<c:title><c:tx><c:rich><a:bodyPr/><a:p><a:pPr><a:defRPr sz=\"{size}\" b=\"0\"/></a:pPr><a:r><a:rPr lang=\"en\" \
         sz=\"{size}\" b=\"0\"/><a:t>{}</a:t></a:r></a:p></c:rich></c:tx><c:overlay val=\"0\"/></c:title>",
        escape::html(text)
    )
}

fn series(place: usize, name: &str, points: &[(f64, f64)]) -> String {
    let colour = COLOURS.iter().cycle().nth(place).copied().unwrap_or_default();
    format!(
        "<c:ser><c:idx val=\"{place}\"/><c:order val=\"{place}\"/><c:tx><c:v>{}</c:v></c:tx><c:spPr><a:ln \
         w=\"19050\"><a:solidFill><a:srgbClr val=\"{colour}\"/></a:solidFill></a:ln></c:spPr><c:marker><c:symbol \
         val=\"none\"/></c:marker><c:xVal>{}</c:xVal><c:yVal>{}</c:yVal><c:smooth val=\"0\"/></c:ser>",
        escape::html(name),
        numbers(points.iter().map(|p| p.0)),
        numbers(points.iter().map(|p| p.1))
    )
}

fn numbers(values: impl ExactSizeIterator<Item = f64>) -> String {
    let mut xml =
        format!("<c:numLit><c:formatCode>General</c:formatCode><c:ptCount val=\"{}\"/>", values.len());
    for (i, value) in values.enumerate() {
        let _ = write!(xml, "<c:pt idx=\"{i}\"><c:v>{value}</c:v></c:pt>");
    }
    xml + "</c:numLit>"
}

fn axis(id: u32, side: &str, scale: &str, title: &str) -> String {
    let grid = if side == "l" {
        "<c:majorGridlines><c:spPr><a:ln w=\"6350\"><a:solidFill><a:srgbClr \
         val=\"D0D5DB\"/></a:solidFill></a:ln></c:spPr></c:majorGridlines>"
    } else {
        ""
    };
    format!(
        "<c:valAx><c:axId val=\"{id}\"/><c:scaling>{scale}<c:orientation val=\"minMax\"/></c:scaling><c:delete \
         val=\"0\"/><c:axPos val=\"{side}\"/>{grid}{title}<c:numFmt formatCode=\"General\" sourceLinked=\"0\"/>\
         <c:majorTickMark val=\"out\"/><c:minorTickMark val=\"none\"/><c:tickLblPos val=\"low\"/><c:crossAx \
         val=\"{}\"/><c:crosses val=\"min\"/></c:valAx>",
        3 - id
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chart_has_its_finite_points_and_no_markup_of_names() {
        let lines =
            vec![("a <b>", vec![(1.0, 0.5), (2.0, f64::NAN), (3.0, 0.25)]), ("one", vec![(1.0, 1.0)])];
        let chart = Chart { title: "Loss & more".into(), below: "epoch", logarithmic: false, lines };
        let xml = chart.xml().unwrap();
        assert_eq!(xml.matches("<c:ser>").count(), 1, "{xml}");
        assert!(
            xml.contains("a &lt;b&gt;") && xml.contains("Loss &amp; more") && !xml.contains("NaN"),
            "{xml}"
        );
        assert!(!xml.contains("<c:legend>") && xml.contains("<c:v>0.25</c:v>"), "{xml}");
        let none = Chart { lines: vec![("one", vec![(1.0, 1.0)])], ..chart };
        assert_eq!(none.xml(), None);
    }
}
