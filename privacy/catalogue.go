package privacy

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// EmbeddedCatalogue is Elekt's catalogue, taken from its privacy policy. Another
// company runs Innsyn with a file of its own; no code names a purpose.
//
//go:embed catalogue.yaml
var EmbeddedCatalogue []byte

// Catalogue describes what a company does with personal data: every purpose,
// every category of data, every recipient. Pages, switches, notices and the
// record of processing are read from it and from nowhere else.
//
// law: GDPR 13, 14, 30
type Catalogue struct {
	Version    string         `yaml:"version"` // date of this revision, 2006-01-02
	Controller Controller     `yaml:"controller"`
	Ages       Ages           `yaml:"ages"`
	Proof      Proof          `yaml:"proof"`
	Sections   []Section      `yaml:"sections"`
	Areas      []Area         `yaml:"areas"`
	Data       []DataCategory `yaml:"data"`
	Recipients []Recipient    `yaml:"recipients"`
	Purposes   []Purpose      `yaml:"purposes"`

	hash       Hash
	source     []byte
	purposes   map[string]*Purpose
	recipients map[string]*Recipient
	data       map[string]*DataCategory
	areas      map[string]*Area
	inArea     map[string][]*Purpose
}

// Controller is who decides why and how data is used. law: GDPR 4(7), 13(1)(a)-(b)
type Controller struct {
	Name      string    `yaml:"name"`
	Short     string    `yaml:"short"` // as people say it
	OrgNo     string    `yaml:"org_no"`
	Street    string    `yaml:"street"`
	Postal    string    `yaml:"postal"`
	Support   string    `yaml:"support"` // e-mail of customer service
	DPO       string    `yaml:"dpo"`     // e-mail of the data protection officer
	Authority Authority `yaml:"authority"`
}

// Authority is the supervisory authority that complaints go to. law: GDPR 77
type Authority struct {
	Name   string `yaml:"name"`
	URL    string `yaml:"url"`
	Street string `yaml:"street"`
	Postal string `yaml:"postal"`
	Phone  string `yaml:"phone"`
	Email  string `yaml:"email"`
}

// Ages are limits in years. law: personopplysningsloven § 5
type Ages struct {
	Least int `yaml:"least"` // younger people are stopped before anything is stored
}

// Proof says how long the proof of a choice is kept after the choice has ended.
// law: GDPR 7(1), foreldelsesloven §§ 2-3
type Proof struct {
	Months int `yaml:"months"`
}

// Section is a heading of the policy that the catalogue is taken from.
type Section struct {
	No    string `yaml:"no"`
	Title Text   `yaml:"title"`
}

// Area is a heading that purposes stand under on the pages.
type Area struct {
	ID    string `yaml:"id"`
	Title Text   `yaml:"title"`
	Lead  Text   `yaml:"lead"` // one sentence: what is gathered here
}

// DataCategory is a kind of personal data.
type DataCategory struct {
	ID          string      `yaml:"id"`
	Title       Text        `yaml:"title"`
	Examples    Text        `yaml:"examples"`
	Sources     []string    `yaml:"sources"`     // person, login-provider, device, meter, elhub, efaktura, partner, company
	Origin      Origin      `yaml:"origin"`      // provided, observed or derived
	Sensitivity Sensitivity `yaml:"sensitivity"` // low, medium or high
	Portability Portability `yaml:"portability"` // law: GDPR 20(1)
}

// Origin tells how a value came to be. law: GDPR 15(1)(g), WP242
type Origin string

// The origins.
const (
	Provided Origin = "provided"
	Observed Origin = "observed"
	Derived  Origin = "derived"
)

// Sensitivity tells how much care a category needs on a screen.
type Sensitivity string

// The degrees.
const (
	SensitivityLow    Sensitivity = "low"
	SensitivityMedium Sensitivity = "medium"
	SensitivityHigh   Sensitivity = "high"
)

// Portability tells whether a category belongs in a portable copy.
type Portability string

// The answers.
const (
	PortabilityYes   Portability = "yes"
	PortabilityPart  Portability = "part"  // what the person provided, not the rest
	PortabilityBasis Portability = "basis" // if it rests on consent or a contract
	PortabilityNo    Portability = "no"
)

