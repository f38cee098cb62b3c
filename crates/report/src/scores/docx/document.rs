use super::chart::Chart;
use super::package;
use crate::Result;
use std::fmt::Write;

/// Width of the text in twentieths of a point: A4 across, with margins of 1.9 cm.
const WIDTH: usize = 14_600;
/// Width of the names beside bars, and of the longest bar.
const NAMES: usize = 2600;
const BARS: usize = 8000;

/// Width and height of a chart in English metric units, 360,000 to a centimetre.
const CHART: [usize; 2] = [4_500_000, 2_500_000];

/// The body of a Word document, in WordprocessingML (ECMA-376), and the charts in it.
#[derive(Default)]
pub(super) struct Document(String, Vec<String>);

impl Document {
    pub(super) fn title(&mut self, text: &str) {
        self.styled("Title", text);
    }

    pub(super) fn heading(&mut self, text: &str) {
        self.styled("Heading1", text);
    }

    pub(super) fn subheading(&mut self, text: &str) {
        self.styled("Heading2", text);
    }

    pub(super) fn paragraph(&mut self, text: &str) {
        self.styled("Normal", text);
    }

    pub(super) fn bullet(&mut self, text: &str) {
        self.styled("ListBullet", &format!("•\t{text}"));
    }

    pub(super) fn code(&mut self, text: &str) {
        self.styled("Code", text);
    }

    /// A table whose first row repeats on every page.
    pub(super) fn table(&mut self, heads: &[&str], rows: Vec<Vec<String>>) {
        let width = WIDTH / heads.len().max(1);
        self.open_table(&vec![width; heads.len()], true);
        self.0 += "<w:tr><w:trPr><w:tblHeader/></w:trPr>";
        heads.iter().for_each(|head| self.cell(width, None, "TableHead", head));
        self.0 += "</w:tr>";
        for row in rows {
            self.0 += "<w:tr><w:trPr><w:cantSplit/></w:trPr>";
            row.iter().for_each(|cell| self.cell(width, None, "TableCell", cell));
            self.0 += "</w:tr>";
        }
        self.0 += "</w:tbl>";
        self.styled("Normal", "");
    }

    /// Bars as coloured cells: for each name, a colour and a length each.
    pub(super) fn bars(&mut self, groups: &[(String, [(&str, f64); 3])]) {
        let most = groups.iter().flat_map(|(_, bars)| bars.iter().map(|b| b.1));
        let most = most.filter(|v| v.is_finite()).fold(f64::MIN_POSITIVE, f64::max);
        for (name, bars) in groups {
            for (i, (colour, value)) in bars.iter().enumerate() {
                let length =
                    if value.is_finite() { (value / most * BARS as f64) as usize } else { 0 }.max(20);
                let rest = WIDTH.saturating_sub(NAMES + length);
                self.open_table(&[NAMES, length, rest], false);
                self.0 += "<w:tr><w:trPr><w:trHeight w:val=\"200\" w:hRule=\"exact\"/></w:trPr>";
                self.cell(NAMES, None, "Bar", if i == 0 { name } else { "" });
                self.cell(length, Some(colour), "Bar", "");
                self.cell(rest, None, "Bar", &crate::numbers::score(*value));
                self.0 += "</w:tr></w:tbl>";
                self.styled("Gap", ""); // two tables that touch become one
            }
        }
    }

