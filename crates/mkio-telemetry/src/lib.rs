//! What the SDK tells `tracing`: see the folders `examples` and `tests`.
