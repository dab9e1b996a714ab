//! Rate limits: so many requests in any minute, by key. Counted in Redis where there is one and it answers, else in this
//! process.

use std::collections::{HashMap, VecDeque};
use std::fmt::Display;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use bartizan_domain::id::UserId;
use bartizan_domain::{Error, Result};
use chrono::{DateTime, TimeDelta, Utc};

use crate::HttpConfig;

mod shared;

pub use shared::{BadRedisUrl, SharedLimits};

/// All limits of the API.
#[derive(Debug)]
pub(crate) struct Limits {
    sign_ins: Limiter<IpAddr>,
    refreshes: Limiter<IpAddr>,
    writes: Limiter<UserId>,
    exports: Limiter<UserId>,
    shared: Option<SharedLimits>,
}

impl Limits {
    pub(crate) fn new(config: &HttpConfig) -> Self {
        Self {
            sign_ins: Limiter::new(config.sign_ins_per_minute),
            refreshes: Limiter::new(config.refreshes_per_minute),
            writes: Limiter::new(config.writes_per_minute),
            exports: Limiter::new(config.exports_per_minute),
            shared: config.shared_limits.clone(),
        }
    }

    /// Counts an attempt to sign in from an address.
    ///
    /// # Errors
    /// [`Error::RateLimited`], and then it is not counted.
    pub(crate) async fn sign_in(&self, address: IpAddr, now: DateTime<Utc>) -> Result<()> {
        let key = address_key(address);
        self.count("sign-in", &self.sign_ins, key, now).await
    }

    /// Counts an exchange of a refresh token from an address.
    ///
    /// # Errors
    /// As [`Self::sign_in`].
    pub(crate) async fn refresh(&self, address: IpAddr, now: DateTime<Utc>) -> Result<()> {
        self.count("refresh", &self.refreshes, address_key(address), now).await
    }

    /// Counts a write of a user.
    ///
    /// # Errors
    /// As [`Self::sign_in`].
    pub(crate) async fn write(&self, user: UserId, now: DateTime<Utc>) -> Result<()> {
        self.count("write", &self.writes, user, now).await
    }

    /// Counts an export of a user.
    ///
    /// # Errors
    /// As [`Self::sign_in`].
    pub(crate) async fn export(&self, user: UserId, now: DateTime<Utc>) -> Result<()> {
        self.count("export", &self.exports, user, now).await
    }

    /// The Redis that is counted in, if one is configured.
    pub(crate) const fn shared(&self) -> Option<&SharedLimits> {
        self.shared.as_ref()
    }

    async fn count<K>(&self, class: &str, local: &Limiter<K>, key: K, now: DateTime<Utc>) -> Result<()>
    where
        K: Eq + Hash + Clone + Display,
    {
        if let Some(shared) = &self.shared {
            match shared.count(&format!("{class}:{key}"), local.limit).await {
                Ok(0) => return Ok(()),
                Ok(wait) => return Err(Error::RateLimited { retry_after: wait.div_ceil(1000).max(1) }),
                Err(error) => tracing::warn!(%error, "Redis does not answer; requests are counted in this process"),
            }
        }
        local.check(key, now)
    }
}

const WINDOW: TimeDelta = TimeDelta::minutes(1);

/// Keys remembered at most; beyond it the ones that were quiet the longest are forgotten.
const MAX_KEYS: usize = 10_000;

/// At most `limit` requests in any minute for each key.
#[derive(Debug)]
pub(crate) struct Limiter<K> {
    limit: usize,
    seen: Mutex<HashMap<K, VecDeque<DateTime<Utc>>>>,
}

impl<K: Eq + Hash + Clone> Limiter<K> {
    pub(crate) fn new(limit: u32) -> Self {
        Self { limit: usize::try_from(limit).unwrap_or(usize::MAX), seen: Mutex::new(HashMap::new()) }
    }

    /// Counts a request at the instant `now`.
    ///
    /// # Errors
    /// [`Error::RateLimited`], and then the request is not counted.
    pub(crate) fn check(&self, key: K, now: DateTime<Utc>) -> Result<()> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= MAX_KEYS && !seen.contains_key(&key) {
            make_room(&mut seen, now);
        }
        let times = seen.entry(key).or_default();
        while times.front().is_some_and(|time| now - *time >= WINDOW) {
            times.pop_front();
        }
        if times.len() < self.limit {
            times.push_back(now);
            return Ok(());
        }
        let free_at = times.front().map_or(now, |first| *first + WINDOW);
        let left = (free_at - now).num_milliseconds().max(1);
        Err(Error::RateLimited { retry_after: u64::try_from(left).unwrap_or(1).div_ceil(1000) })
    }
}

fn make_room<K: Eq + Hash + Clone>(seen: &mut HashMap<K, VecDeque<DateTime<Utc>>>, now: DateTime<Utc>) {
    seen.retain(|_, times| times.back().is_some_and(|last| now - *last < WINDOW));
    while seen.len() >= MAX_KEYS {
        let quietest = seen.iter().min_by_key(|(_, times)| times.back().copied()).map(|(key, _)| key.clone());
        match quietest {
            Some(key) => seen.remove(&key),
            None => break,
        };
    }
}

/// What an address counts as: IPv6 users hold a /64 at least.
pub(crate) fn address_key(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) & !u128::from(u64::MAX)).into()),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
    }

    #[test]
    fn the_limit_holds_in_any_minute_and_says_when_to_come_back() {
        let limiter = Limiter::new(3);
        for second in [0, 10, 20] {
            limiter.check("a", at(second)).unwrap();
        }
        assert!(matches!(limiter.check("a", at(30)), Err(Error::RateLimited { retry_after: 30 })));
        assert!(limiter.check("b", at(30)).is_ok());
        assert!(matches!(limiter.check("a", at(59)), Err(Error::RateLimited { retry_after: 1 })));
        assert!(limiter.check("a", at(60)).is_ok());
        assert!(limiter.check("a", at(61)).is_err());
    }

    #[test]
    fn memory_is_bounded() {
        let limiter = Limiter::new(1);
        for key in 0..MAX_KEYS + 50 {
            limiter.check(key, at(i64::try_from(key / 1000).unwrap())).unwrap();
        }
        assert_eq!(limiter.seen.lock().unwrap().len(), MAX_KEYS);
        limiter.check(usize::MAX, at(1000)).unwrap();
        assert_eq!(limiter.seen.lock().unwrap().len(), 1);
    }

    #[test]
    fn an_ipv6_network_is_one_caller_and_mapped_ipv4_is_ipv4() {
        let key = |text: &str| address_key(text.parse().unwrap());
        assert_eq!(key("2001:db8::1"), key("2001:db8::ffff:1"));
        assert_ne!(key("2001:db8:0:1::1"), key("2001:db8:0:2::1"));
        assert_eq!(key("::ffff:192.0.2.1"), key("192.0.2.1"));
        assert_ne!(key("192.0.2.1"), key("192.0.2.2"));
    }
}
