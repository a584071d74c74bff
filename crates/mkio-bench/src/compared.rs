//! Two ways to do the same, compared.

use std::time::Duration;

use cpu_time::ThreadTime;

/// CPU time of two ways to do the same, in turns so that what disturbs one disturbs the other.
pub struct Compared {
    first: Vec<Duration>,
    second: Vec<Duration>,
}

impl Compared {
    /// Does both in turns, this often after one turn that does not count.
    pub fn new(rounds: usize, mut first: impl FnMut(), mut second: impl FnMut()) -> Self {
        let time = |work: &mut dyn FnMut()| {
            let start = ThreadTime::now();
            work();
            start.elapsed()
        };
        // Connections are opened and code is paged in outside of the account.
        first();
        second();
        let mut compared = Self {
            first: Vec::with_capacity(rounds),
            second: Vec::with_capacity(rounds),
        };
        for round in 0..rounds {
            if round % 2 == 0 {
                compared.first.push(time(&mut first));
                compared.second.push(time(&mut second));
            } else {
                compared.second.push(time(&mut second));
                compared.first.push(time(&mut first));
            }
        }
        compared
    }

    /// Median of the first, median of the second, and the median ratio of a round.
    pub fn medians(mut self) -> (Duration, Duration, f64) {
        let mut ratios: Vec<_> = std::iter::zip(&self.first, &self.second)
            .map(|(first, second)| first.as_secs_f64() / second.as_secs_f64())
            .collect();
        ratios.sort_by(f64::total_cmp);
        self.first.sort();
        self.second.sort();
        let middle = ratios.len() / 2;
        (self.first[middle], self.second[middle], ratios[middle])
    }
}
