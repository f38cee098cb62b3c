//! The trainable parameters of a module: their gradients, an optimizer step, their values by path.
use crate::AdamW;
use crate::adamw::CHUNK;
use crate::device::in_process;
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::optim::{AdamWState, Optimizer};
use burn::tensor::{DType, Device, Gradients, Tensor, TensorData};
use rayon::prelude::*;
use std::collections::{BTreeMap, HashMap};

/// The gradient of each parameter, flat.
pub(crate) type FlatGradients = HashMap<ParamId, Tensor<1>>;

/// The moments of AdamW of each parameter, flat; none before its first gradient.
pub(crate) type Moments = HashMap<ParamId, AdamWState<1>>;

/// Takes the gradients of the parameters of `module` out of `gradients`.
pub(crate) fn gradients_of<M: Module>(module: &M, gradients: &mut Gradients) -> FlatGradients {
    let mut visitor = Collect { gradients, found: HashMap::new() };
    module.visit(&mut visitor);
    visitor.found
}

/// The norm of all `gradients` together, summed in the same order on any number of threads.
pub(crate) fn norm(gradients: &mut FlatGradients, learnt: &Learnt) -> f64 {
    let squares = learnt.parameters.values().filter_map(|parameter| {
        let gradient = gradients.remove(&parameter.id)?;
        let (square, gradient) = if learnt.in_process && gradient.dtype() == DType::F32 {
            let data = gradient.into_data(); // and back, without a copy
            let square = |part: &[f32]| part.iter().map(|v| f64::from(*v) * f64::from(*v)).sum::<f64>();
            let squares = data.as_slice().map(|v| v.par_chunks(CHUNK).map(square).collect::<Vec<f64>>());
            let square = squares.map_or(f64::NAN, |squares| squares.iter().sum());
            (square, Tensor::from_data(data, &learnt.device))
        } else {
            (f64::from(gradient.clone().square().sum().into_scalar::<f32>()), gradient)
        };
        gradients.insert(parameter.id, gradient);
        Some(square)
    });
    squares.sum::<f64>().sqrt()
}

/// `module` after a step at rate `lr` along `gradients`.
pub(crate) fn stepped<M: Module>(
    module: M,
    learnt: &Learnt,
    gradients: FlatGradients,
    moments: &mut Moments,
    (lr, scale): (f64, f64),
) -> M {
    let decaying = learnt.decaying.clone().with_gradient_scale(scale);
    let plain = learnt.plain.clone().with_gradient_scale(scale);
    module.map(&mut Apply { learnt, decaying, plain, gradients, moments, lr })
}

/// The trainable parameters of a module, and their optimizers.
pub(crate) struct Learnt {
    /// By path.
    pub(crate) parameters: BTreeMap<String, Parameter>,
    /// Where they are, without autodiff.
    pub(crate) device: Device,
    /// Whether that is memory of this process.
    in_process: bool,
    decays: HashMap<ParamId, bool>,
    decaying: AdamW,
    plain: AdamW,
}

/// A trainable parameter.
pub(crate) struct Parameter {
    pub(crate) id: ParamId,
    pub(crate) shape: Vec<usize>,
}

impl Learnt {
    /// Those of `module`; weight decay applies to the paths that `decays` names.
    pub(crate) fn new<M: Module>(module: &M, weight_decay: f64, decays: impl Fn(&str) -> bool) -> Self {
        let mut visitor = List { path: Vec::new(), device: None, found: BTreeMap::new() };
        module.visit(&mut visitor);
        let device = visitor.device.unwrap_or_default();
        let decays = visitor.found.iter().map(|(path, parameter)| (parameter.id, decays(path))).collect();
        Self {
            parameters: visitor.found,
            decays,
            decaying: AdamW::new(weight_decay, &device),
            plain: AdamW::new(0.0, &device),
            in_process: in_process(&device),
            device,
        }
    }
}

/// The values of the trainable parameters of `module`, by path.
pub(crate) fn values_of<M: Module>(module: &M, learnt: &Learnt) -> BTreeMap<String, TensorData> {
    let mut visitor = Read { found: HashMap::new() };
    module.visit(&mut visitor);
    let of =
        |(path, parameter): (&String, &Parameter)| Some((path.clone(), visitor.found.remove(&parameter.id)?));
    learnt.parameters.iter().filter_map(of).collect()
}

/// `module` with other values of its trainable parameters, by path.
pub(crate) fn with_values<M: Module>(
    module: M,
    learnt: &Learnt,
    mut values: BTreeMap<String, TensorData>,
) -> M {
    let of = |(path, parameter): (&String, &Parameter)| Some((parameter.id, values.remove(path)?));
    let values = learnt.parameters.iter().filter_map(of).collect();
    module.map(&mut Write { values })
}

struct Collect<'a> {
    gradients: &'a mut Gradients,
    found: FlatGradients,
}

impl ModuleVisitor for Collect<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = param.base().grad_remove(self.gradients) {
            self.found.insert(param.id, flat(gradient));
        }
    }
}

struct Apply<'a> {
    learnt: &'a Learnt,
    decaying: AdamW,
    plain: AdamW,
    gradients: FlatGradients,
    moments: &'a mut Moments,
    lr: f64,
}

impl ModuleMapper for Apply<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(gradient) = self.gradients.remove(&param.id) else { return param };
        let decays = self.learnt.decays.get(&param.id).copied().unwrap_or_default();
        let adamw = if decays { &self.decaying } else { &self.plain };
        updated(param, |id, value| {
            let shape = value.shape();
            let (value, state) = adamw.step(self.lr, flat(value), gradient, self.moments.remove(&id));
            self.moments.extend(state.map(|state| (id, state)));
            value.reshape(shape)
        })
    }
}

struct List {
    path: Vec<String>,
    device: Option<Device>,
    found: BTreeMap<String, Parameter>,
}

impl ModuleVisitor for List {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.into());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let value = param.base();
        if value.is_require_grad() {
            let parameter = Parameter { id: param.id, shape: value.dims().to_vec() };
            self.device.get_or_insert_with(|| value.inner().device());
            self.found.insert(self.path.join("."), parameter);
        }
    }
}

struct Read {
    found: HashMap<ParamId, TensorData>,
}

impl ModuleVisitor for Read {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let value = param.base();
        if value.is_require_grad() {
            self.found.insert(param.id, value.into_data());
        }
    }
}

struct Write {
    values: HashMap<ParamId, TensorData>,
}

impl ModuleMapper for Write {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(data) = self.values.remove(&param.id) else { return param };
        updated(param, |_, value| Tensor::from_data(data, (&value.device(), value.dtype())))
    }
}

/// `param` with the value that `update` makes of its own, both without autodiff, and with what autodiff knew of it.
fn updated<const D: usize>(
    param: Param<Tensor<D>>,
    update: impl FnOnce(ParamId, Tensor<D>) -> Tensor<D>,
) -> Param<Tensor<D>> {
    let (id, value, mapper) = param.consume();
    let strategy = value.gradient_checkpointing_strategy();
    let mut value = Tensor::from_inner(update(id, value.inner()));
    if let Some(strategy) = strategy {
        value = value.with_gradient_checkpointing_strategy(strategy);
    }
    Param::from_mapped_value(id, value.require_grad(), mapper)
}

fn flat<const D: usize>(tensor: Tensor<D>) -> Tensor<1> {
    let n = tensor.shape().num_elements();
    tensor.reshape([n])
}
