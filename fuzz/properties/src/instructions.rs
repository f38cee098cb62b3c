use crate::scratch::{self, parts};
use manyview_core::Instruction;

/// A task, a template and a text, and an instruction as JSON: every template that is taken puts the text at the end,
/// once, whatever task and text say.
pub fn instruction(data: &[u8]) {
    let [task, template, text] = parts::<3>(data).map(String::from_utf8_lossy);
    match Instruction::new(&*task).with_template(&*template) {
        Ok(made) => prompts(&made, &text),
        Err(e) => scratch::refused(e.kind(), &e),
    }
    if let Ok(read) = serde_json::from_slice::<Instruction>(data) {
        prompts(&read, &text);
    }
}

fn prompts(made: &Instruction, text: &str) {
    let before = made.template().strip_suffix("{text}").unwrap();
    assert!(!before.contains("{text}"));
    let (prefix, prompt) = (made.prefix(), made.prompt(text));
    assert_eq!(prompt, format!("{prefix}{text}"));
    match before.split_once("{task}") {
        Some((head, tail)) => {
            assert!(!tail.contains("{task}"), "{before}");
            assert_eq!(prefix, format!("{head}{}{tail}", made.task()));
        }
        None => assert_eq!(prefix, before),
    }
    let json = serde_json::to_vec(made).unwrap();
    assert_eq!(&serde_json::from_slice::<Instruction>(&json).unwrap(), made);
}
