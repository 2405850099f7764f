package idp

import (
	"fmt"
	"slices"
)

// Faults that can be switched on, for every login or for the next one.
const (
	FaultExpired        = "expired"         // ID token ran out five minutes ago
	FaultWrongAudience  = "wrong-audience"  // aud is another client
	FaultForeignAZP     = "foreign-azp"     // aud holds two clients, azp is the other one
	FaultNoAZP          = "no-azp"          // aud holds two clients, azp is missing
	FaultWrongNonce     = "wrong-nonce"     //
	FaultNoNonce        = "no-nonce"        //
	FaultWrongIssuer    = "wrong-issuer"    // iss is the issuer with something added
	FaultUnknownKey     = "unknown-key"     // signed with a key that isn't in the JWKS, under its own kid
	FaultWrongSignature = "wrong-signature" // signed with another key under the published kid
	FaultAlgNone        = "alg-none"        // no signature at all
	FaultAlgHS256       = "alg-hs256"       // HMAC with the public key as its secret
	FaultFuture         = "future"          // iat is an hour ahead
	FaultWrongAtHash    = "wrong-at-hash"   // at_hash of another access token
	FaultOldLogin       = "old-login"       // the login itself lies two hours back
	FaultNoSubject      = "no-subject"      // the claim with the stable subject is missing

	FaultChild          = "child"           // the person is ten years old
	FaultNoBirthDate    = "no-birth-date"   //
	FaultNoNumber       = "no-number"       // no identity number, though asked for
	FaultLowerAssurance = "lower-assurance" // weaker than asked

	FaultCancelled      = "cancelled"         // whoever is chosen, access_denied comes back
	FaultHostileError   = "hostile-error"     // an error whose description is an attack
	FaultWrongState     = "wrong-state"       // the callback carries another state
	FaultWrongIssuerArg = "wrong-iss-param"   // the callback carries an iss of somebody else (RFC 9207)
	FaultTokenError     = "token-error"       // the token endpoint answers 400 with a hostile description
	FaultGarbage        = "garbage"           // the token endpoint answers with a web page
	FaultOtherUserinfo  = "userinfo-stranger" // userinfo is about somebody else

	FaultDown        = "down"         // discovery, keys and token endpoint answer 503
	FaultClosed      = "closed"       // the same close the connection
	FaultSlow        = "slow"         // the same take long
	FaultKeyRotation = "key-rotation" // a new key signs from now on; switches itself off
)

// fault describes a switch on the page; the texts are Norwegian.
type fault struct {
	Name, Text string
}

// faultGroup is a heading on the page of switches.
type faultGroup struct {
	Title  string
	Faults []fault
}

var faultGroups = []faultGroup{
	{"Id-tokenet", []fault{
		{FaultExpired, "Utløpt"},
		{FaultWrongAudience, "Laget for en annen klient (aud)"},
		{FaultForeignAZP, "To mottakere, og azp er den andre"},
		{FaultNoAZP, "To mottakere uten azp"},
		{FaultWrongNonce, "Feil nonce"},
		{FaultNoNonce, "Nonce mangler"},
		{FaultWrongIssuer, "Feil utsteder (iss)"},
		{FaultUnknownKey, "Signert med en ukjent nøkkel"},
		{FaultWrongSignature, "Feil signatur på en kjent nøkkel"},
		{FaultAlgNone, "Ingen signatur (alg none)"},
		{FaultAlgHS256, "Signert med den offentlige nøkkelen (HS256)"},
		{FaultFuture, "Utstedt en time fram i tid (iat)"},
		{FaultWrongAtHash, "Feil at_hash"},
		{FaultOldLogin, "Innloggingen er to timer gammel"},
		{FaultNoSubject, "Den faste identifikatoren mangler"},
	}},
	{"Personen", []fault{
		{FaultChild, "Er ti år"},
		{FaultNoBirthDate, "Fødselsdato mangler"},
		{FaultNoNumber, "Fødselsnummer mangler"},
		{FaultLowerAssurance, "Svakere innlogging enn bedt om"},
	}},
	{"Svaret", []fault{
		{FaultCancelled, "Avbrutt av brukeren"},
		{FaultHostileError, "Feilmelding med fiendtlig tekst"},
		{FaultWrongState, "Feil state"},
		{FaultWrongIssuerArg, "Fremmed iss i svaret"},
		{FaultTokenError, "Token-endepunktet avviser"},
		{FaultGarbage, "Token-endepunktet svarer med en nettside"},
		{FaultOtherUserinfo, "Userinfo handler om en annen"},
	}},
	{"Tjenesten", []fault{
		{FaultDown, "Nede (503)"},
		{FaultClosed, "Bryter forbindelsen"},
		{FaultSlow, "Treg"},
		{FaultKeyRotation, "Bytt signeringsnøkkel nå"},
	}},
}

// Faults lists the names of all switches.
func Faults() []string {
	var out []string
	for _, g := range faultGroups {
		for _, f := range g.Faults {
			out = append(out, f.Name)
		}
	}
	return out
}

// Modes of a switch.
const (
	faultOn   = "on"   // every login, until it is switched off
	faultOnce = "once" // the next login that begins
	faultOff  = "off"
)

// SetFault switches a fault of a provider on or off for every login. Unknown
// names are an error.
func (s *Server) SetFault(provider, fault string, on bool) error {
	if on {
		return s.setFault(provider, fault, faultOn)
	}
	return s.setFault(provider, fault, faultOff)
}

// SetFaultOnce makes a provider err in the next login that begins, and only in
// that one. Faults of the service (down, closed, slow) then hit its token
// request alone. Unknown names are an error.
func (s *Server) SetFaultOnce(provider, fault string) error {
	return s.setFault(provider, fault, faultOnce)
}

// RotateKeys makes a provider sign with a new key. The previous one stays
// published, older ones go.
func (s *Server) RotateKeys(provider string) error {
	return s.setFault(provider, FaultKeyRotation, faultOn)
}

func (s *Server) setFault(provider, fault, mode string) error {
	p := s.providers[provider]
	if p == nil {
		return fmt.Errorf("idp: no provider %q", provider)
	}
	return p.setFault(fault, mode)
}

// faultSet is the switches of one provider. Guarded by provider.mu.
type faultSet struct {
	on   map[string]bool // every login
	once map[string]bool // the next login
}

func (p *provider) setFault(name, mode string) error {
	if !slices.Contains(Faults(), name) {
		return fmt.Errorf("idp: no fault %q", name)
	}
	if name == FaultKeyRotation && mode != faultOff {
		return p.keys.rotate()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch mode {
	case faultOn:
		p.faults.on[name] = true
	case faultOnce:
		p.faults.once[name] = true
	case faultOff:
		delete(p.faults.on, name)
		delete(p.faults.once, name)
	default:
		return fmt.Errorf("idp: no mode %q", mode)
	}
	return nil
}

// has tells whether a fault is on for every login.
func (p *provider) has(name string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.faults.on[name]
}

// active lists the faults that are on and those that wait for the next login.
func (p *provider) active() (on, once []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, name := range Faults() {
		if p.faults.on[name] {
			on = append(on, name)
		}
		if p.faults.once[name] {
			once = append(once, name)
		}
	}
	return on, once
}

// mode is how a switch of the provider stands.
func (p *provider) mode(name string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.faults.on[name]:
		return faultOn
	case p.faults.once[name]:
		return faultOnce
	}
	return faultOff
}
