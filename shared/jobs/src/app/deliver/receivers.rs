//! How many deliveries are under way to each receiver in this process: one that hangs must not hold
//! up what goes to others. Refuses to know which of a receiver's deliveries comes first.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use url::Url;

/// Most deliveries under way to one receiver.
const MOST_AT_ONCE: usize = 4;

/// The receivers that something is under way to, by host and port.
#[derive(Clone, Debug, Default)]
pub(in crate::app) struct Receivers(Arc<Mutex<HashMap<String, usize>>>);

/// One delivery under way.
#[derive(Debug)]
pub(super) struct Place {
    receivers: Receivers,
    authority: String,
}

impl Receivers {
    /// A place at the receiver with this address, where one is left.
    pub(super) fn place(&self, url: &str) -> Option<Place> {
        let authority = match Url::parse(url) {
            Ok(url) => url.authority().to_owned(),
            Err(_) => url.to_owned(),
        };
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let number = taken.entry(authority.clone()).or_default();
        if *number >= MOST_AT_ONCE {
            return None;
        }
        *number += 1;
        Some(Place {
            receivers: self.clone(),
            authority,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self
            .receivers
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(number) = taken.get_mut(&self.authority) {
            *number -= 1;
            if *number == 0 {
                taken.remove(&self.authority);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receiver_has_four_places_and_gives_them_back() {
        let receivers = Receivers::default();
        let place = |url: &str| receivers.place(url);
        let held: Vec<_> = (0..4)
            .map(|n| place(&format!("https://a.example/{n}")))
            .collect();
        assert!(held.iter().all(Option::is_some));
        assert!(receivers.place("https://a.example/5").is_none());
        assert!(
            place("https://b.example/").is_some(),
            "others have their own"
        );
        drop(held);
        assert!(place("https://a.example/6").is_some());
        assert_eq!(
            receivers.0.lock().unwrap().len(),
            0,
            "nothing is remembered for long"
        );
    }
}
