use super::rows::{BATCH, Source, Started};
use super::{NamedColumn, places};
use crate::parquet_file::{Batches, Opened};
use crate::{Error, Result};
use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowDictionaryKeyType, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrowPrimitiveType, DictionaryArray, PrimitiveArray};
use arrow_schema::DataType;
use std::fmt::Display;
use std::path::{Path, PathBuf};

pub(super) fn open(path: &Path, wanted: &[&str]) -> Result<Started> {
    let opened = Opened::open(path)?;
    let fields = opened.fields();
    let names: Vec<String> = fields.iter().map(|f| f.name().clone()).collect();
    let places = places(path, &names, wanted, |i| textual(fields[i].data_type()))?;
    let kept = places.iter().map(|&i| names[i].clone()).collect();
    Ok((kept, Box::new(Strings { path: path.into(), batches: opened.batches(&places, BATCH, 0)? })))
}

struct Strings {
    path: PathBuf,
    batches: Batches,
}

impl Source for Strings {
    fn more(&mut self, columns: &mut [NamedColumn]) -> Result<bool> {
        let Some(batch) = self.batches.next()? else { return Ok(false) };
        for (name, values) in columns {
            let Some(array) = batch.column_by_name(name) else { continue };
            let found = array.data_type();
            let problem = || format!("column `{name}`: expected strings, numbers or booleans, found {found}");
            values.extend(strings(array).ok_or_else(|| Error::file(&self.path, problem()))?);
        }
        Ok(true)
    }
}

fn textual(kind: &DataType) -> bool {
    match kind {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, values) => textual(values),
        _ => false,
    }
}

/// The values written out; nothing for a nested or binary type.
fn strings(array: &dyn Array) -> Option<Vec<Option<String>>> {
    Some(match array.data_type() {
        DataType::Utf8 => array.as_string::<i32>().iter().map(|v| v.map(String::from)).collect(),
        DataType::LargeUtf8 => array.as_string::<i64>().iter().map(|v| v.map(String::from)).collect(),
        DataType::Utf8View => array.as_string_view().iter().map(|v| v.map(String::from)).collect(),
        DataType::Boolean => array.as_boolean().iter().map(|v| v.map(|v| v.to_string())).collect(),
        DataType::Int8 => numbers(array.as_primitive::<Int8Type>()),
        DataType::Int16 => numbers(array.as_primitive::<Int16Type>()),
        DataType::Int32 => numbers(array.as_primitive::<Int32Type>()),
        DataType::Int64 => numbers(array.as_primitive::<Int64Type>()),
        DataType::UInt8 => numbers(array.as_primitive::<UInt8Type>()),
        DataType::UInt16 => numbers(array.as_primitive::<UInt16Type>()),
        DataType::UInt32 => numbers(array.as_primitive::<UInt32Type>()),
        DataType::UInt64 => numbers(array.as_primitive::<UInt64Type>()),
        DataType::Float16 => numbers(array.as_primitive::<Float16Type>()),
        DataType::Float32 => numbers(array.as_primitive::<Float32Type>()),
        DataType::Float64 => numbers(array.as_primitive::<Float64Type>()),
        DataType::Null => vec![None; array.len()],
        DataType::Dictionary(key, _) => match key.as_ref() {
            DataType::Int8 => dictionary(array.as_dictionary::<Int8Type>())?,
            DataType::Int16 => dictionary(array.as_dictionary::<Int16Type>())?,
            DataType::Int32 => dictionary(array.as_dictionary::<Int32Type>())?,
            DataType::Int64 => dictionary(array.as_dictionary::<Int64Type>())?,
            DataType::UInt8 => dictionary(array.as_dictionary::<UInt8Type>())?,
            DataType::UInt16 => dictionary(array.as_dictionary::<UInt16Type>())?,
            DataType::UInt32 => dictionary(array.as_dictionary::<UInt32Type>())?,
            DataType::UInt64 => dictionary(array.as_dictionary::<UInt64Type>())?,
            _ => return None,
        },
        _ => return None,
    })
}

fn numbers<T: ArrowPrimitiveType<Native: Display>>(array: &PrimitiveArray<T>) -> Vec<Option<String>> {
    array.iter().map(|v| v.map(|v| v.to_string())).collect()
}

fn dictionary<K: ArrowDictionaryKeyType>(array: &DictionaryArray<K>) -> Option<Vec<Option<String>>> {
    let words = strings(array.values().as_ref())?;
    Some(array.keys_iter().map(|key| key.and_then(|key| words.get(key).cloned().flatten())).collect())
}
