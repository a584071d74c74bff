//! What generated code calls. Not meant for people: it changes with the generator.
#![doc(hidden)]
