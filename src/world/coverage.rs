//! What the snapshot lacks.