// Recipient gets personal data. law: GDPR 4(9), 15(1)(c), C-154/21 (by name)
type Recipient struct {
	ID         string        `yaml:"id"`
	Name       string        `yaml:"name,omitempty"`
	Kind       Text          `yaml:"kind,omitempty"` // what it is, where the policy names no company
	Country    string        `yaml:"country"`        // ISO 3166-1 alpha-2, or ?? if the policy doesn't say
	OutsideEEA bool          `yaml:"outside_eea,omitempty"`
	PolicyRole RecipientRole `yaml:"policy_role,omitempty"` // what the policy calls it; empty if its tables lack it
	Role       RecipientRole `yaml:"role"`
	Mode       RecipientMode `yaml:"mode"`
	Unnamed    bool          `yaml:"unnamed,omitempty"` // the policy names a kind, not a company; Name is then empty
	Does       Text          `yaml:"does"`              // what it does for the person, one sentence
	Gets       []string      `yaml:"gets,omitempty"`    // data categories that the policy's table lists
	Transfer   Text          `yaml:"transfer,omitempty"`
}

// NameIn is the name, or the kind in a language where the policy names none.
func (r *Recipient) NameIn(lang string) string {
	if r.Unnamed {
		return r.Kind.In(lang)
	}
	return r.Name
}

// RecipientRole is the part that a recipient plays. law: GDPR 4(7)-(8), 26
type RecipientRole string

// The roles.
const (
	RoleProcessor  RecipientRole = "processor"
	RoleController RecipientRole = "controller"
	RoleJoint      RecipientRole = "joint"
)

// RecipientMode is the way in which a recipient can be told of a change.
type RecipientMode string

// The modes.
const (
	ModeAPI      RecipientMode = "api"       // a call
	ModeDevice   RecipientMode = "device"    // the app applies a flag and acknowledges
	ModeEDI      RecipientMode = "edi"       // a market message
	ModeManual   RecipientMode = "manual"    // a person does it
	ModeUserLink RecipientMode = "user-link" // only the data subject can
	ModeNone     RecipientMode = "none"      // nothing to tell
)

// Basis is a legal basis: the letter in GDPR 6(1).
type Basis string

// The bases that the catalogue may use.
const (
	BasisConsent            Basis = "a"
	BasisContract           Basis = "b"
	BasisLegalObligation    Basis = "c"
	BasisLegitimateInterest Basis = "f"
)

// Control is what a person can do about a purpose.
type Control string

// The controls. law: GDPR 7(3), 21(1), 21(2)-(3)
const (
	ControlConsent   Control = "consent"   // off until given; withdrawn at once
	ControlObjection Control = "objection" // on until objected; rests while a person assesses
	ControlAbsolute  Control = "absolute"  // on until objected; off at once, no questions
	ControlNone      Control = "none"      // no choice, and the reason is shown
)

// Purpose is one use of personal data on one legal basis.
type Purpose struct {
	ID         string    `yaml:"id"`
	Section    string    `yaml:"section"` // of the policy
	Area       string    `yaml:"area"`
	Page       Page      `yaml:"page"`
	Basis      Basis     `yaml:"basis"`
	Control    Control   `yaml:"control"`
	When       Condition `yaml:"when,omitempty"`
	Data       []string  `yaml:"data"`
	Recipients []string  `yaml:"recipients,omitempty"`
	Retention  Retention `yaml:"retention"`

	// AlsoObjection: withdrawing is an objection to marketing too. law: GDPR 21(2)
	AlsoObjection bool `yaml:"also_objection,omitempty"`
	// LegalClaims: an objection is assessed while processing goes on. law: GDPR 21(1), 18(1)(d)
	LegalClaims bool `yaml:"legal_claims,omitempty"`
	// GPC: the browser's Sec-GPC: 1 counts as no.
	GPC bool `yaml:"gpc,omitempty"`
	// Dormant: described, but not done until the DPO decides.
	Dormant bool `yaml:"dormant,omitempty"`
	// Revision counts the changes of this purpose; Material is the last one that
	// a person must agree to anew.
	Revision int `yaml:"revision"`
	Material int `yaml:"material,omitempty"`

	Texts PurposeTexts `yaml:"texts"`
}

