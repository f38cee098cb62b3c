//! What is said and written by every command, with secrets in the environment.

use crate::scene::Scene;

const TOKEN: &str = "hf_canary7d1e";
const PASSWORD: &str = "canary-password-93b2";
const NOBODY: &str = "http://127.0.0.1:9";

const LINES: &[&str] = &[
    "run experiment.toml",
    "doctor experiment.toml --deep",
    "fetch experiment.toml",
    "infer --input corpus.csv --adapter runs/weather",
    "store ls",
    "store verify",
    "runs ls",
    "runs show weather",
    "export runs/weather --to npy exported",
    "push runs/weather org/name",
    "track sync",
    "run experiment.toml data.nonsense=1",
    "run experiment.toml encoder.model=hub:some/thing",
    "fetch experiment.toml data.source=hub:some/thing",
    "run experiment.toml data.source=nothere.csv",
];

#[test]
fn f10_no_secret_is_said_or_written() {
    let scene = Scene::new();
    let mut tried = 0;
    for line in LINES {
        for more in ["", "-vv --log-format json"] {
            let mut command = scene.process(&format!("{line} {more}"));
            command.env_remove("HF_HUB_OFFLINE").env("HF_ENDPOINT", NOBODY).env("HF_TOKEN", TOKEN);
            command.env("MLFLOW_TRACKING_URI", NOBODY).env("MLFLOW_TRACKING_USERNAME", "somebody");
            let output = command.env("MLFLOW_TRACKING_PASSWORD", PASSWORD).output().unwrap();
            let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
            assert!(!said.contains(TOKEN) && !said.contains(PASSWORD), "{line} {more}: {said}");
            tried += 1;
        }
    }
    let written = scene.files("");
    for (path, bytes) in &written {
        let holds = |secret: &str| bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!holds(TOKEN) && !holds(PASSWORD), "{}", path.display());
    }
    assert!(written.len() > 10);
    println!(
        "reliability: F10 tried={tried} commands with secrets around, and {} files they wrote",
        written.len()
    );
}
