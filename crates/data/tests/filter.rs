//! Filters from files, in every form they are written in, and what is said of those that cannot be used.
#![allow(clippy::unwrap_used)] // what sets a scene is part of a test

use manyview_data::{Filter, Tier};
use std::fs;

/// What is read from `text` in a file called `name`.
fn load(name: &str, text: &str) -> manyview_data::Result<Filter> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    fs::write(&path, text).unwrap();
    Filter::load(&path)
}

fn refused(name: &str, text: &str) -> String {
    load(name, text).unwrap_err().to_string()
}

const NESTED: &str = r#"
filter:
  name: uplifting
  version: "4.0"
  created: "2024-10-30"
scoring:
  dimensions:
    progress:
      weight: 0.19
      description: "Movement toward flourishing"
      scale: "0-2: None"
    agency:
      weight: 0.14
  tiers:
    not_uplifting: { threshold: 0.0 }
    impact:
      threshold: 7.0
      description: "High impact"
training:
  target_samples: 2500
"#;

#[test]
fn a_configuration_in_yaml_keeps_the_order_of_its_dimensions() {
    let filter = load("config.yaml", NESTED).unwrap();
    assert_eq!((filter.name.as_str(), filter.version.as_str()), ("uplifting", "4.0"));
    assert_eq!(filter.names(), ["progress", "agency"]);
    assert_eq!(filter.dimensions[0].description.as_deref(), Some("Movement toward flourishing"));
    assert_eq!(filter.analysis(), "uplifting_analysis");
    let impact = Tier { name: "impact".into(), threshold: 7.0 };
    assert_eq!(filter.tiers[0], impact, "the highest tier comes first");
}

#[test]
fn the_same_filter_reads_alike_in_toml_and_yaml_flat_and_nested() {
    let toml = "name = 'uplifting'\nversion = '4.0'\n[dimensions]\n\
                progress = { weight = 0.19, description = 'Movement toward flourishing' }\nagency.weight = 0.14\n\
                [tiers]\nimpact = 7\nnot_uplifting.threshold = 0";
    let (toml, yaml) = (load("filter.toml", toml).unwrap(), load("config.yml", NESTED).unwrap());
    assert_eq!((toml.dimensions, toml.tiers, toml.range), (yaml.dimensions, yaml.tiers, yaml.range));
}

#[test]
fn a_list_of_names_weighs_alike_and_a_table_of_weights_does_not() {
    let filter = load("f.toml", "name = 'x'\ndimensions = ['b', 'a']").unwrap();
    assert_eq!(filter.weighted(&[2.0, 4.0]), 3.0);
    let filter = load("f.yaml", "name: x\ndimensions: [b, a]\nweights: {a: 3, b: 1}\nversion: 1.0").unwrap();
    assert_eq!((filter.weighted(&[2.0, 4.0]), filter.version.as_str()), (3.5, "1.0"));
}

#[test]
fn a_mean_at_a_threshold_is_in_its_tier_and_one_below_all_is_in_none() {
    let filter = load("f.toml", "name = 'x'\ndimensions = ['a']\ntiers = { low = 2, high = 7 }").unwrap();
    let name = |mean| filter.tier_of(mean).map(|t| t.name.as_str());
    assert_eq!(
        [name(7.0), name(6.99), name(2.0), name(1.99)],
        [Some("high"), Some("low"), Some("low"), None]
    );
    // Ten tenths of 7 are not quite 7 in binary.
    let tenths =
        load("f.toml", "name = 'x'\ndimensions = ['a','b','c','d','e','f']\ntiers = { high = 7 }").unwrap();
    assert_eq!(tenths.tier_index(tenths.weighted(&[7.0; 6])), Some(0));
}

#[test]
fn a_directory_is_a_filter_when_it_holds_one_file_of_one() {
    let dir = tempfile::tempdir().unwrap();
    let e = Filter::load(dir.path()).unwrap_err().to_string();
    assert!(e.contains("expected the file of a filter") && e.contains("filters/NAME/v1"), "{e}");
    fs::write(dir.path().join("config.yaml"), NESTED).unwrap();
    let filter = Filter::load(dir.path()).unwrap();
    assert_eq!(filter.dir(), dir.path());
    fs::write(dir.path().join("prompt.md"), "Score {content}").unwrap();
    assert_eq!(filter.prompt().unwrap(), "Score {content}");
    fs::write(dir.path().join("filter.toml"), "").unwrap();
    let e = Filter::load(dir.path()).unwrap_err().to_string();
    assert!(e.contains("config.yaml") && e.contains("filter.toml") && e.contains("name it"), "{e}");
}

