package privacy

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// CatalogueError lists everything that is wrong with a catalogue, each with
// file, line and key. Nothing is half-loaded.
type CatalogueError struct{ Faults []CatalogueFault }

// CatalogueFault is one thing wrong.
type CatalogueFault struct {
	File string
	Line int
	Key  string // path of keys, as purposes[3].basis
	What string
}

func (f CatalogueFault) String() string {
	return fmt.Sprintf("%s:%d: %s: %s", f.File, f.Line, f.Key, f.What)
}

func (e *CatalogueError) Error() string {
	lines := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		lines[i] = f.String()
	}
	return strings.Join(lines, "\n")
}

// LoadCatalogue reads a catalogue. file is its name, for messages. The error is
// a *CatalogueError with every fault that was found: an unknown key, a missing
// or empty text, an empty list, a duplicate id, a reference to nothing, or two
// statements that can't both hold.
func LoadCatalogue(file string, b []byte) (*Catalogue, error) {
	l := &loader{file: file, lines: map[string]int{}}
	dec := yaml.NewDecoder(bytes.NewReader(b))
	var doc, second yaml.Node
	if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
		l.fault("", 1, "the file is empty")
		return nil, &CatalogueError{l.faults}
	} else if err != nil {
		return nil, l.yamlError(err)
	}
	if err := dec.Decode(&second); err == nil {
		l.fault("", second.Line, "one document only")
	} else if !errors.Is(err, io.EOF) {
		return nil, l.yamlError(err)
	}
	c := &Catalogue{source: bytes.Clone(b), hash: sha256.Sum256(b)}
	l.walk(doc.Content[0], reflect.TypeOf(*c), "")
	if len(l.faults) == 0 {
		if err := doc.Decode(c); err != nil {
			return nil, l.yamlError(err)
		}
		l.check(c)
	}
	if len(l.faults) > 0 {
		slices.SortStableFunc(l.faults, func(a, b CatalogueFault) int { return a.Line - b.Line })
		return nil, &CatalogueError{l.faults}
	}
	return c, nil
}

type loader struct {
	file   string
	lines  map[string]int
	faults []CatalogueFault
}

// fault notes what is wrong with a key; line 0 means where the key stands, or,
// if it is missing, the nearest block around it.
func (l *loader) fault(key string, line int, format string, args ...any) {
	for around := key; line == 0 && around != ""; around = around[:max(strings.LastIndexAny(around, ".["), 0)] {
		line = l.lines[around]
	}
	if key == "" {
		key = "(document)"
	}
	l.faults = append(l.faults, CatalogueFault{l.file, line, key, fmt.Sprintf(format, args...)})
}

// yamlError is an error of syntax. Its line is the one that the YAML parser
// names: where the broken construct begins, at times one line early.
func (l *loader) yamlError(err error) error {
	what, line := strings.TrimPrefix(err.Error(), "yaml: "), 1
	if number, rest, ok := strings.Cut(strings.TrimPrefix(what, "line "), ": "); ok {
		if n, err := strconv.Atoi(number); err == nil {
			what, line = rest, n
		}
	}
	l.fault("", line, "%s", what)
	return &CatalogueError{l.faults}
}

// walk compares the shape of a node with a type: keys, missing keys, empty texts
// and lists. A field with omitempty in its tag may be missing, never empty.
func (l *loader) walk(n *yaml.Node, t reflect.Type, path string) {
	l.lines[path] = n.Line
	if n.Kind == yaml.AliasNode {
		l.fault(path, n.Line, "aliases are not allowed")
		return
	}
	switch t.Kind() {
	case reflect.Struct:
		l.walkStruct(n, t, path)
	case reflect.Slice:
		if n.Kind != yaml.SequenceNode {
			l.fault(path, n.Line, "must be a list")
			return
		}
		if len(n.Content) == 0 {
			l.fault(path, n.Line, "the list is empty")
		}
		for i, item := range n.Content {
			l.walk(item, t.Elem(), fmt.Sprintf("%s[%d]", path, i))
		}
	case reflect.String:
		if n.Kind != yaml.ScalarNode || n.Tag == "!!null" || strings.TrimSpace(n.Value) == "" {
			l.fault(path, n.Line, "the text is missing")
		}
	default:
		if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
			l.fault(path, n.Line, "the value is missing")
		} else if n.Tag != scalarTags[t.Kind()] || n.Decode(reflect.New(t).Interface()) != nil {
			l.fault(path, n.Line, "%q is not of type %s", n.Value, t.Kind())
		}
	}
}

// scalarTags are the types that YAML must see in a value; its decoder alone
// would cut 36.5 down to 36.
var scalarTags = map[reflect.Kind]string{reflect.Int: "!!int", reflect.Bool: "!!bool"}

