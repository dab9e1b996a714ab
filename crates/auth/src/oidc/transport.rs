//! The way to an OpenID provider.
//!
//! The issuer was configured by an administrator and may have a private address. Whatever its documents lead to on other
//! hosts may have one only if the issuer has: a public provider cannot point this program at the network it stands in.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bartizan_outbound::http::{self as client, Request, Trust};
use bartizan_outbound::{Outbound, Policy, Settings, names};
use http::header::{ACCEPT, AUTHORIZATION};
use http::{HeaderValue, Method};
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};
use serde_json::Value;
use url::Url;

use super::{Provider, is_acceptable};

/// Bytes of an answer: some providers list a hundred keys.
const MOST: usize = 512 * 1024;
/// For each exchange.
const DEADLINE: Duration = Duration::from_secs(10);

/// Asks providers within the rules of `outbound`.
#[derive(Debug, Clone)]
pub struct Transport {
    outbound: Outbound,
}

/// Why an answer did not come.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct NoAnswer(String);

/// The way to one provider.
pub(super) struct Way {
    transport: Transport,
    provider: Arc<Provider>,
}

impl<'c> AsyncHttpClient<'c> for Way {
    type Error = NoAnswer;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, NoAnswer>> + Send + 'static>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        let (transport, provider) = (self.transport.clone(), Arc::clone(&self.provider));
        Box::pin(async move { transport.call(&provider, request).await })
    }
}

impl Default for Transport {
    fn default() -> Self {
        Self::new()
    }
}

impl Transport {
    /// Within rules of its own: public addresses, and private ones where the configuration says so.
    #[must_use]
    pub fn new() -> Self {
        let settings = Settings { connect_timeout: Duration::from_secs(5), max_sockets: 32, ..Settings::default() };
        Self { outbound: Outbound::new(settings) }
    }

    /// The way to one provider, for the protocol library.
    pub(super) fn to(&self, provider: &Provider) -> Way {
        Way { transport: self.clone(), provider: Arc::new(provider.clone()) }
    }

    async fn call(&self, provider: &Provider, request: HttpRequest) -> Result<HttpResponse, NoAnswer> {
        let (parts, body) = request.into_parts();
        let url = Url::parse(&parts.uri.to_string()).map_err(|error| NoAnswer(format!("{}: {error}", parts.uri)))?;
        let mut asked = Request::get("/", MOST).method(parts.method);
        for (name, value) in &parts.headers {
            asked = asked.header(name.clone(), value.clone());
        }
        asked.body = body.into();
        self.send(provider, &url, asked).await
    }

    /// What the provider says of the holder of an access token; `None` if it is no JSON.
    pub(super) async fn userinfo(&self, provider: &Provider, url: &Url, token: &str) -> Result<Option<Value>, String> {
        let mut bearer = HeaderValue::from_str(&format!("Bearer {token}"))
            .map_err(|_| "the access token cannot be sent".to_owned())?;
        bearer.set_sensitive(true);
        let asked = Request::get("/", MOST)
            .method(Method::GET)
            .header(AUTHORIZATION, bearer)
            .header(ACCEPT, HeaderValue::from_static("application/json"));
        let answer = self.send(provider, url, asked).await.map_err(|error| format!("user information: {error}"))?;
        if !answer.status().is_success() {
            return Err(format!("user information: status {}", answer.status().as_u16()));
        }
        Ok(serde_json::from_slice(answer.body()).ok())
    }

    async fn send(&self, provider: &Provider, url: &Url, request: Request) -> Result<HttpResponse, NoAnswer> {
        let issuer = Url::parse(&provider.issuer).map_err(|error| NoAnswer(format!("the issuer: {error}")))?;
        if !is_acceptable(url) || (issuer.scheme() == "https" && url.scheme() != "https") {
            return Err(NoAnswer(format!("{} is not asked: it must be https", url.origin().ascii_serialization())));
        }
        let private = url.host() == issuer.host() || is_private(&issuer).await;
        let outbound = if private { self.outbound.for_services() } else { self.outbound.clone() };
        let trust = Trust::system_roots_and(&provider.roots);
        let resolve: &client::Resolve<'_> = &|name| Box::pin(names::resolve(name));
        let answer = client::send(&outbound, url, resolve, request, (&trust, DEADLINE))
            .await
            .map_err(|failure| NoAnswer(format!("{}: {}", url.origin().ascii_serialization(), failure.detail)))?;
        let mut response = http::Response::new(answer.body);
        *response.status_mut() = answer.status;
        *response.headers_mut() = answer.headers;
        Ok(response)
    }
}

/// Whether the issuer's own address is not of the public network.
async fn is_private(issuer: &Url) -> bool {
    let addresses = match issuer.host() {
        Some(url::Host::Ipv4(address)) => vec![address.into()],
        Some(url::Host::Ipv6(address)) => vec![address.into()],
        Some(url::Host::Domain(name)) => names::resolve(name.to_owned()).await.unwrap_or_default(),
        None => Vec::new(),
    };
    let public = Policy::default();
    !addresses.is_empty() && addresses.iter().all(|address| public.vet(*address).is_err())
}
