//! Training on burn is that of PyTorch and peft.
use super::load;
use super::parameters::values;
use super::step::Step;
use crate::Engine;
use crate::architecture::{Description, qwen3};
use crate::finetune::training::parity::{BATCH, Expected, RANKING, config, device, with_job};
use crate::finetune::{Distillation, FineTuneConfig, Lora, Method, Objective, StepMetrics};
use crate::model::{Bert, Decoder, Network, Stored, transpose};
use burn::module::{ModuleVisitor, Param, ParamId};
use burn::tensor::Tensor;
use manyview_core::Embeddings;
use manyview_train::{Batch, BatchLoss, TrainConfig, TrainStep, Trainer};
use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;

const BERT: [&str; 4] = ["query", "value", "attention.output.dense", "intermediate.dense"];
const QWEN3: [&str; 1] = ["all-linear"];

type Qwen3 = Decoder<qwen3::Config>;

/// The same in the order of the examples, as PyTorch took them.
struct InOrder<'a, B>(Step<'a, B>, Mutex<Vec<StepMetrics>>);

impl<B: Network> TrainStep for InOrder<'_, B> {
    type Module = B;

    fn examples(&self) -> usize {
        self.0.examples()
    }

    fn loss(&self, network: &B, batch: &Batch<'_>) -> manyview_core::Result<BatchLoss> {
        self.0.loss(network, batch)
    }

    fn arrange(&self, order: &mut [usize], _: usize) {
        order.sort_unstable();
    }

    fn rate(&self, config: &TrainConfig, step: usize, total: usize) -> f64 {
        self.0.rate(config, step, total)
    }

    fn decays(&self, path: &str) -> bool {
        self.0.decays(path)
    }

    fn observe(&self, step: &StepMetrics) -> manyview_core::Result<()> {
        self.1.lock().unwrap().push(step.clone());
        Ok(())
    }
}

fn lora(targets: &[&str]) -> Method {
    let targets = targets.iter().map(|target| target.to_string()).collect();
    Method::Lora(Lora { rank: 3, alpha: 12.0, targets, dropout: 0.0 })
}

/// Gradients of the first step, losses and norms of six, and the weights after them are those of PyTorch.
fn is_that_of_pytorch<B: Network>(case: &str, model: &str, method: Method, objective: &dyn Objective)
where
    B::Config: Description,
{
    let device = device();
    let config = FineTuneConfig { method, engine: Engine::Burn, ..config() };
    let expected = Expected::read(case);
    with_job((model, &device), (&config, objective), |job| {
        let (checkpoint, layout) = job.base.source().unwrap();
        let description = B::Config::read(layout).unwrap();
        let start = |name: &str| expected.get(&format!("before.{name}")).to_vec();
        let (network, stored) = load::<B>(job, &description, &checkpoint, Some(&start)).unwrap();
        let data = InOrder(Step::<B>::new(job), Mutex::default());
        let examples: Vec<usize> = (0..BATCH).collect();
        let first = Batch { examples: &examples, epoch: 1, step: 0, seed: 0 };
        let gradients = data.loss(&network, &first).unwrap().loss.backward();
        let mut found = Gradients { stored: &stored, gradients, found: BTreeMap::new() };
        network.visit(&mut found);
        let (gap, name) = expected.furthest("gradient", &found.found);
        assert!(gap < 1e-4, "{case}, gradient of {name}: {gap} apart");

        let trainer = Trainer::new(config.train(), job.data.progress);
        let module = trainer.train(network, &data, None).unwrap().module;
        let steps = data.1.into_inner().unwrap();
        let (losses, norms) = (expected.get("losses"), expected.get("lengths"));
        assert_eq!(steps.len(), losses.len());
        for (step, (loss, norm)) in steps.iter().zip(losses.iter().zip(norms)) {
            for (found, expected) in [(step.loss, *loss), (step.gradient_norm.unwrap(), *norm)] {
                let gap = (found - f64::from(expected)).abs();
                assert!(gap < 1e-4 * f64::from(expected), "{case}: {found} {expected}");
            }
        }
        let (gap, name) = expected.furthest("after", &values(&module, &stored).unwrap());
        assert!(gap < 1e-4, "{case}, {name} after six steps: {gap} apart");
    });
}

/// The gradients of parameters, by name, as the files hold them.
struct Gradients<'a> {
    stored: &'a HashMap<ParamId, Stored>,
    gradients: burn::tensor::Gradients,
    found: BTreeMap<String, Vec<f32>>,
}

impl ModuleVisitor for Gradients<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let Some(gradient) = param.val().grad(&self.gradients) else { return };
        let Stored { name, transposed } = &self.stored[&param.id];
        let values: Vec<f32> = gradient.into_data().iter().collect();
        let values = transposed.map_or(values.clone(), |[_, columns]| transpose(&values, columns));
        self.found.insert(name.clone(), values);
    }
}

#[test]
fn bert_is_trained_as_by_pytorch() {
    is_that_of_pytorch::<Bert>("bert-full", "bert-tiny", Method::Full, &RANKING);
    is_that_of_pytorch::<Bert>("bert-lora", "bert-tiny", lora(&BERT), &RANKING);
}

#[test]
fn qwen3_is_trained_as_by_pytorch() {
    is_that_of_pytorch::<Qwen3>("qwen3-full", "qwen3-small", Method::Full, &RANKING);
    is_that_of_pytorch::<Qwen3>("qwen3-lora", "qwen3-small", lora(&QWEN3), &RANKING);
}

#[test]
fn a_student_is_trained_as_by_pytorch() {
    let teacher = Embeddings::new(Expected::read("qwen3-student").get("teacher").to_vec(), 16).unwrap();
    let objective = Distillation::new(teacher, 4.0, 0.5).unwrap();
    is_that_of_pytorch::<Qwen3>("qwen3-student", "qwen3-small", Method::Full, &objective);
}
