//! The values of Arrow arrays, written out.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowDictionaryKeyType, Date32Type, Date64Type, Decimal32Type, Decimal64Type, Decimal128Type,
    Decimal256Type, DecimalType, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, ArrowPrimitiveType, DictionaryArray, PrimitiveArray};
use arrow_schema::{DataType, TimeUnit};
use std::fmt::Display;

pub(super) type Cells = Vec<Option<String>>;

pub(super) fn textual(kind: &DataType) -> bool {
    match kind {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, values) => textual(values),
        _ => false,
    }
}

/// The items of an array of lists, one after the other, and how many each row has; nothing for another array.
pub(super) fn spread(array: &ArrayRef) -> Option<(ArrayRef, Vec<usize>)> {
    fn lengths(offsets: impl Iterator<Item = usize>) -> Vec<usize> {
        let offsets: Vec<usize> = offsets.collect();
        offsets.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).collect()
    }
    // Behind a row without a list may stand items that belong to none.
    if array.null_count() > 0 {
        return None;
    }
    match array.data_type() {
        DataType::List(_) => {
            let list = array.as_list::<i32>();
            let offsets: Vec<usize> =
                list.offsets().iter().filter_map(|&o| usize::try_from(o).ok()).collect();
            let (first, last) = (*offsets.first()?, *offsets.last()?);
            Some((list.values().slice(first, last.checked_sub(first)?), lengths(offsets.into_iter())))
        }
        DataType::LargeList(_) => {
            let list = array.as_list::<i64>();
            let offsets: Vec<usize> =
                list.offsets().iter().filter_map(|&o| usize::try_from(o).ok()).collect();
            let (first, last) = (*offsets.first()?, *offsets.last()?);
            Some((list.values().slice(first, last.checked_sub(first)?), lengths(offsets.into_iter())))
        }
        _ => None,
    }
}

/// The values written out, or the row that cannot be; nothing for a type that is not read.
///
/// `first` is the row of the first, for errors.
pub(super) fn cells(array: &ArrayRef, first: usize) -> Option<Result<Cells, String>> {
    let array = array.as_ref();
    Some(Ok(match array.data_type() {
        DataType::Utf8 => array.as_string::<i32>().iter().map(|v| v.map(String::from)).collect(),
        DataType::LargeUtf8 => array.as_string::<i64>().iter().map(|v| v.map(String::from)).collect(),
        DataType::Utf8View => array.as_string_view().iter().map(|v| v.map(String::from)).collect(),
        DataType::Binary => return Some(text(array.as_binary::<i32>().iter(), first)),
        DataType::LargeBinary => return Some(text(array.as_binary::<i64>().iter(), first)),
        DataType::BinaryView => return Some(text(array.as_binary_view().iter(), first)),
        DataType::Boolean => array.as_boolean().iter().map(|v| v.map(|v| v.to_string())).collect(),
        DataType::Int8 => numbers(array.as_primitive::<Int8Type>()),
        DataType::Int16 => numbers(array.as_primitive::<Int16Type>()),
        DataType::Int32 => numbers(array.as_primitive::<Int32Type>()),
        DataType::Int64 => numbers(array.as_primitive::<Int64Type>()),
        DataType::UInt8 => numbers(array.as_primitive::<UInt8Type>()),
        DataType::UInt16 => numbers(array.as_primitive::<UInt16Type>()),
        DataType::UInt32 => numbers(array.as_primitive::<UInt32Type>()),
        DataType::UInt64 => numbers(array.as_primitive::<UInt64Type>()),
        DataType::Float16 => floats(array.as_primitive::<Float16Type>()),
        DataType::Float32 => floats(array.as_primitive::<Float32Type>()),
        DataType::Float64 => floats(array.as_primitive::<Float64Type>()),
        DataType::Decimal32(..) => decimals(array.as_primitive::<Decimal32Type>()),
        DataType::Decimal64(..) => decimals(array.as_primitive::<Decimal64Type>()),
        DataType::Decimal128(..) => decimals(array.as_primitive::<Decimal128Type>()),
        DataType::Decimal256(..) => decimals(array.as_primitive::<Decimal256Type>()),
        DataType::Date32 => {
            array.as_primitive::<Date32Type>().iter().map(|day| day.map(|day| date(day.into()))).collect()
        }
        DataType::Date64 => {
            const DAY: i64 = 86_400_000;
            let days = array.as_primitive::<Date64Type>().iter();
            days.map(|ms| ms.map(|ms| date(ms.div_euclid(DAY)))).collect()
        }
        DataType::Timestamp(unit, zone) => times(array, *unit, zone.is_some()),
        DataType::Null => vec![None; array.len()],
        DataType::Dictionary(key, _) => match key.as_ref() {
            DataType::Int8 => return dictionary(array.as_dictionary::<Int8Type>()),
            DataType::Int16 => return dictionary(array.as_dictionary::<Int16Type>()),
            DataType::Int32 => return dictionary(array.as_dictionary::<Int32Type>()),
            DataType::Int64 => return dictionary(array.as_dictionary::<Int64Type>()),
            DataType::UInt8 => return dictionary(array.as_dictionary::<UInt8Type>()),
            DataType::UInt16 => return dictionary(array.as_dictionary::<UInt16Type>()),
            DataType::UInt32 => return dictionary(array.as_dictionary::<UInt32Type>()),
            DataType::UInt64 => return dictionary(array.as_dictionary::<UInt64Type>()),
            _ => return None,
        },
        _ => return None,
    }))
}

