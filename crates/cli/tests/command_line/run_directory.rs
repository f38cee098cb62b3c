use crate::scene::{Scene, assert_refusal};
use std::fs::{self, File};

const ADAPTER: &str = "runs/weather/adapter/adapter.safetensors";

#[test]
fn a_run_directory_serves_one_process_at_a_time() {
    let scene = Scene::new();
    scene.done("train experiment.toml");
    let before = scene.files("runs");
    let lock = File::options().write(true).open(scene.path("runs/weather/.lock")).unwrap();
    lock.lock().unwrap();
    let words = ["runs/weather", "another manyview process", "wait for it", "output.dir"];
    for command in ["run", "encode", "train", "evaluate", "report"] {
        scene.refused(&format!("{command} experiment.toml"), 3, &words);
    }
    assert!(scene.files("runs") == before);
    drop(lock);
    scene.done("run experiment.toml");
}

#[test]
fn two_runs_at_once_share_a_store_and_make_the_same() {
    let scene = Scene::of(300);
    let start = |name: &str| {
        let mut command = scene.process(&format!("run experiment.toml name={name}"));
        command.stdout(std::process::Stdio::null()).spawn().unwrap()
    };
    let (mut one, mut two) = (start("one"), start("two"));
    assert!(one.wait().unwrap().success() && two.wait().unwrap().success());
    let adapter = |name: &str| scene.read(&format!("runs/{name}/adapter/adapter.safetensors"));
    assert!(adapter("one") == adapter("two"));
    assert!(scene.done("store verify").contains(" 0 bad"));
}

#[test]
fn what_a_killed_run_left_half_written_is_no_obstacle() {
    let scene = Scene::new();
    scene.done("run experiment.toml");
    let (adapter, metrics) = (scene.read(ADAPTER), scene.json("runs/weather/metrics.json"));
    let space = fs::read_dir(scene.path("store/spaces")).unwrap().next().unwrap().unwrap().path();
    for (name, content) in [
        ("runs/weather/fit.json", "{\"key\": \"ab"),
        ("runs/weather/.fit.json.999-0.tmp", "{"),
        ("runs/weather/.metrics.json.999-0.tmp", ""),
        ("runs/weather/.adapter.999.new/adapter.safetensors", "half"),
        ("runs/weather/.adapter.999.old/adapter.safetensors", "half"),
        ("runs/weather/metrics.json", "{\"dataset\": "),
        ("runs/weather/report.html", "<html>"),
        ("runs/weather/experiment.toml", "name = "),
    ] {
        scene.write(name, content);
    }
    fs::write(space.join(".part-0.parquet.999-0.tmp"), "PAR1 half a part").unwrap();
    fs::write(space.join(format!("part-{}.parquet", "0".repeat(32))), "PAR1 half a part").unwrap();
    fs::write(space.join("space.json"), "{").unwrap();
    let problem = ["fit.json", "not what an earlier stage writes", "delete it and run again"];
    scene.refused("evaluate experiment.toml", 3, &problem);
    scene.done("run experiment.toml");
    assert!(scene.read(ADAPTER) == adapter);
    assert_eq!(scene.json("runs/weather/metrics.json")["views"], metrics["views"]);
    assert!(scene.read("runs/weather/report.html").ends_with(b"</html>\n"));
    assert!(scene.done("store verify").contains(" 0 bad"));
}

/// A run that dies between its two last files leaves the adapter of one fit beside the record of another.
#[test]
fn a_record_beside_the_adapter_of_another_fit_is_not_believed() {
    let scene = Scene::new();
    scene.done("train experiment.toml");
    let (adapter, record) = (scene.read(ADAPTER), scene.read("runs/weather/fit.json"));
    scene.done("train experiment.toml data.seed=7");
    assert!(scene.read(ADAPTER) != adapter);
    scene.write("runs/weather/fit.json", &record);
    scene.refused("evaluate experiment.toml", 2, &["record of another fit", "run `manyview train` first"]);
    scene.done("train experiment.toml");
    assert!(scene.read(ADAPTER) == adapter, "the adapter of another fit was taken for this one");
}

#[test]
fn an_output_that_is_a_file_is_named() {
    let scene = Scene::new();
    scene.refused("run experiment.toml output.dir=corpus.csv", 3, &["corpus.csv/weather", "Not a directory"]);
    scene.refused(
        "run experiment.toml output.store=corpus.csv",
        2,
        &["store corpus.csv", "expected a directory"],
    );
    scene.done("train experiment.toml");
    let line = "infer --input corpus.csv --adapter runs/weather --output-dir corpus.csv";
    scene.refused(line, 3, &["corpus.csv"]);
}

#[test]
#[cfg(unix)]
fn a_directory_that_may_not_be_written_is_named() {
    use std::os::unix::fs::PermissionsExt;
    let scene = Scene::new();
    let dir = scene.path("locked");
    fs::create_dir(&dir).unwrap();
    fs::set_permissions(&dir, fs::Permissions::from_mode(0o555)).unwrap();
    if fs::write(dir.join("probe"), "").is_ok() {
        println!("skipped: this user may write where nobody may; the read-only file system stands in for it");
        return;
    }
    for key in ["output.dir", "output.store"] {
        let output = scene.command(&format!("run experiment.toml {key}=locked/here")).output().unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(3), "{errors}");
        assert_refusal(key, &errors, &["locked", "ermission denied"]);
    }
}
