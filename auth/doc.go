// Package auth finds out who is calling: OpenID Connect logins, sessions,
// assurance, step-up, and which customer record is whose. It renders nothing and
// knows no page; package web does.
//
// # Terms and lifetimes
//
// A provider is an OpenID provider as configured (ProviderConfig). A transaction
// is one login under way: a row with the hashes of its state and of the cookie
// that binds it to the browser; single use, ten minutes. A session is a row under
// the hash of a random 256-bit id that the cookie carries; it ends after an idle
// and an absolute time that depend on its class (Limits), at logout, at a step-up
// (which makes a new one) and when its login is ended. Access and ID tokens are
// dropped when the callback is over; nothing of them is kept.
//
// A client is a system of the company that calls the API with an access token of the
// company's own issuer (APIConfig). A token that was verified is remembered under its
// hash for a minute at most; of clients nothing is stored.
//
// Assurance is the level of the login that made the session. It comes from the
// token's acr and the configuration, and an acr that is absent or unknown counts
// as the lowest. When the login happened comes from the claim that the
// configuration names.
//
// # Use
//
//	a.LinkToken(w, r)                      token for links to /login/{provider}, as ?t=
//	a.Providers(ctx)                       what the front page offers, and what is down
//	a.Begin(w, r, provider, Want{…})       redirects to the provider
//	a.Finish(w, r, provider)               the callback: *Outcome, and the session cookie is set
//	a.PendingAge(r), a.DeclareAge(…)       when Outcome.NeedsAge
//	a.Session(w, r)                        who is calling; nil, nil is nobody
//	a.Require(s, need, fresh)              StepUp if the login is too weak or too old
//	a.Token(s), a.CheckToken(s, token)     forms
//	a.End(w, r)                            logout
//	a.Sessions, EndSession, Logins, …      the page of logins and devices
//	a.FindCustomer, AskCode, UseCode       the customer record
//	a.Park, a.Unpark                       what was typed before a step-up
//	a.Client(r)                            which system calls the API
//	a.Allow(ctx, what, who, n, per)        limits of sensitive routes
//
// # Faults
//
// Every fault is a *privacy.Error whose Key starts with "login.fault." and whose
// Reason is a code for the log. Neither the provider's words nor any token, code,
// state, name or number is in an error's text.
//
// # Trust
//
// Whoever reads the tables can take over no session and answer no login: they
// hold hashes. Whoever writes them can make sessions. Whoever has SessionKey can
// make form tokens and read parked forms, but no session. A provider is trusted
// for who its users are, up to the level that its configuration gives it: an
// identity number or a telephone number counts only from substantial on.
package auth
