//! Who may read and who may act. Pure: looks at headers alone.

use std::path::Path;

use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use chorus_runtime::secret::SecretError;
use sha2::{Digest, Sha256};

use crate::answer::Refusal;
use crate::settings::is_loopback_name;

/// How many characters the operators' token must have.
const TOKEN_BYTES: usize = 16;

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// What the headers of a request are held against.
#[derive(Clone)]
pub(crate) struct Guard {
    /// The token's hash: hashes are compared, so that the time taken tells nothing about the token.
    token: Option<[u8; 32]>,
    is_loopback: bool,
}

impl std::fmt::Debug for Guard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guard")
            .field("has_token", &self.token.is_some())
            .field("is_loopback", &self.is_loopback)
            .finish()
    }
}

/// The token as an operator types it: the file's text, without white space around it.
pub(crate) fn read_token(file: &Path) -> Result<String, SecretError> {
    let problem = |message: String| SecretError { file: file.display().to_string(), message };
    let text = std::fs::read_to_string(file).map_err(|error| problem(error.to_string()))?;
    let token = text.trim();
    if token.len() < TOKEN_BYTES || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(problem(format!("expected a token of at least {TOKEN_BYTES} printable characters without spaces")));
    }
    Ok(token.to_owned())
}

impl Guard {
    pub(crate) fn new(token: Option<&str>, is_loopback: bool) -> Self {
        Self { token: token.map(|token| Sha256::digest(token.as_bytes()).into()), is_loopback }
    }

    /// Reading is open on loopback, to pages of this host alone; anywhere else it takes the token.
    pub(crate) fn may_read(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        if !self.is_loopback {
            return self.check_token(headers);
        }
        self.check_host(headers)
    }

    /// Acting takes the token where there is one, and never comes from another site's page.
    pub(crate) fn may_act(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        if is_cross_site(headers) {
            return Err(Refusal::new(StatusCode::FORBIDDEN, "requests from pages of other sites are refused"));
        }
        if self.is_loopback {
            self.check_host(headers)?;
        }
        if self.token.is_some() {
            return self.check_token(headers);
        }
        if is_json(headers) || (!headers.contains_key(header::CONTENT_TYPE) && !is_from_browser(headers)) {
            return Ok(());
        }
        Err(Refusal::field(StatusCode::UNSUPPORTED_MEDIA_TYPE, "content-type", "application/json"))
    }

    fn check_token(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let given = text(headers, &header::AUTHORIZATION).and_then(|value| value.split_once(' '));
        let given = given.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, token)| token.trim());
        let given: Option<[u8; 32]> = given.map(|token| Sha256::digest(token.as_bytes()).into());
        if given.is_some() && given == self.token {
            return Ok(());
        }
        Err(Refusal::new(StatusCode::UNAUTHORIZED, "needs the operators' token: Authorization: Bearer …"))
    }

    /// A page of another site whose name was pointed at this machine is stopped by the name that it asks for.
    fn check_host(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        match text(headers, &header::HOST) {
            None => Ok(()),
            Some(host) if is_loopback_name(without_port(host)) => Ok(()),
            Some(_) => {
                let message = "this address serves the loopback interface: ask for 127.0.0.1 or localhost";
                Err(Refusal::new(StatusCode::MISDIRECTED_REQUEST, message))
            }
        }
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = text(headers, &header::CONTENT_TYPE).map(|value| value.split(';').next().unwrap_or_default().trim());
    kind.is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"))
}

/// Every browser sends one of these with a request that changes something.
fn is_from_browser(headers: &HeaderMap) -> bool {
    headers.contains_key(header::ORIGIN) || headers.contains_key(FETCH_SITE)
}

