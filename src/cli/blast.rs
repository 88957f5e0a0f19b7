//! `blast`: what can be reached from here.