func (l *loader) walkStruct(n *yaml.Node, t reflect.Type, path string) {
	if n.Kind != yaml.MappingNode {
		l.fault(path, n.Line, "must have keys and values")
		return
	}
	type known struct {
		typ      reflect.Type
		optional bool
	}
	fields, order := map[string]known{}, []string{}
	for i := range t.NumField() {
		name, options, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ",")
		if name != "" {
			fields[name] = known{t.Field(i).Type, options == "omitempty"}
			order = append(order, name)
		}
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name := n.Content[i].Value
		key := join(path, name)
		f, ok := fields[name]
		switch {
		case !ok:
			l.fault(key, n.Content[i].Line, "unknown key")
		case seen[name]:
			l.fault(key, n.Content[i].Line, "the key stands twice")
		default:
			l.walk(n.Content[i+1], f.typ, key)
		}
		seen[name] = true
	}
	for _, name := range order {
		if !seen[name] && !fields[name].optional {
			l.fault(join(path, name), n.Line, "missing")
		}
	}
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// check looks at what the shape can't say: ids, references, contradictions.
func (l *loader) check(c *Catalogue) {
	if _, err := time.Parse(time.DateOnly, c.Version); err != nil {
		l.fault("version", 0, "must be a date as 2026-11-24")
	}
	if c.Ages.Least < 1 {
		l.fault("ages.least", 0, "must be above zero")
	}
	if c.Proof.Months < 1 {
		l.fault("proof.months", 0, "must be above zero")
	}
	sections := map[string]bool{}
	for i, s := range c.Sections {
		l.unique(sections, s.No, fmt.Sprintf("sections[%d].no", i))
	}
	c.areas, c.data = map[string]*Area{}, map[string]*DataCategory{}
	c.recipients, c.purposes = map[string]*Recipient{}, map[string]*Purpose{}
	for i := range c.Areas {
		index(l, c.areas, &c.Areas[i], c.Areas[i].ID, fmt.Sprintf("areas[%d].id", i))
	}
	for i := range c.Data {
		d, key := &c.Data[i], fmt.Sprintf("data[%d]", i)
		index(l, c.data, d, d.ID, key+".id")
		oneOf(l, key+".origin", d.Origin, Provided, Observed, Derived)
		oneOf(l, key+".sensitivity", d.Sensitivity, SensitivityLow, SensitivityMedium, SensitivityHigh)
		oneOf(l, key+".portability", d.Portability, PortabilityYes, PortabilityPart, PortabilityBasis, PortabilityNo)
		for j, s := range d.Sources {
			oneOf(l, fmt.Sprintf("%s.sources[%d]", key, j), s,
				"person", "login-provider", "device", "meter", "elhub", "efaktura", "partner", "company")
		}
	}
	for i := range c.Recipients {
		r, key := &c.Recipients[i], fmt.Sprintf("recipients[%d]", i)
		index(l, c.recipients, r, r.ID, key+".id")
		oneOf(l, key+".role", r.Role, RoleProcessor, RoleController, RoleJoint)
		oneOf(l, key+".policy_role", r.PolicyRole, "", RoleProcessor, RoleController)
		oneOf(l, key+".mode", r.Mode, ModeAPI, ModeDevice, ModeEDI, ModeManual, ModeUserLink, ModeNone)
		l.refer(c.knowsData, r.Gets, key+".gets")
		if r.Unnamed != (r.Name == "") || r.Unnamed != (r.Kind != (Text{})) {
			l.fault(key+".unnamed", 0, "a recipient has a name, or is unnamed and has a kind")
		}
		if r.OutsideEEA && r.Transfer == (Text{}) {
			l.fault(key+".transfer", 0, "missing: a recipient outside the EEA needs the ground of transfer (GDPR 13(1)(f))")
		}
		if !isCountry(r.Country) {
			l.fault(key+".country", 0, "must be two capital letters, or ?? where nobody says")
		}
	}
	c.inArea = map[string][]*Purpose{}
	for i := range c.Purposes {
		p, key := &c.Purposes[i], fmt.Sprintf("purposes[%d]", i)
		index(l, c.purposes, p, p.ID, key+".id")
		l.checkPurpose(c, p, key, sections)
		c.inArea[p.Area] = append(c.inArea[p.Area], p)
	}
	for i, a := range c.Areas {
		if c.inArea[a.ID] == nil {
			l.fault(fmt.Sprintf("areas[%d]", i), 0, "no purpose stands in area %q", a.ID)
		}
	}
}

func (c *Catalogue) knowsData(id string) bool      { return c.data[id] != nil }
func (c *Catalogue) knowsRecipient(id string) bool { return c.recipients[id] != nil }