// Marketing tells whether a no to the purpose is an objection to direct marketing,
// which "stop all marketing" makes at once. law: GDPR 21(2)-(3)
func (p *Purpose) Marketing() bool { return p.Control == ControlAbsolute || p.AlsoObjection }

// Page is where on the portal a purpose is steered besides the list of consents.
type Page string

// The pages.
const (
	PageConsents      Page = "consents"
	PageNotifications Page = "notifications"
	PageAds           Page = "ads"
	PageFamily        Page = "family"
	PageData          Page = "data"
)

// Condition limits a purpose to some customers.
type Condition string

// The conditions.
const (
	Always     Condition = ""
	WhenPaying Condition = "paying" // Elekt+ or a purchase in the shop
	WhenFree   Condition = "free"
)

// Retention says how long data is kept for a purpose, and what becomes of it
// when the person says no. law: GDPR 5(1)(e), 13(2)(a)
type Retention struct {
	Rule   RetentionRule `yaml:"rule"`
	Months int           `yaml:"months,omitempty"`
	// OnStop is what a no does to data that rested on this purpose alone.
	OnStop OnStop `yaml:"on_stop"`
}

// RetentionRule says from when the months of a retention count.
type RetentionRule string

// The rules.
const (
	RetainAccount     RetentionRule = "account"       // until the account is erased
	RetainWithdrawn   RetentionRule = "withdrawn"     // until the person says no
	RetainAccess      RetentionRule = "access"        // until access at the source ends
	RetainAfterYear   RetentionRule = "year-end"      // Months after the accounting year
	RetainAfterClose  RetentionRule = "closed"        // Months after the matter is closed
	RetainAfterUse    RetentionRule = "last-use"      // Months after it was last used
	RetainSession     RetentionRule = "session"       // the session
	RetainNothing     RetentionRule = "nothing"       // nothing is kept
	RetainRelation    RetentionRule = "relation"      // until the relation ends
	RetainSettled     RetentionRule = "settled"       // until the claim or dispute is settled
	RetainUndecided   RetentionRule = "undecided"     // the policy doesn't say
	RetainSuppression RetentionRule = "suppression"   // at once, except the entry that keeps it stopped
	RetainRecipient   RetentionRule = "at-recipients" // by the settings at the recipients
)

// OnStop is what a no does to the data.
type OnStop string

// The answers.
const (
	OnStopDelete OnStop = "delete" // deleted 24 hours later. law: GDPR 17(1)(b)
	OnStopKeep   OnStop = "keep"   // other purposes still need it
	OnStopNone   OnStop = "none"   // nothing is stored for this purpose
)

// PurposeTexts are the texts of a purpose in every language.
type PurposeTexts struct {
	NB PurposeText `yaml:"nb"`
	NN PurposeText `yaml:"nn"`
	EN PurposeText `yaml:"en"`
}

// PurposeText is what a person is told about a purpose, in one language.
type PurposeText struct {
	Title     string `yaml:"title" json:"title"`                       // a few words, no full stop
	Summary   string `yaml:"summary" json:"summary"`                   // what happens: one or two sentences
	Gain      string `yaml:"gain" json:"gain"`                         // goes on from "You get"
	Loss      string `yaml:"loss" json:"loss"`                         // goes on from "Without this": what stops at no
	Off       string `yaml:"off,omitempty" json:"off,omitempty"`       // after a no: what has stopped
	On        string `yaml:"on,omitempty" json:"on,omitempty"`         // after a yes: what happens now
	Reason    string `yaml:"reason,omitempty" json:"reason,omitempty"` // why there is no switch
	Retention string `yaml:"retention" json:"retention"`               // how long, and what a no does
}

// In is the text in a language, bokmål if the language is unknown.
func (t PurposeTexts) In(lang string) PurposeText {
	switch lang {
	case Nynorsk:
		return t.NN
	case English:
		return t.EN
	}
	return t.NB
}

