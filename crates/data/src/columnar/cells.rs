//! The cells of a column of a batch, as numbers or texts, whatever type they have in the file.

use std::io::Write;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowDictionaryKeyType, Decimal128Type, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type,
    UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, BooleanArray, LargeStringArray, OffsetSizeTrait, PrimitiveArray, StringArray, StringViewArray};
use arrow_buffer::ArrowNativeType;
use arrow_schema::DataType;

use crate::text::{Why, is_missing, long_number};

/// What a column holds, by its type.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Holds {
    Numbers,
    Words,
    Lists,
    /// What becomes no feature: times, and what has parts.
    Other,
}

/// What columns of a type hold.
pub(super) fn holds(kind: &DataType) -> Holds {
    match kind {
        DataType::Dictionary(_, values) => match holds(values) {
            Holds::Words if **values == DataType::Boolean => Holds::Other,
            Holds::Lists => Holds::Other,
            holds => holds,
        },
        DataType::List(item) | DataType::LargeList(item) => match holds(item.data_type()) {
            Holds::Numbers | Holds::Words => Holds::Lists,
            _ => Holds::Other,
        },
        DataType::Boolean | DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Holds::Words,
        DataType::Decimal128(..) | DataType::Float16 | DataType::Float32 | DataType::Float64 => Holds::Numbers,
        kind if kind.is_integer() => Holds::Numbers,
        _ => Holds::Other,
    }
}

