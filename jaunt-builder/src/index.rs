//! Positions in tables, one type for each kind of table.

use std::marker::PhantomData;
use std::ops::{Index, IndexMut, Range};

/// A position in one kind of [`Table`].
pub(crate) trait Idx: Copy {
    /// Makes a position from its number.
    fn new(number: usize) -> Self;

    /// Returns the number of the position, counted from 0.
    fn number(self) -> usize;
}

macro_rules! indices {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) struct $name(pub(crate) usize);

        impl Idx for $name {
            fn new(number: usize) -> Self {
                Self(number)
            }

            fn number(self) -> usize {
                self.0
            }
        }
    )*};
}

indices! {
    /// A spec, by its position in the registry, whatever its kind.
    SpecIdx;
    /// A source file that is read, in order of path.
    FileIdx;
    /// A module with specs, in order of name, whatever its kind.
    ModuleIdx;
}

/// A vector with positions of one type.
#[derive(Clone, Debug)]
pub(crate) struct Table<I, T> {
    rows: Vec<T>,
    index: PhantomData<I>,
}

impl<I: Idx, T> Table<I, T> {
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn rows(&self) -> &[T] {
        &self.rows
    }

    /// Returns all rows with their positions, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (I, &T)> {
        self.rows.iter().enumerate().map(|(number, row)| (I::new(number), row))
    }

    /// Returns the rows of a range of positions.
    pub(crate) fn range(&self, range: Range<I>) -> &[T] {
        &self.rows[range.start.number()..range.end.number()]
    }

    pub(crate) fn range_mut(&mut self, range: Range<I>) -> &mut [T] {
        &mut self.rows[range.start.number()..range.end.number()]
    }
}

impl<I, T> From<Vec<T>> for Table<I, T> {
    fn from(rows: Vec<T>) -> Self {
        Self { rows, index: PhantomData }
    }
}

impl<I: Idx, T> Index<I> for Table<I, T> {
    type Output = T;

    fn index(&self, idx: I) -> &T {
        &self.rows[idx.number()]
    }
}

impl<I: Idx, T> IndexMut<I> for Table<I, T> {
    fn index_mut(&mut self, idx: I) -> &mut T {
        &mut self.rows[idx.number()]
    }
}

/// Returns the positions of a range, in order.
pub(crate) fn positions<I: Idx>(range: Range<I>) -> impl Iterator<Item = I> + Clone {
    (range.start.number()..range.end.number()).map(I::new)
}
