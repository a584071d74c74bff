//! Faults in force, and the requests that they match.

use std::sync::Arc;

use fastrand::Rng;
use http::Method;

use crate::faults::fault::Fault;

#[derive(Debug)]
struct Armed {
    fault: Arc<Fault>,
    matched: u64,
    met: u64,
    random: Rng,
}

/// The faults of an emulator.
#[derive(Debug, Default)]
pub struct Faults {
    armed: Vec<Armed>,
}

impl Faults {
    /// Adds a fault.
    pub fn add(&mut self, fault: Fault) {
        // Rules with the same seed draw numbers of their own: with the same ones, the second of two would never count.
        let place = (self.armed.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let random = Rng::with_seed(fault.seed ^ place);
        self.armed.push(Armed {
            fault: Arc::new(fault),
            matched: 0,
            met: 0,
            random,
        });
    }

    /// Removes all faults.
    pub fn clear(&mut self) {
        self.armed.clear();
    }

    /// All faults in the order in which they were added, with the numbers of requests that each matched and that each changed.
    pub fn counted(&self) -> impl Iterator<Item = (&Fault, u64, u64)> {
        self.armed
            .iter()
            .map(|armed| (&*armed.fault, armed.matched, armed.met))
    }

    /// The fault that applies to this request: the first one whose conditions all hold. Every rule that matches counts the request.
    pub fn meet(&mut self, method: &Method, path: &str) -> Option<Arc<Fault>> {
        let mut found = None;
        for armed in &mut self.armed {
            if armed.meets(method, path) && found.is_none() {
                armed.met += 1;
                found = Some(armed.fault.clone());
            }
        }
        found
    }
}

impl Armed {
    fn meets(&mut self, method: &Method, path: &str) -> bool {
        let fault = &self.fault;
        let verb = fault.method.is_empty()
            || fault.method == "*"
            || fault.method.eq_ignore_ascii_case(method.as_str());
        if !verb || !(fault.path.is_empty() || glob(&fault.path, path)) {
            return false;
        }
        self.matched += 1;
        // Drawn for each request that matches, so that the other conditions do not shift the sequence.
        let lucky = fault
            .probability
            .is_none_or(|probability| self.random.f64() < probability);
        lucky
            && fault.nth.is_none_or(|nth| self.matched == nth)
            && fault
                .every
                .is_none_or(|every| self.matched.is_multiple_of(every))
            && fault.times.is_none_or(|times| self.met < times)
    }
}

/// Whether a text fits a pattern in which `*` stands for anything.
fn glob(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = text.strip_prefix(parts.next().unwrap_or_default()) else {
        return false;
    };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else {
        return rest.is_empty();
    };
    for part in parts {
        match rest.find(part).and_then(|at| rest.get(at + part.len()..)) {
            Some(after) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(fault: Fault, requests: usize) -> Vec<bool> {
        let mut faults = Faults::default();
        faults.add(fault);
        (0..requests)
            .map(|_| {
                faults
                    .meet(&Method::GET, "/api/v1/projects/demo/media/assets")
                    .is_some()
            })
            .collect()
    }

    #[test]
    fn selection_by_count() {
        assert_eq!(
            run(
                Fault {
                    nth: Some(2),
                    ..Fault::default()
                },
                4
            ),
            [false, true, false, false]
        );
        assert_eq!(
            run(
                Fault {
                    every: Some(2),
                    ..Fault::default()
                },
                4
            ),
            [false, true, false, true]
        );
        assert_eq!(
            run(
                Fault {
                    times: Some(2),
                    ..Fault::default()
                },
                3
            ),
            [true, true, false]
        );
        assert_eq!(
            run(
                Fault {
                    method: "PUT".to_owned(),
                    ..Fault::default()
                },
                1
            ),
            [false]
        );
        assert_eq!(
            run(
                Fault {
                    path: "*/media/*".to_owned(),
                    ..Fault::default()
                },
                1
            ),
            [true]
        );
    }

    #[test]
    fn the_same_seed_gives_the_same_run() {
        let fault = |seed| Fault {
            probability: Some(0.5),
            seed,
            ..Fault::default()
        };
        assert_eq!(run(fault(7), 64), run(fault(7), 64));
        assert_ne!(run(fault(7), 64), run(fault(8), 64));
        let met = run(fault(7), 1_000).into_iter().filter(|met| *met).count();
        assert!((400..600).contains(&met), "{met}");
    }

    #[test]
    fn rules_with_one_seed_draw_apart() {
        let mut faults = Faults::default();
        for status in [500, 503] {
            faults.add(Fault {
                probability: Some(0.5),
                status: Some(status),
                ..Fault::default()
            });
        }
        let met: Vec<Option<u16>> = (0..400)
            .map(|_| {
                faults
                    .meet(&Method::GET, "/")
                    .and_then(|fault| fault.status)
            })
            .collect();
        for (status, expected) in [(Some(500), 200), (Some(503), 100), (None, 100)] {
            let count = met.iter().filter(|other| **other == status).count();
            assert!(count.abs_diff(expected) < 50, "{status:?}: {count}");
        }
    }

    #[test]
    fn globs() {
        for (pattern, text, fits) in [
            ("/a", "/a", true),
            ("/a", "/ab", false),
            ("/a*", "/ab", true),
            ("*b", "/ab", true),
            ("/a*c*e", "/abcde", true),
            ("/a*x*e", "/abcde", false),
        ] {
            assert_eq!(glob(pattern, text), fits, "{pattern} {text}");
        }
    }
}
