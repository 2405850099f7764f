package auth

import (
	"encoding/json"
	"net/http"
	"time"

	"elekt.no/innsyn/privacy"
	"elekt.no/innsyn/store"
)

// birth is a birth date as providers give it: a day, a year, or nothing.
type birth struct {
	Year, Month, Day int
}

// parseBirth reads "2006-01-02" or "2006"; anything else, and a date without its
// year ("0000-01-02"), is no birth date.
func parseBirth(s string) birth {
	if t, err := time.Parse(time.DateOnly, s); err == nil && t.Year() > 0 {
		return birth{t.Year(), int(t.Month()), t.Day()}
	}
	if t, err := time.Parse("2006", s); err == nil && t.Year() > 0 {
		return birth{Year: t.Year()}
	}
	return birth{}
}

func birthOf(t time.Time) birth {
	if t.IsZero() {
		return birth{}
	}
	return birth{t.Year(), int(t.Month()), t.Day()}
}

func (b birth) known() bool { return b.Year > 0 }

// day is the date, zero if it isn't known to the day.
func (b birth) day() time.Time {
	if b.Month == 0 {
		return time.Time{}
	}
	return time.Date(b.Year, time.Month(b.Month), b.Day, 0, 0, 0, 0, time.UTC)
}

// age is how old somebody is on a day in Oslo. Of a year alone the last day
// counts: rather too young than too old.
func (b birth) age(now time.Time) int {
	if b.Month == 0 {
		b.Month, b.Day = 12, 31
	}
	y, m, d := now.In(privacy.Oslo).Date()
	age := y - b.Year
	if int(m) < b.Month || int(m) == b.Month && d < b.Day {
		age--
	}
	return age
}

// tooYoung tells whether somebody is known to be below the age limit.
// law: personopplysningsloven § 5
func (a *Auth) tooYoung(b birth) bool { return b.known() && b.age(a.now()) < a.least }

// childError stops a child. The page tells a guardian what to do.
func childError() error {
	return &privacy.Error{Kind: privacy.Forbidden, Key: "login.fault.child", Reason: "too-young"}
}

// PendingAge is somebody who has logged in at a provider that gives no birth
// date, and must say that they are old enough before anything of them is kept.
type PendingAge struct {
	GivenName string
	Least     int    // the age, in years
	Token     string // for the form's field
	Expires   time.Time
}

// sealedAge is what the browser carries meanwhile, sealed: the database knows
// only that somebody is asked. Fields are exported for encoding/json.
type sealedAge struct {
	State   string // of the transaction
	Proof   proof
	Expires time.Time
}

// askAge puts a login off until the person has declared their age.
func (a *Auth) askAge(w http.ResponseWriter, r *http.Request, t *store.Transaction, p *proof) error {
	now := a.now()
	s := sealedAge{State: randomText(), Proof: *p, Expires: now.Add(transactionLife)}
	b, err := json.Marshal(s)
	if err != nil {
		return err
	}
	sealed := encode(a.seal.Seal(nil, nil, b, []byte(cookieAge)))
	// The row knows what was sealed, so that not even the key makes another proof of it.
	if err := a.store.PutTransaction(r.Context(), store.Transaction{StateHash: hash(s.State), BrowserHash: hash(a.cookie(r, cookieBrowser)),
		Kind: store.TransactionAge, Provider: t.Provider, Nonce: encode(hash(sealed)), Need: t.Need, ReturnTo: t.ReturnTo, CreatedAt: now, ExpiresAt: s.Expires}); err != nil {
		return err
	}
	// Whoever was logged in here before isn't any more: this is another login.
	if err := a.drop(w, r, "replaced"); err != nil {
		return err
	}
	a.setCookie(w, cookieAge, sealed, transactionLife)
	return nil
}

func ageGone() error {
	return &privacy.Error{Kind: privacy.Gone, Key: "login.fault.age-expired", Reason: "age-expired"}
}

func (a *Auth) openAge(r *http.Request) (*sealedAge, error) {
	b, ok := decodeAny(a.cookie(r, cookieAge))
	if !ok {
		return nil, ageGone()
	}
	plain, err := a.seal.Open(nil, nil, b, []byte(cookieAge))
	if err != nil {
		return nil, ageGone()
	}
	var s sealedAge
	if err := json.Unmarshal(plain, &s); err != nil || !s.Expires.After(a.now()) {
		return nil, ageGone()
	}
	return &s, nil
}

// PendingAge is who is asked in this browser; Gone if nobody is.
func (a *Auth) PendingAge(r *http.Request) (*PendingAge, error) {
	s, err := a.openAge(r)
	if err != nil {
		return nil, err
	}
	return &PendingAge{GivenName: s.Proof.GivenName, Least: a.least, Token: encode(mac(a.formKey, "age", s.State)), Expires: s.Expires}, nil
}

// DeclareAge takes the person's answer, once. Yes finishes the login as Finish
// does. No is a child: nothing is kept, and if the company knows the child a case
// is opened; the error is that of Finish for a child. token is PendingAge.Token
// as the form sent it.
func (a *Auth) DeclareAge(w http.ResponseWriter, r *http.Request, token string, oldEnough bool) (*Outcome, error) {
	s, err := a.openAge(r)
	if err != nil {
		return nil, err
	}
	if !equal(token, encode(mac(a.formKey, "age", s.State))) {
		return nil, &privacy.Error{Kind: privacy.Forbidden, Key: "error.forged", Reason: "bad-token"}
	}
	t, err := a.store.TakeTransaction(r.Context(), hash(s.State), hash(a.cookie(r, cookieBrowser)))
	a.setCookie(w, cookieAge, "", -1)
	if privacy.KindOf(err) == privacy.NotFound {
		return nil, ageGone()
	}
	if err != nil {
		return nil, err
	}
	if t.Kind != store.TransactionAge || !equal(t.Nonce, encode(hash(a.cookie(r, cookieAge)))) || !t.ExpiresAt.After(a.now()) {
		return nil, ageGone()
	}
	if !oldEnough {
		return nil, a.stopChild(r.Context(), &s.Proof, "")
	}
	match, err := a.find(r.Context(), s.Proof.keys())
	if err != nil {
		return nil, err
	}
	return a.enter(w, r, t, &s.Proof, match, a.now())
}
