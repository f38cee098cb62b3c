//! The names of classes that the library `datasets` of Hugging Face puts into the files it writes.

use arrow_schema::Schema;
use serde_json::Value;
use std::collections::BTreeMap;

/// The names of each column that numbers classes, by its name.
pub(super) fn of_schema(schema: &Schema) -> BTreeMap<String, Vec<String>> {
    let metadata = schema.metadata().get("huggingface");
    let described: Value = metadata.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let features = described.pointer("/info/features").and_then(Value::as_object);
    let classes = |(name, feature): (&String, &Value)| Some((name.clone(), names(feature)?));
    features.into_iter().flatten().filter_map(classes).collect()
}

/// The names of a feature that is a class, or a list of classes.
fn names(feature: &Value) -> Option<Vec<String>> {
    match feature {
        // A list of one feature stands for a list of such values.
        Value::Array(items) => items.first().and_then(names),
        _ if feature.get("_type").and_then(Value::as_str) == Some("ClassLabel") => {
            let names = feature.get("names")?.as_array()?.iter().map(|name| match name {
                Value::String(name) => name.clone(),
                other => other.to_string(),
            });
            Some(apart(names.collect())).filter(|names| !names.is_empty())
        }
        _ => feature.get("feature").and_then(names),
    }
}

/// The names, each with its number where it is blank or comes twice: two classes stay two.
fn apart(names: Vec<String>) -> Vec<String> {
    let twice = |name: &String| names.iter().filter(|other| *other == name).count() > 1;
    let name = |(number, name): (usize, &String)| match name.trim().is_empty() || twice(name) {
        true => format!("{name} ({number})").trim().to_string(),
        false => name.clone(),
    };
    names.iter().enumerate().map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(features: &str) -> BTreeMap<String, Vec<String>> {
        let metadata: std::collections::HashMap<String, String> =
            [("huggingface".to_string(), format!("{{\"info\": {{\"features\": {features}}}}}"))].into();
        of_schema(&Schema::empty().with_metadata(metadata))
    }

    #[test]
    fn classes_are_found_in_every_form_a_feature_takes() {
        for feature in [
            r#"{"names": ["a", "b"], "_type": "ClassLabel"}"#,
            r#"{"num_classes": 2, "names": ["a", "b"], "id": null, "_type": "ClassLabel"}"#,
            r#"{"feature": {"names": ["a", "b"], "_type": "ClassLabel"}, "length": -1, "_type": "Sequence"}"#,
            r#"[{"names": ["a", "b"], "_type": "ClassLabel"}]"#,
            r#"{"feature": {"names": ["a", "b"], "_type": "ClassLabel"}, "_type": "List"}"#,
        ] {
            assert_eq!(of(&format!("{{\"label\": {feature}}}"))["label"], ["a", "b"], "{feature}");
        }
        assert!(of(r#"{"text": {"dtype": "string", "_type": "Value"}}"#).is_empty());
        assert!(of_schema(&Schema::empty()).is_empty());
        assert_eq!(
            of(r#"{"l": {"names": ["a", "a", ""], "_type": "ClassLabel"}}"#)["l"],
            ["a (0)", "a (1)", "(2)"]
        );
    }
}
