use crate::markdown::{fenced, frame};
use crate::{Result, escape, page};

/// Everything a person should see of a run: one section for each variant, whatever its task.
#[derive(Clone, Debug)]
pub struct Report<S> {
    /// The title.
    pub name: String,
    /// What was done: data, origin and licence, sizes of the split, encoder, machine.
    pub facts: Vec<Fact>,
    /// What to believe, and what not.
    pub caveats: Vec<String>,
    /// One variant each.
    pub sections: Vec<S>,
    /// Commands that repeat the run.
    pub reproduce: Vec<String>,
}

/// One line of what was done.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    /// What it is about.
    pub label: String,
    /// What was found or chosen.
    pub value: String,
}

/// What a report shows of one variant, and how a report of such variants looks: the least is a table.
pub trait Section: Sized {
    /// A table of plain text for the terminal.
    fn table(report: &Report<Self>) -> String;

    /// One self-contained page: no scripts, nothing from outside, light and dark. The table, where a task has no more.
    fn html(report: &Report<Self>) -> String {
        let table = escape::html(&Self::table(report));
        let main = format!(
            "<section>\n<h2>Results</h2>\n<pre tabindex=0>{table}</pre>\n</section>\n{}{}{}",
            page::done(&report.facts),
            page::caveats(&report.caveats),
            page::reproduce(&report.reproduce)
        );
        page::whole(&report.name, "", &main)
    }

    /// The same facts, figures and words, without the pictures.
    fn markdown(report: &Report<Self>) -> String {
        let main = vec![fenced(&Self::table(report))];
        frame(&report.name, "", &report.facts, main, &report.caveats, &report.reproduce)
    }

    /// The same as a Word document, the bytes of a `.docx` file; none where the task has no such form.
    ///
    /// # Errors
    /// None but those of the writer of archives.
    fn docx(_report: &Report<Self>) -> Result<Option<Vec<u8>>> {
        Ok(None)
    }
}

impl<S: Section> Report<S> {
    /// One self-contained page: no scripts, nothing from outside, light and dark.
    pub fn html(&self) -> String {
        S::html(self)
    }

    /// The same facts, figures and words, without the pictures.
    pub fn markdown(&self) -> String {
        S::markdown(self)
    }

    /// A table of plain text for the terminal.
    pub fn table(&self) -> String {
        S::table(self)
    }

    /// The same as a Word document; none where the task has no such form.
    ///
    /// # Errors
    /// None but those of the writer of archives.
    pub fn docx(&self) -> Result<Option<Vec<u8>>> {
        S::docx(self)
    }
}