    /// Charts side by side, as far as there is room.
    pub(super) fn charts(&mut self, charts: &[Chart<'_>]) {
        self.0 += "<w:p><w:pPr><w:pStyle w:val=\"Normal\"/></w:pPr>";
        for chart in charts.iter().filter_map(Chart::xml) {
            self.1.push(chart);
            let (number, [width, height]) = (self.1.len(), CHART);
            let _ = write!(
                self.0,
                "<w:r><w:drawing><wp:inline distT=\"0\" distB=\"0\" distL=\"0\" distR=\"0\"><wp:extent cx=\"{width}\" \
                 cy=\"{height}\"/><wp:docPr id=\"{number}\" name=\"Chart {number}\"/><a:graphic><a:graphicData \
                 uri=\"http://schemas.openxmlformats.org/drawingml/2006/chart\"><c:chart r:id=\"{}\"/></a:graphicData>\
                 </a:graphic></wp:inline></w:drawing></w:r>",
                package::chart_id(number)
            );
        }
        self.0 += "</w:p>";
    }

    /// The whole package.
    ///
    /// # Errors
    /// None but those of the writer of archives.
    pub(super) fn finish(self) -> Result<Vec<u8>> {
        let text = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n<w:document \
             xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\" \
             xmlns:wp=\"http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing\" \
             xmlns:a=\"http://schemas.openxmlformats.org/drawingml/2006/main\" \
             xmlns:c=\"http://schemas.openxmlformats.org/drawingml/2006/chart\" \
             xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\"><w:body>{}<w:sectPr><w:pgSz \
             w:w=\"16838\" w:h=\"11906\" w:orient=\"landscape\"/><w:pgMar w:top=\"1077\" w:right=\"1077\" \
             w:bottom=\"1077\" w:left=\"1077\" w:header=\"0\" w:footer=\"0\" w:gutter=\"0\"/></w:sectPr></w:body>\
             </w:document>",
            self.0
        );
        package::zipped(&text, &self.1)
    }

    fn styled(&mut self, style: &str, text: &str) {
        let _ = write!(
            self.0,
            "<w:p><w:pPr><w:pStyle w:val=\"{style}\"/></w:pPr><w:r>{}</w:r></w:p>",
            runs(text)
        );
    }

    fn open_table(&mut self, widths: &[usize], ruled: bool) {
        let line =
            |side: &str| format!("<w:{side} w:val=\"single\" w:sz=\"4\" w:space=\"0\" w:color=\"D0D5DB\"/>");
        let borders = match ruled {
            true => {
                format!("<w:tblBorders>{}{}{}</w:tblBorders>", line("top"), line("bottom"), line("insideH"))
            }
            false => String::new(),
        };
        let columns: String = widths.iter().map(|w| format!("<w:gridCol w:w=\"{w}\"/>")).collect();
        let total: usize = widths.iter().sum();
        let _ = write!(
            self.0,
            "<w:tbl><w:tblPr><w:tblW w:w=\"{total}\" w:type=\"dxa\"/>{borders}<w:tblLayout w:type=\"fixed\"/></w:tblPr>\
             <w:tblGrid>{columns}</w:tblGrid>"
        );
    }

    fn cell(&mut self, width: usize, fill: Option<&str>, style: &str, text: &str) {
        let fill = fill.map_or(String::new(), |colour| {
            format!("<w:shd w:val=\"clear\" w:color=\"auto\" w:fill=\"{colour}\"/>")
        });
        let _ = write!(
            self.0,
            "<w:tc><w:tcPr><w:tcW w:w=\"{width}\" w:type=\"dxa\"/>{fill}</w:tcPr><w:p><w:pPr><w:pStyle \
             w:val=\"{style}\"/></w:pPr><w:r>{}</w:r></w:p></w:tc>",
            runs(text)
        );
    }
}

/// Text of a run; a tab is an element of its own. Characters that XML forbids become U+FFFD.
fn runs(text: &str) -> String {
    let parts = text.split('\t').map(|part| {
        let part: String = part.chars().map(|c| if c == '\n' || c == '\r' { ' ' } else { c }).collect();
        let allowed = |c: char| if matches!(c, '\u{fffe}' | '\u{ffff}') { '\u{fffd}' } else { c };
        let part: String = crate::escape::html(&part).chars().map(allowed).collect();
        format!("<w:t xml:space=\"preserve\">{part}</w:t>")
    });
    parts.collect::<Vec<_>>().join("<w:tab/>")
}
