use crate::place::{Place, TOKEN, hub};

const LET_IN: &[(&str, &str)] = &[("HF_TOKEN", TOKEN)];
const OFFLINE: &[(&str, &str)] = &[("HF_HUB_OFFLINE", "1")];

#[test]
fn both_experiments_of_the_hub_are_fetched_run_and_run_again_without_it() {
    let (hub, place) = (hub(), Place::new());
    let storage = hub.store_elsewhere();
    for name in ["nyt-topic", "nyt-location"] {
        let fetched = place.done("fetch", name, &hub.endpoint, LET_IN);
        assert!(fetched.contains("97b0c614be4d77ee51c0cef4e5f07c00f9eb65b3"), "{fetched}");
        assert!(fetched.contains("test-00000-of-00001.parquet"), "{fetched}");
        let asked = hub.asked();
        assert!(
            !asked
                .iter()
                .any(|a| a.path.contains(".bin") || a.path.contains("onnx") || a.path.contains("README"))
        );
        let (there, here): (Vec<_>, Vec<_>) = asked.into_iter().partition(|a| a.host == storage);
        assert!(!there.is_empty() && there.iter().all(|a| a.token.is_none()), "{there:?}");
        assert!(here.iter().all(|a| a.token.as_deref() == Some(&format!("Bearer {TOKEN}"))), "{here:?}");

        let said = place.done("run", name, &hub.endpoint, LET_IN);
        assert!(!said.contains("encoded 0 texts") && said.contains("encoded "), "{said}");
        let asked: Vec<_> = hub.asked().into_iter().map(|a| a.path).collect();
        assert!(asked.is_empty(), "what was fetched is asked for again: {asked:?}");
    }
    let first = ["nyt-topic", "nyt-location"].map(|name| place.views(name));
    assert_ne!(first[0], first[1]);
    hub.stop();
    for (name, first) in ["nyt-topic", "nyt-location"].into_iter().zip(first) {
        let said = place.done("run", name, &hub.endpoint, OFFLINE);
        assert!(said.contains("encoded 0 texts"), "{said}");
        assert_eq!(place.views(name), first, "{name}: other scores without the hub");
    }
    assert!(place.holding(TOKEN).is_empty(), "the token is in {:?}", place.holding(TOKEN));
}
