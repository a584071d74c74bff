//! Whether to measure.

/// Whether figures are wanted, not only a run that shows that the benchmark works.
pub fn measuring() -> bool {
    let given: Vec<String> = std::env::args().collect();
    let has = |flag: &str| given.iter().any(|argument| argument == flag);
    has("--bench") && !has("--test") && !has("--list")
}
