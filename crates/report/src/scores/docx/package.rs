use crate::{Error, Result};
use std::io::{Cursor, Write};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

const CONTENT_TYPES: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n<Types \
    xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"><Default Extension=\"rels\" \
    ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/><Default Extension=\"xml\" \
    ContentType=\"application/xml\"/><Override PartName=\"/word/document.xml\" \
    ContentType=\"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml\"/><Override \
    PartName=\"/word/styles.xml\" \
    ContentType=\"application/vnd.openxmlformats-officedocument.wordprocessingml.styles+xml\"/>";
const RELATIONS: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n<Relationships \
    xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship Id=\"rId1\" \
    Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument\" \
    Target=\"word/document.xml\"/></Relationships>";
const DOCUMENT_RELATIONS: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n<Relationships \
    xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship Id=\"rId1\" \
    Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles\" Target=\"styles.xml\"/>";

/// Name, what it looks like, and the space around it, of each style.
const STYLES: &[(&str, &str, &str)] = &[
    ("Title", "<w:b/><w:sz w:val=\"44\"/>", "<w:spacing w:after=\"240\"/>"),
    (
        "Heading1",
        "<w:b/><w:sz w:val=\"30\"/>",
        "<w:keepNext/><w:spacing w:before=\"360\" w:after=\"120\"/><w:outlineLvl w:val=\"0\"/>",
    ),
    (
        "Heading2",
        "<w:b/><w:sz w:val=\"24\"/>",
        "<w:keepNext/><w:spacing w:before=\"240\" w:after=\"80\"/><w:outlineLvl w:val=\"1\"/>",
    ),
    ("ListBullet", "", "<w:spacing w:after=\"60\"/><w:ind w:left=\"360\" w:hanging=\"360\"/>"),
    (
        "Code",
        "<w:rFonts w:ascii=\"Consolas\" w:hAnsi=\"Consolas\"/><w:sz w:val=\"18\"/>",
        "<w:spacing w:after=\"60\"/>",
    ),
    ("TableHead", "<w:b/><w:sz w:val=\"17\"/>", "<w:spacing w:before=\"40\" w:after=\"40\"/>"),
    ("TableCell", "<w:sz w:val=\"17\"/>", "<w:spacing w:before=\"40\" w:after=\"40\"/>"),
    ("Bar", "<w:sz w:val=\"15\"/>", "<w:spacing w:before=\"0\" w:after=\"0\"/>"),
    (
        "Gap",
        "<w:sz w:val=\"2\"/>",
        "<w:spacing w:before=\"0\" w:after=\"0\" w:line=\"20\" w:lineRule=\"exact\"/>",
    ),
];

/// The name by which a document refers to its chart of that number, from 1.
pub(super) fn chart_id(number: usize) -> String {
    format!("chart{number}")
}

/// A package of this `word/document.xml` with its charts and styles.
///
/// # Errors
/// None but those of the writer of archives.
pub(super) fn zipped(document: &str, charts: &[String]) -> Result<Vec<u8>> {
    let (mut types, mut relations) = (CONTENT_TYPES.to_string(), DOCUMENT_RELATIONS.to_string());
    let mut parts = vec![
        ("word/document.xml".to_string(), document.to_string()),
        ("word/styles.xml".into(), styles()),
        ("_rels/.rels".into(), RELATIONS.into()),
    ];
    for (id, chart) in charts.iter().enumerate().map(|(i, chart)| (chart_id(i + 1), chart)) {
        types += &format!(
            "<Override PartName=\"/word/charts/{id}.xml\" \
             ContentType=\"application/vnd.openxmlformats-officedocument.drawingml.chart+xml\"/>"
        );
        relations += &format!(
            "<Relationship Id=\"{id}\" \
             Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/chart\" \
             Target=\"charts/{id}.xml\"/>"
        );
        parts.push((format!("word/charts/{id}.xml"), chart.clone()));
    }
    parts.push(("word/_rels/document.xml.rels".into(), relations + "</Relationships>"));
    parts.insert(0, ("[Content_Types].xml".into(), types + "</Types>"));
    let failed = |e: zip::result::ZipError| Error::Document { reason: e.to_string() };
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in parts {
        zip.start_file(name, SimpleFileOptions::default()).map_err(failed)?;
        zip.write_all(text.as_bytes()).map_err(|e| failed(e.into()))?;
    }
    Ok(zip.finish().map_err(failed)?.into_inner())
}

fn styles() -> String {
    let style = |(name, run, paragraph): &(&str, &str, &str)| {
        format!(
            "<w:style w:type=\"paragraph\" w:styleId=\"{name}\"><w:name w:val=\"{name}\"/><w:basedOn \
             w:val=\"Normal\"/><w:pPr>{paragraph}</w:pPr><w:rPr>{run}</w:rPr></w:style>"
        )
    };
    let styles: String = STYLES.iter().map(style).collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n<w:styles \
         xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\"><w:docDefaults><w:rPrDefault><w:rPr>\
         <w:rFonts w:ascii=\"Calibri\" w:hAnsi=\"Calibri\" w:cs=\"Calibri\"/><w:sz w:val=\"21\"/></w:rPr></w:rPrDefault>\
         </w:docDefaults><w:style w:type=\"paragraph\" w:default=\"1\" w:styleId=\"Normal\"><w:name w:val=\"Normal\"/>\
         <w:pPr><w:spacing w:after=\"120\"/></w:pPr></w:style>{styles}</w:styles>"
    )
}
