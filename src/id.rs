//! Typed indices: a `u32` that knows which table it points into.
//!
//! A cluster's objects, nodes and evidence are held in dense tables, and everything else refers to
//! a row by its number. The newtypes keep a pod's row from being used in the table of roles.

/// Declares a `u32` newtype that indexes one table.
///
/// The type is `Copy`, ordered by its number and has `index()` for slices.
#[macro_export]
macro_rules! index {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u32);

        impl $name {
            /// The row's number, to index a slice with.
            #[must_use]
            pub const fn index(self) -> usize {
                self.0 as usize
            }

            /// The row with this number. Tables hold fewer than 2³² rows: a snapshot with more
            /// objects than that would not fit into memory, so the number saturates.
            #[must_use]
            pub fn new(index: usize) -> Self {
                Self(u32::try_from(index).unwrap_or(u32::MAX))
            }
        }
    };
}