/// The cells of a column. What is null is missing.
pub(super) enum Cells<'a> {
    /// All missing.
    None,
    /// NaN where one is missing, infinite where it is beyond 32-bit floats; and as they are in the file.
    Numbers(Vec<f32>, &'a dyn Array),
    Truth(&'a BooleanArray),
    Texts(Texts<'a>),
    /// The place of each among the texts; beyond their end where it is missing.
    Coded(Vec<u32>, Texts<'a>),
    /// Where the cells of each begin and end.
    Lists(Vec<(usize, usize)>, Box<Cells<'a>>),
}

/// An array of texts.
#[derive(Clone, Copy)]
pub(super) enum Texts<'a> {
    Short(&'a StringArray),
    Long(&'a LargeStringArray),
    Views(&'a StringViewArray),
}

impl<'a> Texts<'a> {
    /// The text at a place, without blanks around it; empty where it is null, or beyond the end.
    #[inline]
    pub(super) fn text(self, at: usize) -> &'a [u8] {
        let text = match self {
            Texts::Short(texts) if texts.is_valid_at(at) => texts.value(at),
            Texts::Long(texts) if texts.is_valid_at(at) => texts.value(at),
            Texts::Views(texts) if texts.is_valid_at(at) => texts.value(at),
            _ => "",
        };
        text.as_bytes().trim_ascii()
    }
}

/// Whether there is something at a place.
trait IsValid {
    fn is_valid_at(&self, at: usize) -> bool;
}

impl<A: Array> IsValid for A {
    fn is_valid_at(&self, at: usize) -> bool {
        at < self.len() && self.is_valid(at)
    }
}

/// Hands the array to a closure or macro as what it is, if it is one of integers or floats.
macro_rules! primitive {
    ($array:expr, $kind:expr, $found:ident => $do:expr, $other:expr) => {
        primitive!(@ $array, $kind, $found, $do, $other;
            Int8 Int8Type, Int16 Int16Type, Int32 Int32Type, Int64 Int64Type,
            UInt8 UInt8Type, UInt16 UInt16Type, UInt32 UInt32Type, UInt64 UInt64Type)
    };
    (@ $array:expr, $kind:expr, $found:ident, $do:expr, $other:expr; $($name:ident $type:ty),*) => {
        match $kind {
            $(DataType::$name => {
                let $found = $array.as_primitive::<$type>();
                $do
            })*
            _ => $other,
        }
    };
}

impl<'a> Cells<'a> {
    pub(super) fn of(array: &'a ArrayRef) -> Cells<'a> {
        let array: &'a dyn Array = array.as_ref();
        let kind = array.data_type();
        match kind {
            DataType::Float16 => Cells::numbers(array.as_primitive::<Float16Type>(), |cell| cell.to_f32()),
            DataType::Float32 => Cells::numbers(array.as_primitive::<Float32Type>(), |cell| cell),
            DataType::Float64 => Cells::numbers(array.as_primitive::<Float64Type>(), |cell| cell as f32),
            DataType::Decimal128(_, scale) => {
                let unit = 10f64.powi(i32::from(*scale));
                Cells::numbers(array.as_primitive::<Decimal128Type>(), |cell| (cell as f64 / unit) as f32)
            }
            DataType::Boolean => Cells::Truth(array.as_boolean()),
            DataType::Utf8 => Cells::Texts(Texts::Short(array.as_string())),
            DataType::LargeUtf8 => Cells::Texts(Texts::Long(array.as_string())),
            DataType::Utf8View => Cells::Texts(Texts::Views(array.as_string_view())),
            DataType::Dictionary(key, _) => {
                let coded = array.as_any_dictionary();
                let codes = primitive!(coded.keys(), key.as_ref(), keys => codes(keys), Vec::new());
                match Cells::of(coded.values()) {
                    Cells::Texts(texts) => Cells::Coded(codes, texts),
                    Cells::Numbers(numbers, _) => {
                        let number = |code: u32| numbers.get(code as usize).copied().unwrap_or(f32::NAN);
                        Cells::Numbers(codes.into_iter().map(number).collect(), array)
                    }
                    _ => Cells::None,
                }
            }
            DataType::List(_) => lists::<i32>(array),
            DataType::LargeList(_) => lists::<i64>(array),
            _ => primitive!(array, kind, whole => Cells::numbers(whole, |cell| cell as f32), Cells::None),
        }
    }

    fn numbers<T: arrow_array::ArrowPrimitiveType>(array: &'a PrimitiveArray<T>, number: impl Fn(T::Native) -> f32) -> Cells<'a> {
        let mut numbers: Vec<f32> = array.values().iter().map(|&cell| number(cell)).collect();
        if let Some(nulls) = array.nulls() {
            numbers.iter_mut().zip(nulls).filter(|(_, is_there)| !is_there).for_each(|(number, _)| *number = f32::NAN);
        }
        Cells::Numbers(numbers, array)
    }

    /// A cell as text, as CSV would have it; empty where it is missing.
    pub(super) fn text<'b>(&'b self, row: usize, room: &'b mut Vec<u8>) -> &'b [u8] {
        match self {
            Cells::Texts(texts) => texts.text(row),
            Cells::Coded(codes, texts) => texts.text(codes.get(row).map_or(usize::MAX, |&code| code as usize)),
            Cells::Truth(cells) if cells.is_valid_at(row) => {
                if cells.value(row) {
                    b"true"
                } else {
                    b"false"
                }
            }
            Cells::Numbers(numbers, array) if numbers.get(row).is_some_and(|number| !number.is_nan()) => {
                room.clear();
                write(*array, row, room);
                room
            }
            _ => b"",
        }
    }

    /// A cell as a number; none where it is missing.
    #[inline]
    pub(super) fn number(&self, row: usize) -> Result<Option<f32>, Why> {
        match self {
            Cells::Numbers(numbers, array) => match numbers.get(row).copied() {
                Some(number) if number.is_finite() => Ok(Some(number)),
                Some(number) if number.is_infinite() => {
                    let mut text = Vec::new();
                    write(*array, row, &mut text);
                    Err(if text.iter().any(u8::is_ascii_digit) { Why::Range } else { Why::Infinite })
                }
                _ => Ok(None),
            },
            _ => {
                let text = self.text(row, &mut Vec::new()).to_owned();
                if is_missing(&text) { Ok(None) } else { long_number(&text).map(Some) }
            }
        }
    }
}

/// The keys of a dictionary; one that is null or beyond all is the largest code.
fn codes<K: ArrowDictionaryKeyType>(keys: &PrimitiveArray<K>) -> Vec<u32>
where
    K::Native: TryInto<u32>,
{
    let mut codes: Vec<u32> = keys.values().iter().map(|&key| key.try_into().unwrap_or(u32::MAX)).collect();
    if let Some(nulls) = keys.nulls() {
        // 64 at a time, of which most are there.
        for (codes, are_there) in codes.chunks_mut(64).zip(nulls.inner().bit_chunks().iter_padded()) {
            let mut missing = !are_there;
            while let Some(code) = codes.get_mut(missing.trailing_zeros() as usize) {
                *code = u32::MAX;
                missing &= missing - 1;
            }
        }
    }
    codes
}

fn lists<O: OffsetSizeTrait>(array: &dyn Array) -> Cells<'_> {
    let lists = array.as_list::<O>();
    let ends = lists.value_offsets().windows(2).map(|pair| (pair[0].as_usize(), pair[1].as_usize()));
    let ends = ends.enumerate().map(|(row, ends)| if lists.is_null(row) { (0, 0) } else { ends }).collect();
    Cells::Lists(ends, Box::new(Cells::of(lists.values())))
}

/// Writes a number as it is in the file.
#[cold]
fn write(array: &dyn Array, row: usize, room: &mut Vec<u8>) {
    let kind = array.data_type();
    // Writing to memory does not fail.
    let _ = match kind {
        DataType::Float16 => write!(room, "{}", array.as_primitive::<Float16Type>().value(row)),
        DataType::Float32 => write!(room, "{}", array.as_primitive::<Float32Type>().value(row)),
        DataType::Float64 => write!(room, "{}", array.as_primitive::<Float64Type>().value(row)),
        DataType::Decimal128(..) => write!(room, "{}", array.as_primitive::<Decimal128Type>().value_as_string(row)),
        DataType::Dictionary(key, _) => {
            let coded = array.as_any_dictionary();
            let place = primitive!(coded.keys(), key.as_ref(), keys => keys.value(row).as_usize(), usize::MAX);
            if place < coded.values().len() {
                write(coded.values().as_ref(), place, room);
            }
            Ok(())
        }
        _ => primitive!(array, kind, whole => write!(room, "{}", whole.value(row)), Ok(())),
    };
}
