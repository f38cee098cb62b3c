//! The trained parameters of a network, by the names that the files have for them.
use crate::Result;
use crate::checkpoint::Checkpoint;
use crate::finetune::Lora;
use crate::finetune::training::lora::LowRank;
use crate::model::{Stored, transpose};
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::Tensor;
use manyview_core::{Error as CoreError, Kind};
use std::collections::{BTreeMap, HashMap};

/// Values by name.
pub(super) type Values = BTreeMap<String, Vec<f32>>;

/// Changes that the files hold, each put onto its layer's weight: the weights, by name, and the changes.
pub(super) fn merged(
    lora: &Lora,
    mut found: Values,
    checkpoint: &Checkpoint,
) -> Result<(Values, Vec<LowRank>)> {
    let (mut weights, mut changes) = (BTreeMap::new(), Vec::new());
    let layers = found.keys().filter_map(|name| name.strip_suffix(".lora_A.weight"));
    for layer in layers.map(String::from).collect::<Vec<_>>() {
        let mut take = |kind: &str| found.remove(&format!("{layer}.lora_{kind}.weight")).unwrap_or_default();
        let (a, b) = (take("A"), take("B"));
        let (dim_in, dim_out) = (a.len() / lora.rank, b.len() / lora.rank);
        let name = format!("{layer}.weight");
        let mut weight = checkpoint.values(&name, &[dim_out, dim_in])?;
        let change = LowRank { layer, dim_in, dim_out, a, b };
        change.merge(&mut weight, lora.scale());
        weights.insert(name, weight);
        changes.push(change);
    }
    Ok((weights, changes))
}

/// The values of the parameters of a module, by name, as the files hold them.
pub(super) fn values<M: Module>(module: &M, stored: &HashMap<ParamId, Stored>) -> Result<Values> {
    let mut read = Read { stored, found: BTreeMap::new(), wrong: None };
    module.visit(&mut read);
    match read.wrong {
        None => Ok(read.found),
        Some(problem) => Err(CoreError::other(Kind::Internal, problem).into()),
    }
}

struct Read<'a> {
    stored: &'a HashMap<ParamId, Stored>,
    found: Values,
    wrong: Option<String>,
}

impl ModuleVisitor for Read<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let Some(Stored { name, transposed }) = self.stored.get(&param.id) else { return };
        match (param.val().into_data().try_into_vec::<f32>(), transposed) {
            (Ok(values), None) => drop(self.found.insert(name.clone(), values)),
            (Ok(values), Some([_, columns])) => {
                drop(self.found.insert(name.clone(), transpose(&values, *columns)));
            }
            (Err(e), _) => self.wrong = Some(format!("{name}: a device gave other numbers: {e:?}")),
        }
    }
}

/// Asks for no gradients but those of some parameters.
pub(super) struct FreezeOthers<'a> {
    pub(super) trained: &'a HashMap<ParamId, Stored>,
}

impl ModuleMapper for FreezeOthers<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let is_trained = self.trained.contains_key(&param.id);
        param.set_require_grad(is_trained)
    }
}