// Hash is a SHA-256.
type Hash [sha256.Size]byte

func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// IsZero tells whether the hash was never set.
func (h Hash) IsZero() bool { return h == Hash{} }

// ParseHash reads 64 hexadecimal digits.
func ParseHash(s string) (Hash, error) {
	var h Hash
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(h) {
		return h, fmt.Errorf("%q is not a SHA-256", s)
	}
	copy(h[:], b)
	return h, nil
}

// Hash is the SHA-256 of the catalogue's file, logged at start and kept with every choice.
func (c *Catalogue) Hash() Hash { return c.hash }

// Source is the file as loaded, for storing whole under its hash.
func (c *Catalogue) Source() []byte { return slices.Clone(c.source) }

// Purpose finds a purpose; NotFound if the catalogue has none of that id.
func (c *Catalogue) Purpose(id string) (*Purpose, error) {
	if p := c.purposes[id]; p != nil {
		return p, nil
	}
	return nil, &Error{Kind: NotFound, Key: "error.purpose", Reason: "unknown-purpose"}
}

// Recipient finds a recipient, nil if there is none of that id.
func (c *Catalogue) Recipient(id string) *Recipient { return c.recipients[id] }

// Category finds a category of data, nil if there is none of that id.
func (c *Catalogue) Category(id string) *DataCategory { return c.data[id] }

// Area finds an area, nil if there is none of that id.
func (c *Catalogue) Area(id string) *Area { return c.areas[id] }

// In lists the purposes of an area, in the catalogue's order. The list is the
// catalogue's own: it must not be changed.
func (c *Catalogue) In(area string) []*Purpose { return c.inArea[area] }

// ShownText is everything that a person is told where a choice is made, in one
// language: what the proof of the choice refers to. law: GDPR 7(1)
type ShownText struct {
	Purpose    string      `json:"purpose"`
	Language   string      `json:"language"`
	Revision   int         `json:"revision"`
	Section    string      `json:"section"`
	Basis      Basis       `json:"basis"`
	Control    Control     `json:"control"`
	Text       PurposeText `json:"text"`
	Data       []string    `json:"data"`
	Recipients []string    `json:"recipients"`
	Controller string      `json:"controller"`
}

// Shown is the text of a purpose in a language, with names instead of ids.
func (c *Catalogue) Shown(p *Purpose, lang string) ShownText {
	s := ShownText{
		Purpose: p.ID, Language: lang, Revision: p.Revision, Section: p.Section, Basis: p.Basis, Control: p.Control,
		Text: p.Texts.In(lang), Data: []string{}, Recipients: []string{}, Controller: c.Controller.Name,
	}
	for _, id := range p.Data {
		s.Data = append(s.Data, c.data[id].Title.In(lang))
	}
	for _, id := range p.Recipients {
		s.Recipients = append(s.Recipients, c.recipients[id].NameIn(lang))
	}
	return s
}

// Canonical is the form that is stored and hashed: JSON with the fields in the
// order of the type.
func (s ShownText) Canonical() []byte {
	b, err := json.Marshal(s)
	if err != nil {
		// law of the type: strings, ints and slices of strings always marshal
		panic(fmt.Sprintf("privacy: shown text: %v", err))
	}
	return b
}

// Hash names the text in the ledger.
func (s ShownText) Hash() Hash { return sha256.Sum256(s.Canonical()) }

// ParseShownText reads a stored text back.
func ParseShownText(b []byte) (ShownText, error) {
	var s ShownText
	if err := json.Unmarshal(b, &s); err != nil {
		return s, fmt.Errorf("stored text: %w", err)
	}
	return s, nil
}

// AllShown lists the texts of every purpose in every language, for storing.
func (c *Catalogue) AllShown() []ShownText {
	var out []ShownText
	for i := range c.Purposes {
		for _, lang := range Languages {
			out = append(out, c.Shown(&c.Purposes[i], lang))
		}
	}
	return out
}

// EraseDelay is how long after a no the data that rested on it alone is to be
// deleted: a day in which the person can change their mind. law: GDPR 17(1)(b)
const EraseDelay = 24 * time.Hour
