//! JSON as Python reads and writes it.
//!
//! Values stay texts until they are needed, so that integers of any length, floats, and the lone
//! surrogates that Python's strings may hold (as WTF-8) are preserved exactly.

mod cursor;
mod lossy;
mod value;
mod write;

pub(crate) use self::cursor::Cursor;
pub(crate) use self::lossy::to_map;
pub(crate) use self::value::{MAX_DEPTH, Node, Object, Str, Wtf8, is_too_deep};
pub(crate) use self::write::{
    Quoted, is_unescaped_ascii, number, write_canonical, write_joined, write_string,
};
