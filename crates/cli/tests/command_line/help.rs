use crate::scene::Scene;

/// The commands a page of help lists.
fn commands(page: &str) -> Vec<String> {
    let list =
        page.split("\nCommands:\n").nth(1).unwrap_or_default().split("\n\n").next().unwrap_or_default();
    let names = list.lines().filter(|l| l.starts_with("  ") && !l.starts_with("   "));
    names
        .filter_map(|l| l.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(String::from)
        .collect()
}

#[test]
fn every_page_of_help_fits_a_screen_of_100_columns() {
    let scene = Scene::new();
    let mut open = vec![String::new()];
    let mut pages = 0;
    while let Some(command) = open.pop() {
        let page = scene.done(&format!("{command} --help"));
        pages += 1;
        assert!(page.contains("Usage: manyview"), "{page}");
        for line in page.lines() {
            assert!(line.chars().count() <= 100, "manyview {command} --help: {line}");
        }
        open.extend(commands(&page).iter().map(|name| format!("{command} {name}")));
    }
    assert!(pages >= 15, "only {pages} pages of help were found");
}

#[test]
fn the_first_page_says_where_to_start_and_what_the_exit_codes_mean() {
    let scene = Scene::new();
    let page = scene.done("--help");
    for word in ["manyview quickstart", "Exit codes", "130", "HF_HUB_OFFLINE", "MANYVIEW_DATA"] {
        assert!(page.contains(word), "{word}: {page}");
    }
    assert!(scene.done("--version").starts_with("manyview "));
}