/// Values that number classes, by the names of these; −1 is a class that was hidden.
///
/// # Errors
/// A number without a name.
pub(super) fn named(values: Cells, names: &[String], first: usize) -> Result<Cells, String> {
    let name = |(row, value): (usize, Option<String>)| match value.as_deref() {
        None | Some("-1") => Ok(None),
        Some(number) => match number.parse::<usize>().ok().and_then(|number| names.get(number)) {
            Some(name) => Ok(Some(name.clone())),
            None => Err(format!(
                "row {}: expected a class from 0 to {}, found {number}",
                first + row,
                names.len() - 1
            )),
        },
    };
    values.into_iter().enumerate().map(name).collect()
}

fn numbers<T: ArrowPrimitiveType<Native: Display>>(array: &PrimitiveArray<T>) -> Cells {
    array.iter().map(|v| v.map(|v| v.to_string())).collect()
}

/// NaN is how pandas writes that there is no number.
fn floats<T: ArrowPrimitiveType<Native: Display>>(array: &PrimitiveArray<T>) -> Cells {
    array.iter().map(|v| v.map(|v| v.to_string()).filter(|v| v != "NaN")).collect()
}

fn decimals<T: DecimalType + ArrowPrimitiveType>(array: &PrimitiveArray<T>) -> Cells {
    (0..array.len()).map(|row| (!array.is_null(row)).then(|| array.value_as_string(row))).collect()
}

fn text<'a>(values: impl Iterator<Item = Option<&'a [u8]>>, first: usize) -> Result<Cells, String> {
    let read = |(row, bytes): (usize, Option<&[u8]>)| match bytes.map(std::str::from_utf8).transpose() {
        Ok(text) => Ok(text.map(String::from)),
        Err(_) => Err(format!("row {}: bytes that are not UTF-8; write the column as strings", first + row)),
    };
    values.enumerate().map(read).collect()
}

fn dictionary<K: ArrowDictionaryKeyType>(array: &DictionaryArray<K>) -> Option<Result<Cells, String>> {
    let words = match cells(array.values(), 0)? {
        Ok(words) => words,
        Err(problem) => return Some(Err(problem)),
    };
    Some(Ok(array.keys_iter().map(|key| key.and_then(|key| words.get(key).cloned().flatten())).collect()))
}

/// Times as RFC 3339 writes them, with as many digits of a second as the unit has and `Z` where they are of a zone.
fn times(array: &dyn Array, unit: TimeUnit, zone: bool) -> Cells {
    use arrow_array::types::{
        TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
    };
    let (per_second, digits, values): (i64, usize, Vec<Option<i64>>) = match unit {
        TimeUnit::Second => (1, 0, array.as_primitive::<TimestampSecondType>().iter().collect()),
        TimeUnit::Millisecond => {
            (1_000, 3, array.as_primitive::<TimestampMillisecondType>().iter().collect())
        }
        TimeUnit::Microsecond => {
            (1_000_000, 6, array.as_primitive::<TimestampMicrosecondType>().iter().collect())
        }
        TimeUnit::Nanosecond => {
            (1_000_000_000, 9, array.as_primitive::<TimestampNanosecondType>().iter().collect())
        }
    };
    let written = |value: i64| {
        const DAY: i64 = 86_400;
        let (seconds, part) = (value.div_euclid(per_second), value.rem_euclid(per_second));
        let (day, of_day) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY));
        let part = if digits > 0 { format!(".{part:0digits$}") } else { String::new() };
        let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
        format!("{}T{hour:02}:{minute:02}:{second:02}{part}{}", date(day), if zone { "Z" } else { "" })
    };
    values.into_iter().map(|value| value.map(written)).collect()
}

/// The date `day` days after the first of January 1970, in the calendar of today for all time.
fn date(day: i64) -> String {
    // Years begin in March, so that a leap day is the last of its year; 400 years repeat.
    const ERA: i64 = 146_097;
    const TO_1970: i64 = 719_468;
    let day = day + TO_1970;
    let (era, of_era) = (day.div_euclid(ERA), day.rem_euclid(ERA));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let of_month = of_year - (153 * month + 2) / 5 + 1;
    let (month, later) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    format!("{:04}-{month:02}-{of_month:02}", year + era * 400 + later)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (day, expected) in [
            (0, "1970-01-01"),
            (-1, "1969-12-31"),
            (59, "1970-03-01"),
            (11_016, "2000-02-29"),
            (19_782, "2024-02-29"),
            (20_787, "2026-11-30"),
            (-719_528, "0000-01-01"),
            (2_932_896, "9999-12-31"),
        ] {
            assert_eq!(date(day), expected);
        }
    }
}