#[test]
fn a_missing_prompt_is_named_with_its_place() {
    let e = load("f.toml", "name = 'x'\ndimensions = ['a']").unwrap().prompt().unwrap_err().to_string();
    assert!(e.contains("prompt.md") && e.contains("`prompt`"), "{e}");
}

#[test]
fn a_section_of_another_stage_is_read_as_its_type_and_names_its_key_when_it_is_not() {
    let filter = load("f.toml", "name = 'x'\ndimensions = ['a']\n[calibration]\npositive = ['sun']").unwrap();
    type Words = std::collections::BTreeMap<String, Vec<String>>;
    assert_eq!(filter.section::<Words>("calibration").unwrap().unwrap()["positive"], ["sun"]);
    assert!(filter.section::<Words>("other").unwrap().is_none());
    type Figures = std::collections::BTreeMap<String, f64>;
    let e = filter.section::<Figures>("calibration").unwrap_err().to_string();
    assert!(e.contains("calibration.positive"), "{e}");
}

#[test]
fn what_cannot_be_used_is_refused_with_its_key_and_the_cure() {
    for (text, words) in [
        ("dimensions = ['a']", ["name:", "add it"]),
        ("name = 'a/b'\ndimensions = ['a']", ["name:", "rename"]),
        ("name = 'x'", ["dimensions:", "found none"]),
        ("name = 'x'\ndimensions = []", ["dimensions:", "found none"]),
        ("name = 'x'\ndimensions = ['a', 'a']", ["dimensions:", "twice"]),
        ("name = 'x'\ndimensions = 3", ["dimensions", "list of names"]),
        ("name = 'x'\ndimensions = ['a']\nteirs = { high = 7 }", ["teirs", "did you mean `tiers`"]),
        ("name = 'x'\ndimensions = ['a']\nweights = { b = 1 }", ["weights.b", "no such dimension"]),
        ("name = 'x'\ndimensions = ['a', 'b']\nweights = { b = 1 }", ["dimensions.a.weight", "add it"]),
        ("name = 'x'\ndimensions = ['a']\nweights = { a = -1 }", ["dimensions.a.weight", "found -1"]),
        ("name = 'x'\ndimensions = ['a']\nweights = { a = 0 }", ["dimensions", "above 0"]),
        ("name = 'x'\ndimensions.a.weight = 'much'", ["dimensions.a.weight", "string"]),
        ("name = 'x'\ndimensions = ['a']\ntiers = { high = 70 }", ["tiers.high", "found 70"]),
        ("name = 'x'\ndimensions = ['a']\ntiers = { high = 7, top = 7 }", ["tiers", "found 7"]),
        ("name = 'x'\ndimensions = ['a']\nrange = [10, 0]", ["range", "[10, 0]"]),
        ("name = 'x'\ndimensions = ['a']\nscoring.dimensions = ['a']", ["dimensions", "twice"]),
        ("name = 'x", ["f.toml", "line 1"]),
    ] {
        let e = refused("f.toml", text);
        assert!(words.iter().all(|word| e.contains(word)), "{text}: {e}");
    }
}

#[test]
fn damaged_yaml_is_refused_with_its_line_and_never_expanded_without_bound() {
    let e = refused("f.yaml", "name: x\ndimensions: [a\nx: y\n");
    assert!(e.contains("line") && e.contains("f.yaml"), "{e}");
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for i in 1..9 {
        let of = vec![format!("*a{}", i - 1); 10].join(", ");
        bomb += &format!("a{i}: &a{i} [{of}]\n");
    }
    assert!(refused("f.yaml", &bomb).contains("f.yaml"));
    assert!(refused("f.json", "{}").contains(".toml"));
}

#[test]
fn the_example_is_a_filter_with_a_prompt() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs/filters/guidance/v1");
    let filter = Filter::load(&path).unwrap();
    assert_eq!((filter.names(), filter.tiers.len()), (vec!["action", "clarity", "evidence"], 3));
    assert!(filter.prompt().unwrap().contains("{content}"));
}
