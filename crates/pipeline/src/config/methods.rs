//! The methods of each task, and how `[train]` is read: a key that the method does not use is an error.

use super::layers::explain;
use super::train::{
    DistillationLoss, HeadObjective, Lora, MapShape, Optimizer, RetrievalGradient, RetrievalTrain,
    ScoresGradient, ScoresRidge, ScoresTrain, Train, TunedScores, TunedViews, Tuning, TuningTrain,
    ViewsGradient, ViewsMap, ViewsRidge, ViewsTrain,
};
use crate::{Error, Result};
use serde::de::value::Error as Captured;
use serde::de::{DeserializeOwned, Deserializer, Error as _, Visitor};
use serde::forward_to_deserialize_any;
use toml::{Table, Value};

/// The key that selects the method.
const METHOD: &str = "method";
/// Counts that are at least 1.
const COUNTS: [&str; 2] = ["epochs", "batch"];

/// A method of a task: the keys it uses, and how its table is read.
struct Method {
    task: &'static str,
    name: &'static str,
    keys: fn() -> Vec<&'static str>,
    read: fn(&Reader<'_>) -> Result<Train>,
}

/// Every method; the first of a task is its default.
const METHODS: [Method; 11] = [
    Method {
        task: "views",
        name: "ridge",
        keys: || fields::<ViewsRidge>().to_vec(),
        read: |of| Ok(Train::Views(ViewsTrain::Ridge(of.part()?))),
    },
    Method {
        task: "views",
        name: "gradient",
        keys: || [fields::<Optimizer>(), fields::<DistillationLoss>(), fields::<ViewsMap>()].concat(),
        read: |of| {
            let read = ViewsGradient { optimizer: of.part()?, loss: of.part()?, map: of.part()? };
            Ok(Train::Views(ViewsTrain::Gradient(read)))
        },
    },
    Method {
        task: "views",
        name: "lora",
        keys: || [fields::<TuningTrain>(), fields::<Lora>(), fields::<DistillationLoss>()].concat(),
        read: |of| {
            let read = TunedViews { tuning: of.lora()?, loss: of.part()? };
            Ok(Train::Views(ViewsTrain::Lora(read)))
        },
    },
    Method {
        task: "views",
        name: "full",
        keys: || [fields::<TuningTrain>(), fields::<DistillationLoss>()].concat(),
        read: |of| {
            let read = TunedViews { tuning: of.full()?, loss: of.part()? };
            Ok(Train::Views(ViewsTrain::Full(read)))
        },
    },
    Method {
        task: "scores",
        name: "ridge",
        keys: || fields::<ScoresRidge>().to_vec(),
        read: |of| Ok(Train::Scores(ScoresTrain::Ridge(of.part()?))),
    },
    Method {
        task: "scores",
        name: "gradient",
        keys: || [fields::<Optimizer>(), fields::<HeadObjective>()].concat(),
        read: |of| {
            let read = ScoresGradient { optimizer: of.part()?, head: of.part()? };
            Ok(Train::Scores(ScoresTrain::Gradient(read)))
        },
    },
    Method {
        task: "scores",
        name: "lora",
        keys: || [fields::<TuningTrain>(), fields::<Lora>(), fields::<ScoresRidge>()].concat(),
        read: |of| {
            let read = TunedScores { tuning: of.lora()?, ridge: of.part()? };
            Ok(Train::Scores(ScoresTrain::Lora(read)))
        },
    },
    Method {
        task: "scores",
        name: "full",
        keys: || [fields::<TuningTrain>(), fields::<ScoresRidge>()].concat(),
        read: |of| {
            let read = TunedScores { tuning: of.full()?, ridge: of.part()? };
            Ok(Train::Scores(ScoresTrain::Full(read)))
        },
    },
    Method {
        task: "retrieval",
        name: "gradient",
        keys: || [fields::<Optimizer>(), fields::<MapShape>()].concat(),
        read: |of| {
            let read = RetrievalGradient { optimizer: of.part()?, map: of.part()? };
            Ok(Train::Retrieval(RetrievalTrain::Gradient(read)))
        },
    },
    Method {
        task: "retrieval",
        name: "lora",
        keys: || [fields::<TuningTrain>(), fields::<Lora>()].concat(),
        read: |of| Ok(Train::Retrieval(RetrievalTrain::Lora(of.lora()?))),
    },
    Method {
        task: "retrieval",
        name: "full",
        keys: || fields::<TuningTrain>().to_vec(),
        read: |of| Ok(Train::Retrieval(RetrievalTrain::Full(of.full()?))),
    },
];

/// The method that `table` names, or the default of `task`.
pub(super) fn chosen<'t>(task: &str, table: Option<&'t Table>) -> &'t str {
    let named = table.and_then(|table| table.get(METHOD)).and_then(Value::as_str);
    let default = METHODS.iter().find(|method| method.task == task).map_or("", |method| method.name);
    named.unwrap_or(default)
}

