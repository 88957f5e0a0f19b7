//! The terminal interface: a cluster's attack graph, explored by keys.
//!
//! Elm by hand. [`Model`] is all state, as plain data; a key becomes a [`Msg`](message::Msg) by
//! one table ([`keymap::KEYMAP`]); [`update`](update::press) changes the model and says what has
//! to be done outside of it; [`view`](view::view) draws it into cells and changes nothing. Work
//! that takes a while is a [`Job`](worker::Job) for a thread, and what it finds comes back as
//! something to put into the model.
//!
//! | file | holds |
//! |---|---|
//! | `model`, `loaded` | the state; the snapshot and what is pretended about it |
//! | `key`, `keymap`, `message` | keys, the table of them, what they ask for |
//! | `update`, `commands`, `prompt`, `filter`, `fuzzy`, `export`, `copied` | what that does |
//! | `mouse` | what a click does |
//! | `screens/` | one file a screen, and the one table of them |
//! | `view`, `canvas`, `list`, `theme`, `yaml` | how it is drawn |
//! | `worker` | the thread |
//! | `terminal` | the terminal itself, the only file that knows it |
//! | `guide` | the page about all this |
//! | `pilot` | keys in, screens out, without a terminal: for tests and for documents |

pub mod canvas;
mod commands;
mod copied;
mod export;
mod filter;
mod fuzzy;
pub mod guide;
pub mod key;
pub mod keymap;
mod list;
pub mod loaded;
pub mod message;
pub mod model;
pub mod mouse;
pub mod pilot;
mod prompt;
pub mod screens;
pub mod terminal;
pub mod theme;
pub mod update;
pub mod view;
pub mod worker;
mod yaml;

pub use loaded::Loaded;
pub use model::Model;
