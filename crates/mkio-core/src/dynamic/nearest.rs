//! The nearest known name to a misspelt one.

/// The known name that is nearest to `name`, if one is near enough.
///
/// Capitals, hyphens, underscores and a leading `$` do not count.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |name: &str| -> String {
        let letters = name.chars().filter(|c| !matches!(c, '-' | '_' | '$' | ' '));
        letters.flat_map(char::to_lowercase).collect()
    };
    let given = plain(name);
    let far = |other: &str| strsim::damerau_levenshtein(&given, &plain(other));
    let (distance, best) = known
        .into_iter()
        .map(|other| (far(other), other))
        .min_by_key(|(distance, _)| *distance)?;
    // A third of the letters wrong is another word.
    let most = given.chars().count().max(3) / 3;
    (distance <= most).then_some(best)
}

/// The end of a message: a question for the nearest name, or the known names.
pub(super) fn hint(name: &str, known: &[&str]) -> String {
    match nearest(name, known.iter().copied()) {
        Some(near) => format!("; did you mean `{near}`?"),
        None if known.is_empty() => "; there are none".to_owned(),
        None => format!("; there are {}", known.join(", ")),
    }
}