fn is_cross_site(headers: &HeaderMap) -> bool {
    // A browser says it itself, and says it right behind a proxy too; pages cannot set this header.
    if let Some(site) = headers.get(FETCH_SITE) {
        return site != "same-origin" && site != "none";
    }
    let Some(origin) = headers.get(header::ORIGIN) else { return false };
    let origin = origin.to_str().ok().and_then(|origin| origin.split_once("://")).map(|(_, host)| host);
    match (origin, text(headers, &header::HOST)) {
        (Some(origin), Some(host)) => !origin.eq_ignore_ascii_case(host),
        _ => true,
    }
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
    }

    fn act(guard: &Guard, pairs: &[(&'static str, &str)]) -> Result<(), StatusCode> {
        guard.may_act(&headers(pairs)).map_err(|refusal| refusal.status)
    }

    const JSON: (&str, &str) = ("content-type", "application/json; charset=utf-8");
    const HOST: (&str, &str) = ("host", "127.0.0.1:8080");

    #[test]
    fn a_page_of_another_site_can_neither_act_nor_read() {
        let guard = Guard::new(None, true);
        let forbidden = Err(StatusCode::FORBIDDEN);
        assert_eq!(act(&guard, &[HOST, JSON, ("origin", "http://127.0.0.1:8080")]), Ok(()));
        assert_eq!(act(&guard, &[HOST, JSON, ("origin", "http://evil.example")]), forbidden);
        assert_eq!(act(&guard, &[HOST, JSON, ("origin", "http://127.0.0.1:9000")]), forbidden);
        assert_eq!(act(&guard, &[HOST, JSON, ("origin", "null")]), forbidden);
        assert_eq!(act(&guard, &[HOST, JSON, ("sec-fetch-site", "cross-site")]), forbidden);
        assert_eq!(act(&guard, &[HOST, JSON, ("sec-fetch-site", "same-site")]), forbidden);
        let rebound = [("host", "evil.example"), ("origin", "http://evil.example"), JSON];
        assert_eq!(act(&guard, &rebound), Err(StatusCode::MISDIRECTED_REQUEST));
        assert!(guard.may_read(&headers(&[("host", "evil.example")])).is_err());
        assert!(guard.may_read(&headers(&[("host", "[::1]:8080")])).is_ok());
    }

    #[test]
    fn without_a_token_a_form_cannot_act() {
        let guard = Guard::new(None, true);
        let refused = Err(StatusCode::UNSUPPORTED_MEDIA_TYPE);
        assert_eq!(act(&guard, &[HOST, ("content-type", "text/plain")]), refused);
        assert_eq!(act(&guard, &[HOST, ("content-type", "application/x-www-form-urlencoded")]), refused);
        assert_eq!(act(&guard, &[HOST, ("sec-fetch-site", "same-origin")]), refused, "a browser must say JSON");
        assert_eq!(act(&guard, &[HOST]), Ok(()), "a command line without a body");
    }

    #[test]
    fn with_a_token_nobody_acts_without_it() {
        let guard = Guard::new(Some("0123456789abcdef"), true);
        assert_eq!(act(&guard, &[HOST, JSON]), Err(StatusCode::UNAUTHORIZED));
        assert_eq!(
            act(&guard, &[HOST, JSON, ("authorization", "Bearer 0123456789abcdeX")]),
            Err(StatusCode::UNAUTHORIZED)
        );
        assert_eq!(
            act(&guard, &[HOST, JSON, ("authorization", "Basic 0123456789abcdef")]),
            Err(StatusCode::UNAUTHORIZED)
        );
        assert_eq!(act(&guard, &[HOST, ("authorization", "bearer 0123456789abcdef")]), Ok(()));
        assert!(guard.may_read(&headers(&[HOST])).is_ok(), "reading stays open on loopback");
    }

    #[test]
    fn beyond_loopback_reading_takes_the_token() {
        let guard = Guard::new(Some("0123456789abcdef"), false);
        assert!(guard.may_read(&headers(&[("host", "center.example")])).is_err());
        let with_token = [("host", "center.example"), ("authorization", "Bearer 0123456789abcdef")];
        assert!(guard.may_read(&headers(&with_token)).is_ok());
        assert!(Guard::new(None, false).may_read(&headers(&with_token)).is_err(), "no token admits nobody");
    }
}
