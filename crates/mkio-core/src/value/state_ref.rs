//! The state of a resource, for comparing.

use std::{fmt, ops::Deref};

use super::OpenEnum;

/// The state of a resource, if it has one. Made by `state()` of a generated type.
///
/// It dereferences to `Option<&S>`, and compares with states and with text:
///
/// ```
/// # mkio_core::open_enum! {
/// #     pub enum JobState { Finished = "Finished", }
/// # }
/// # let stored = Some(JobState::Finished);
/// # let state = mkio_core::StateRef::new(stored.as_ref()); // job.state()
/// assert!(state == "Finished");
/// assert!(state == JobState::Finished);
/// assert!(state == Some(&JobState::Finished));
/// assert_eq!(state.map(JobState::as_str), Some("Finished"));
/// println!("the job is {state}");
/// ```
pub struct StateRef<'a, S>(Option<&'a S>);

impl<'a, S> StateRef<'a, S> {
    /// Wraps a state that may be missing.
    pub const fn new(state: Option<&'a S>) -> Self {
        Self(state)
    }

    /// The state, for `match` and for keeping it as long as the resource.
    pub const fn get(self) -> Option<&'a S> {
        self.0
    }

    /// The state as it travels, if there is one.
    pub fn as_str(self) -> Option<&'a str>
    where
        S: OpenEnum,
    {
        self.0.map(S::as_str)
    }
}

impl<S> Copy for StateRef<'_, S> {}

impl<S> Clone for StateRef<'_, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<'a, S> Deref for StateRef<'a, S> {
    type Target = Option<&'a S>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<'a, S> From<Option<&'a S>> for StateRef<'a, S> {
    fn from(state: Option<&'a S>) -> Self {
        Self(state)
    }
}

impl<'a, S> From<StateRef<'a, S>> for Option<&'a S> {
    fn from(state: StateRef<'a, S>) -> Self {
        state.0
    }
}

/// The state as it travels; `-` when there is none.
impl<S: OpenEnum> fmt::Display for StateRef<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str().unwrap_or("-"))
    }
}

impl<S: fmt::Debug> fmt::Debug for StateRef<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<S: Eq> Eq for StateRef<'_, S> {}

impl<S: PartialEq> PartialEq for StateRef<'_, S> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<S: OpenEnum + PartialEq> PartialEq<S> for StateRef<'_, S> {
    fn eq(&self, other: &S) -> bool {
        self.0 == Some(other)
    }
}

impl<S: OpenEnum + PartialEq> PartialEq<&S> for StateRef<'_, S> {
    fn eq(&self, other: &&S) -> bool {
        self.0 == Some(*other)
    }
}

impl<S: PartialEq> PartialEq<Option<&S>> for StateRef<'_, S> {
    fn eq(&self, other: &Option<&S>) -> bool {
        self.0 == *other
    }
}

impl<S: PartialEq> PartialEq<Option<S>> for StateRef<'_, S> {
    fn eq(&self, other: &Option<S>) -> bool {
        self.0 == other.as_ref()
    }
}

macro_rules! compare_with_text {
    ($($text:ty),*) => {
        $(
            impl<S: OpenEnum> PartialEq<$text> for StateRef<'_, S> {
                fn eq(&self, other: &$text) -> bool {
                    let other: &str = other;
                    self.as_str() == Some(other)
                }
            }

            impl<S: OpenEnum> PartialEq<StateRef<'_, S>> for $text {
                fn eq(&self, other: &StateRef<'_, S>) -> bool {
                    other == self
                }
            }
        )*
    };
}

compare_with_text!(str, &str, String);

#[cfg(test)]
mod tests {
    use super::*;

    crate::open_enum! {
        /// For the test.
        pub enum State {
            /// On.
            On = "on",
            /// Off.
            Off = "off",
        }
    }

    #[test]
    fn states_compare_with_states_and_text() {
        let (on, text) = (State::On, "on".to_owned());
        let (state, reference, other) = (StateRef::new(Some(&on)), &on, &State::Off);
        for equal in [
            state == State::On,
            state == reference,
            state == Some(reference),
            state == Some(State::On),
            state == StateRef::from(Some(reference)),
            Option::from(state) == Some(reference),
            state == "on",
            "on" == state,
            state == *"on",
            *"on" == state,
            state == text,
            text == state,
        ] {
            assert!(equal);
        }
        for equal in [
            state == State::Off,
            state == other,
            state == StateRef::new(Some(&State::Off)),
            state == StateRef::new(None),
            state == Some(&State::Off),
            state == None::<State>,
            state == "off",
        ] {
            assert!(!equal);
        }
        assert!(state.is_some());
        assert!(matches!(state.get(), Some(State::On)));
        assert_eq!(
            format!("{state:>3} {state:?} {:?}", state.as_str()),
            " on Some(On) Some(\"on\")"
        );
    }

    #[test]
    fn no_state_equals_no_state_alone() {
        let none = StateRef::<State>::new(None);
        assert!(none == None::<&State>);
        assert!(none == None::<State>);
        for equal in [none == State::On, none == "", none == "-"] {
            assert!(!equal);
        }
        assert_eq!((none.to_string().as_str(), none.as_str()), ("-", None));
    }
}
