//! The same limits counted in Redis or Valkey, so that several servers count together.
//!
//! Redis is asked with little patience: a request waits for it [`PATIENCE`] at most and is then counted in process, as
//! it is while Redis is away.

use std::fmt;
use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{AsyncCommands as _, Client, RedisError, Script};
use uuid::Uuid;

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_millis(300);

/// A sliding window of a minute by the clock of Redis: the instants of the requests that were let through. Answers 0, or
/// the milliseconds until the next request may pass.
const WINDOW: &str = r"
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - 60000)
if redis.call('ZCARD', KEYS[1]) < tonumber(ARGV[1]) then
  redis.call('ZADD', KEYS[1], now, ARGV[2])
  redis.call('PEXPIRE', KEYS[1], 60000)
  return 0
end
local first = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
if not first[2] then return 60000 end
return math.max(1, first[2] + 60000 - now)
";

/// An address of Redis that cannot be used. Says nothing of the address, which may hold a password.
#[derive(Debug, thiserror::Error)]
#[error("REDIS_URL is not usable: {0}")]
pub struct BadRedisUrl(String);

/// Counts kept in Redis.
#[derive(Clone)]
pub struct SharedLimits {
    connection: ConnectionManager,
    script: Script,
}

impl fmt::Debug for SharedLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedLimits").finish_non_exhaustive()
    }
}

impl SharedLimits {
    /// Counts in the Redis at `redis://[:PASSWORD@]HOST[:PORT][/DATABASE]` or `redis+unix:///PATH`. It is connected to
    /// when it is first needed and whenever it comes back.
    ///
    /// # Errors
    /// If the address cannot be used. Whether somebody answers there is another matter.
    pub fn new(url: &str) -> Result<Self, BadRedisUrl> {
        let bad = |error: RedisError| BadRedisUrl(error.category().to_owned());
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(1)
            .set_max_delay(Duration::from_secs(2))
            .set_connection_timeout(Some(PATIENCE))
            .set_response_timeout(Some(PATIENCE));
        let client = Client::open(url).map_err(bad)?;
        let connection = ConnectionManager::new_lazy_with_config(client, config).map_err(bad)?;
        Ok(Self { connection, script: Script::new(WINDOW) })
    }

    /// Counts a request: `Ok(0)` if it may pass, else the milliseconds until one may.
    pub(super) async fn count(&self, key: &str, limit: usize) -> Result<u64, RedisError> {
        let mut connection = self.connection.clone();
        let mut call = self.script.key(format!("bartizan:limit:{key}"));
        call.arg(limit).arg(Uuid::now_v7().to_string());
        within(call.invoke_async(&mut connection)).await
    }

    /// Whether Redis answers.
    pub(crate) async fn answers(&self) -> bool {
        let mut connection = self.connection.clone();
        within(async move { connection.ping::<String>().await }).await.is_ok()
    }
}

async fn within<T>(call: impl Future<Output = Result<T, RedisError>>) -> Result<T, RedisError> {
    match tokio::time::timeout(PATIENCE, call).await {
        Ok(answer) => answer,
        Err(_) => Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into()),
    }
}