func (l *loader) checkPurpose(c *Catalogue, p *Purpose, key string, sections map[string]bool) {
	if c.areas[p.Area] == nil {
		l.fault(key+".area", 0, "there is no area %q", p.Area)
	}
	if !sections[p.Section] {
		l.fault(key+".section", 0, "there is no section %q", p.Section)
	}
	oneOf(l, key+".page", p.Page, PageConsents, PageNotifications, PageAds, PageFamily, PageData)
	oneOf(l, key+".basis", p.Basis, BasisConsent, BasisContract, BasisLegalObligation, BasisLegitimateInterest)
	oneOf(l, key+".control", p.Control, ControlConsent, ControlObjection, ControlAbsolute, ControlNone)
	oneOf(l, key+".when", p.When, Always, WhenPaying, WhenFree)
	oneOf(l, key+".retention.rule", p.Retention.Rule, RetainAccount, RetainWithdrawn, RetainAccess, RetainAfterYear, RetainAfterClose,
		RetainAfterUse, RetainSession, RetainNothing, RetainRelation, RetainSettled, RetainUndecided, RetainSuppression, RetainRecipient)
	oneOf(l, key+".retention.on_stop", p.Retention.OnStop, OnStopDelete, OnStopKeep, OnStopNone)
	l.refer(c.knowsData, p.Data, key+".data")
	l.refer(c.knowsRecipient, p.Recipients, key+".recipients")
	switch p.Retention.Rule {
	case RetainAfterYear, RetainAfterClose, RetainAfterUse:
		if p.Retention.Months <= 0 {
			l.fault(key+".retention.months", 0, "missing: the rule %q counts months", p.Retention.Rule)
		}
	default:
		if p.Retention.Months != 0 {
			l.fault(key+".retention.months", 0, "the rule %q counts no months", p.Retention.Rule)
		}
	}
	if p.Revision < 1 || p.Material < 0 || p.Material > p.Revision {
		l.fault(key+".revision", 0, "revision counts from 1, and material is not above it")
	}
	// law: consent is the only control of a consent, and the other way round
	if (p.Basis == BasisConsent) != (p.Control == ControlConsent) {
		l.fault(key+".control", 0, "control %q does not fit basis %q", p.Control, p.Basis)
	}
	// law: GDPR 21(1): objection goes with legitimate interests
	if (p.Control == ControlObjection || p.Control == ControlAbsolute) && p.Basis != BasisLegitimateInterest {
		l.fault(key+".control", 0, "control %q needs basis f", p.Control)
	}
	if p.LegalClaims && p.Control != ControlObjection {
		l.fault(key+".legal_claims", 0, "goes with control objection only")
	}
	// a browser's no must have something to say no to
	if p.GPC && p.Control == ControlNone {
		l.fault(key+".gpc", 0, "needs a choice, and control none has none")
	}
	if p.AlsoObjection && p.Control != ControlConsent {
		l.fault(key+".also_objection", 0, "goes with control consent only")
	}
	for _, lang := range Languages {
		t, k := p.Texts.In(lang), key+".texts."+lang
		if p.Control == ControlNone && t.Reason == "" {
			l.fault(k+".reason", 0, "missing: without a switch the reason is shown")
		}
		if p.Control != ControlNone && (t.Off == "" || t.On == "") {
			l.fault(k+".off", 0, "missing: on and off say what follows a choice")
		}
	}
}

func (l *loader) unique(seen map[string]bool, id, key string) {
	if seen[id] {
		l.fault(key, 0, "%q stands twice", id)
	}
	seen[id] = true
}

func index[T any](l *loader, m map[string]*T, v *T, id, key string) {
	if m[id] != nil {
		l.fault(key, 0, "%q stands twice", id)
	}
	if !isID(id) {
		l.fault(key, 0, "%q is no id: lower-case letters, digits and hyphens", id)
	}
	m[id] = v
}

func isID(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-')
	}) < 0
}

func isCountry(s string) bool {
	return s == "??" || len(s) == 2 && s[0] >= 'A' && s[0] <= 'Z' && s[1] >= 'A' && s[1] <= 'Z'
}

func (l *loader) refer(known func(string) bool, ids []string, key string) {
	seen := map[string]bool{}
	for i, id := range ids {
		k := fmt.Sprintf("%s[%d]", key, i)
		if !known(id) {
			l.fault(k, 0, "there is no %q", id)
		}
		l.unique(seen, id, k)
	}
}

func oneOf[T comparable](l *loader, key string, v T, allowed ...T) {
	if !slices.Contains(allowed, v) {
		l.fault(key, 0, "%v is none of %v", v, allowed)
	}
}
