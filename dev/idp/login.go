package idp

import (
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/zitadel/oidc/v3/pkg/oidc"

	"elekt.no/innsyn/dev/demo"
)

// Times of a login: the dialogue, the code until it is exchanged, and how long
// anything of it is remembered.
const (
	dialogueLife = 10 * time.Minute
	codeLife     = time.Minute
	memoryLife   = 2 * time.Hour
)

var errUnknown = errors.New("idp: unknown, used or expired")

// login is one run through a provider, from the authorization request to the
// token. The person is set once, under provider.mu; from then on it only changes
// hands: waiting for its person, its code, its access token.
type login struct {
	*oidc.AuthRequest
	id      string
	created time.Time
	faults  map[string]bool // those of the provider and those for this login alone
	person  demo.Person
	done    bool
	subject string
	at      time.Time // when the person identified themself
	acr     string
	amr     []string
	sid     string
	code    string
	until   time.Time // code and access token are good until then
}

func (l *login) fault(name string) bool { return l.faults[name] }
func (l *login) scope(name string) bool { return slices.Contains(l.Scopes, name) }

// The rest of op.AuthRequest; the embedded request has some of it.
func (l *login) GetID() string          { return l.id }
func (l *login) GetACR() string         { return l.acr }
func (l *login) GetAMR() []string       { return l.amr }
func (l *login) GetAudience() []string  { return []string{l.ClientID} }
func (l *login) GetAuthTime() time.Time { return l.at }
func (l *login) GetClientID() string    { return l.ClientID }
func (l *login) GetNonce() string       { return l.Nonce }
func (l *login) GetScopes() []string    { return l.Scopes }
func (l *login) GetSubject() string     { return l.subject }
func (l *login) Done() bool             { return l.done }

func (l *login) GetCodeChallenge() *oidc.CodeChallenge {
	if l.CodeChallenge == "" {
		return nil
	}
	method := l.CodeChallengeMethod
	if method == "" {
		method = oidc.CodeChallengeMethodPlain
	}
	return &oidc.CodeChallenge{Challenge: l.CodeChallenge, Method: method}
}

// begin takes up a login with the faults that are on, and those for the next
// login, which are spent thereby.
func (p *provider) begin(r *oidc.AuthRequest) *login {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.server.now()
	for _, m := range []map[string]*login{p.logins, p.codes, p.tokens} {
		maps.DeleteFunc(m, func(_ string, l *login) bool { return now.Sub(l.created) > memoryLife })
	}
	l := &login{AuthRequest: r, id: random(), created: now, faults: maps.Clone(p.faults.on), sid: randomUUID()}
	maps.Copy(l.faults, p.faults.once)
	clear(p.faults.once)
	p.logins[l.id] = l
	return l
}

// find is the login that waits for its person.
func (p *provider) find(id string) (*login, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.waiting(id)
}

// waiting is find for those who hold p.mu.
func (p *provider) waiting(id string) (*login, error) {
	l := p.logins[id]
	if l == nil || p.server.now().Sub(l.created) > dialogueLife {
		return nil, errUnknown
	}
	return l, nil
}

// choose identifies the person of a login, once, and gives it its code. extra is
// a fault for this login alone, or empty.
func (p *provider) choose(id string, person demo.Person, extra string) (*login, error) {
	if extra == FaultKeyRotation {
		if err := p.keys.rotate(); err != nil {
			return nil, err
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	l, err := p.waiting(id)
	if err != nil {
		return nil, err
	}
	now := p.server.now()
	if extra != "" {
		l.faults[extra] = true
	}
	if l.fault(FaultChild) {
		person.BirthDate = now.AddDate(-10, 0, -1).Format(time.DateOnly)
	}
	if l.fault(FaultNoBirthDate) {
		person.BirthDate = ""
	}
	if l.fault(FaultNoNumber) {
		person.NationalID = ""
	}
	l.person, l.at, l.done = person, now, true
	p.authenticate(l, person)
	l.code, l.until = random(), now.Add(codeLife)
	delete(p.logins, id)
	p.codes[l.code] = l
	return l, nil
}

// drop ends a login without a person.
func (p *provider) drop(id string) (*login, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l, err := p.waiting(id)
	delete(p.logins, id)
	return l, err
}