/// Whether `method` of `task` reads `key`.
pub(super) fn reads(task: &str, method: &str, key: &str) -> bool {
    let of = METHODS.iter().find(|m| m.task == task && m.name == method);
    key == METHOD || of.is_none_or(|m| (m.keys)().contains(&key))
}

/// Reads `[train]` for `task`; `origin` gives where a key was set.
///
/// # Errors
/// [`Error::Config`] with the key: an unknown method, a key that the method does not use, a wrong value.
pub(super) fn read(table: &Table, task: &str, origin: &dyn Fn(&str) -> String) -> Result<Train> {
    let refuse = |key: &str, problem: String| {
        let key = format!("train.{key}");
        Error::Config { origin: origin(&key), problem, key }
    };
    if let Some(other) = table.get(METHOD).filter(|method| !method.is_str()) {
        return Err(refuse(METHOD, format!("expected text in quotes, found {} `{other}`", other.type_str())));
    }
    let name = chosen(task, Some(table));
    let of_task = || METHODS.iter().filter(|method| method.task == task);
    let Some(method) = of_task().find(|method| method.name == name) else {
        let known: Vec<String> = of_task().map(|method| format!("`{}`", method.name)).collect();
        return Err(refuse(METHOD, format!("expected {} for {task}, found `{name}`", listed(&known, "or"))));
    };
    let keys = (method.keys)();
    if let Some(key) = table.keys().find(|key| *key != METHOD && !keys.contains(&key.as_str())) {
        return Err(refuse(key, unread(key, method, &keys)));
    }
    if let Some(key) = COUNTS.iter().find(|key| table.get(**key).and_then(Value::as_integer) == Some(0)) {
        return Err(refuse(key, "expected at least 1, found 0".into()));
    }
    (method.read)(&Reader { table, origin })
}

/// What is wrong with a key that `method` does not read, whose keys are `known`.
fn unread(key: &str, method: &Method, known: &[&str]) -> String {
    let others = METHODS.iter().filter(|other| (other.keys)().contains(&key));
    let (same, else_where): (Vec<&Method>, Vec<&Method>) =
        others.partition(|other| other.task == method.task);
    let names = |methods: &[&Method], of: &dyn Fn(&Method) -> String| {
        listed(&methods.iter().map(|method| of(method)).collect::<Vec<_>>(), "and")
    };
    let (task, name) = (method.task, method.name);
    if !same.is_empty() {
        let by = names(&same, &|method| format!("`{}`", method.name));
        let read = if same.len() == 1 { "reads" } else { "read" };
        return format!("train.method = `{name}` does not read it; {by} {read} it");
    }
    if !else_where.is_empty() {
        let by = names(&else_where, &|method| format!("`{}` of {}", method.name, method.task));
        return format!("no method of {task} reads it, only {by}");
    }
    let known: Vec<String> = [METHOD].iter().chain(known).map(|key| format!("`{key}`")).collect();
    explain(&format!("unknown field `{key}`, expected one of {}", known.join(", ")))
}

fn listed(all: &[String], last: &str) -> String {
    match all {
        [] => String::new(),
        [one] => one.clone(),
        [init @ .., end] => format!("{} {last} {end}", init.join(", ")),
    }
}

/// A table that is read in parts.
struct Reader<'a> {
    table: &'a Table,
    origin: &'a dyn Fn(&str) -> String,
}

impl Reader<'_> {
    /// How low-rank changes to an encoder are trained.
    fn lora(&self) -> Result<Tuning> {
        Ok(Tuning { training: self.part()?, lora: Some(self.part()?) })
    }

    /// How every value of an encoder is trained.
    fn full(&self) -> Result<Tuning> {
        Ok(Tuning { training: self.part()?, lora: None })
    }

    /// The keys of the table that are fields of `T`.
    fn part<T: DeserializeOwned>(&self) -> Result<T> {
        let fields = fields::<T>();
        let own = self.table.iter().filter(|(key, _)| fields.contains(&key.as_str()));
        let own: Table = own.map(|(key, value)| (key.clone(), value.clone())).collect();
        serde_path_to_error::deserialize(Value::Table(own)).map_err(|e| {
            let key = format!("train.{}", e.path());
            let problem = explain(&e.into_inner().to_string());
            Error::Config { origin: (self.origin)(&key), problem, key }
        })
    }
}

/// The names of the fields of `T` in serde.
fn fields<T: DeserializeOwned>() -> &'static [&'static str] {
    let mut found: &'static [&'static str] = &[];
    drop(T::deserialize(Fields(&mut found)));
    found
}

/// A deserializer that records the fields of a struct and returns no values.
struct Fields<'a>(&'a mut &'static [&'static str]);

impl<'de> Deserializer<'de> for Fields<'_> {
    type Error = Captured;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Captured> {
        Err(Captured::custom("expected a struct"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Captured> {
        *self.0 = fields;
        Err(Captured::custom("the fields are all that is wanted"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}
