package privacy

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// small is a whole catalogue, as short as the rules allow. Each test breaks one
// thing in it.
const small = `version: "2026-11-24"
controller:
  name: Small AS
  short: Small
  org_no: "1"
  street: Gata 1
  postal: 0001 Oslo
  support: hei@example.com
  dpo: ombud@example.com
  authority:
    name: Tilsynet
    url: https://example.com
    street: Gata 2
    postal: 0002 Oslo
    phone: "2"
    email: post@example.com
ages:
  least: 13
proof:
  months: 36
sections:
  - no: "1.0"
    title: {nb: En, nn: Ein, en: One}
areas:
  - id: letters
    title: {nb: Brev, nn: Brev, en: Letters}
    lead: {nb: Alle brev., nn: Alle breva., en: All letters.}
data:
  - id: address
    title: {nb: Adresse, nn: Adressa, en: Address}
    examples: {nb: Gate., nn: Gata., en: Street.}
    sources: [person]
    origin: provided
    sensitivity: low
    portability: part
recipients:
  - id: post
    name: Posten
    country: "NO"
    policy_role: processor
    role: controller
    mode: manual
    does: {nb: Bringer brev., nn: Ber brev., en: Carries letters.}
    gets: [address]
  - id: printer
    unnamed: true
    kind: {nb: Trykkeri, nn: Prenteverk, en: Printer}
    country: "??"
    role: processor
    mode: none
    does: {nb: Trykker., nn: Prentar., en: Prints.}
purposes:
  - id: newsletter
    section: "1.0"
    area: letters
    page: consents
    basis: a
    control: consent
    data: [address]
    recipients: [post, printer]
    retention: {rule: withdrawn, on_stop: delete}
    also_objection: true
    gpc: true
    revision: 1
    texts:
      nb: {title: Brev, summary: Vi skriver., gain: brev., loss: ingen brev., off: Slutt., on: I gang., retention: Til nei.}
      nn: {title: Brev, summary: Vi skriv., gain: brevet., loss: ingen ting., off: Stopp., on: Vi er i gang., retention: Til du seier nei.}
      en: {title: Letters, summary: We write., gain: letters., loss: no letters., off: Over., on: Begun., retention: Until no.}
  - id: receipts
    section: "1.0"
    area: letters
    page: data
    basis: c
    control: none
    data: [address]
    retention: {rule: year-end, months: 60, on_stop: keep}
    revision: 2
    material: 1
    texts:
      nb: {title: Kvittering, summary: Vi lagrer., gain: bevis., loss: intet bevis., reason: Loven krever det., retention: Fem år.}
      nn: {title: Kvittering, summary: Vi lagrar., gain: prov., loss: ikkje prov., reason: Lova krev det., retention: I fem år.}
      en: {title: Receipt, summary: We store., gain: proof., loss: no proof., reason: The law says so., retention: Five years.}
  - id: advice
    section: "1.0"
    area: letters
    page: ads
    basis: f
    control: objection
    when: free
    data: [address]
    retention: {rule: withdrawn, on_stop: delete}
    legal_claims: true
    revision: 1
    texts:
      nb: {title: Råd, summary: Vi rår., gain: råd., loss: ingen råd., off: Stanset., on: På igjen., retention: Til nei.}
      nn: {title: Råd, summary: Vi rår deg., gain: eit råd., loss: inga råd., off: Stansa., on: På att., retention: Til du seier nei.}
      en: {title: Advice, summary: We advise., gain: advice., loss: no advice., off: Paused., on: On again., retention: Until no.}
`

func TestLoadSmall(t *testing.T) {
	c, err := LoadCatalogue("small.yaml", []byte(small))
	if err != nil {
		t.Fatal(err)
	}
	if string(c.Source()) != small || c.Hash().IsZero() {
		t.Error("the source or the hash is lost")
	}
	p, err := c.Purpose("newsletter")
	if err != nil || !p.AlsoObjection || !p.GPC || p.Texts.NN.Off != "Stopp." || len(c.In("letters")) != 3 {
		t.Errorf("newsletter is %+v, %v", p, err)
	}
	if got := c.Shown(p, English).Recipients; !slices.Equal(got, []string{"Posten", "Printer"}) {
		t.Errorf("recipients are shown as %v", got)
	}
	// one byte more is another catalogue
	other, err := LoadCatalogue("small.yaml", []byte(small+"\n"))
	if err != nil || other.Hash() == c.Hash() {
		t.Errorf("the hash does not follow the file: %v", err)
	}
}

// Every fault names file, line and key, and nothing is loaded.
func TestLoadRefuses(t *testing.T) {
	for name, broken := range map[string]struct {
		old, new string // in small, once
		at       string // the fault's line, by what stands on it
		key      string
		what     string
	}{
		"unknown key at the top":   {"proof:\n", "profs: 1\nproof:\n", "profs", "profs", "unknown key"},
		"unknown key in a purpose": {"    gpc: true\n", "    gcp: true\n", "gcp", "purposes[0].gcp", "unknown key"},
		"unknown key in a text":    {"off: Slutt.", "of: Slutt.", "of: Slutt.", "purposes[0].texts.nb.of", "unknown key"},
		"unknown language":         {"en: One}", "en: One, se: Okta}", "Okta", "sections[0].title.se", "unknown key"},
		"missing key":              {"    basis: c\n", "", "id: receipts", "purposes[1].basis", "missing"},
		"missing block":            {"ages:\n  least: 13\n", "", "version", "ages", "missing"},
		"missing language":         {", nn: Alle breva.", "", "Alle brev.", "areas[0].lead.nn", "missing"},
		"missing text":             {"gain: bevis., ", "", "Vi lagrer.", "purposes[1].texts.nb.gain", "missing"},
		"empty text":               {"summary: We write.", `summary: ""`, `summary: ""`, "purposes[0].texts.en.summary", "the text is missing"},
		"text of spaces":           {"summary: We write.", `summary: "  "`, `summary: "  "`, "purposes[0].texts.en.summary", "the text is missing"},
		"text of null":             {"name: Posten", "name: ~", "name: ~", "recipients[0].name", "the text is missing"},
		"list for a text":          {"name: Posten", "name: [Posten]", "name: [", "recipients[0].name", "the text is missing"},
		"empty optional text":      {"kind: {nb: Trykkeri", `kind: {nb: ""`, `kind: {nb: ""`, "recipients[1].kind.nb", "the text is missing"},
		"empty list":               {"recipients: [post, printer]", "recipients: []", "recipients: []", "purposes[0].recipients", "the list is empty"},
		"empty list of purposes":   {small[strings.Index(small, "purposes:"):], "purposes: []\n", "purposes: []", "purposes", "the list is empty"},
		"text for a list":          {"sources: [person]", "sources: person", "sources: person", "data[0].sources", "must be a list"},
		"text for a block":         {"ages:\n  least: 13", "ages: 13", "ages: 13", "ages", "must have keys and values"},
		"key without value":        {"least: 13", "least:", "least:", "ages.least", "the value is missing"},
		"word for a number":        {"least: 13", "least: thirteen", "least: thirteen", "ages.least", `"thirteen" is not of type int`},
		"fraction for a number":    {"months: 36", "months: 36.5", "months: 36.5", "proof.months", `"36.5" is not of type int`},
		"word for yes or no":       {"gpc: true", "gpc: maybe", "gpc: maybe", "purposes[0].gpc", `"maybe" is not of type bool`},
		"duplicate key":            {"    basis: c\n", "    basis: c\n    basis: b\n", "basis: b", "purposes[1].basis", "the key stands twice"},
		"duplicate purpose":        {"id: receipts", "id: newsletter # again", "# again", "purposes[1].id", `"newsletter" stands twice`},
		"duplicate recipient":      {"id: printer", "id: post # again", "# again", "recipients[1].id", `"post" stands twice`},
		"duplicate in a list":      {"[post, printer]", "[post, printer, post]", "printer, post]", "purposes[0].recipients[2]", `"post" stands twice`},
		"duplicate section":        {"areas:\n", "  - no: \"1.0\" # again\n    title: {nb: To, nn: To, en: Two}\nareas:\n", "# again", "sections[1].no", `"1.0" stands twice`},
		"malformed id":             {"id: receipts", "id: Receipts", "id: Receipts", "purposes[1].id", "is no id"},
		"dangling area":            {"    area: letters\n    page: data", "    area: leters\n    page: data", "leters", "purposes[1].area", `there is no area "leters"`},
		"dangling section":         {"    section: \"1.0\"\n    area: letters\n    page: data", "    section: \"1\"\n    area: letters\n    page: data", `section: "1"`, "purposes[1].section", `there is no section "1"`},
		"dangling data":            {"    control: consent\n    data: [address]", "    control: consent\n    data: [adress]", "[adress]", "purposes[0].data[0]", `there is no "adress"`},
		"dangling data of another": {"gets: [address]", "gets: [adress]", "[adress]", "recipients[0].gets[0]", `there is no "adress"`},
		"dangling recipient":       {"[post, printer]", "[post, printers]", "printers]", "purposes[0].recipients[1]", `there is no "printers"`},
		"area without purposes":    {"data:\n  - id: address", "  - id: empty\n    title: {nb: a, nn: b, en: c}\n    lead: {nb: a, nn: b, en: c}\ndata:\n  - id: address", "id: empty", "areas[1]", `no purpose stands in area "empty"`},
		"unknown basis":            {"basis: c", "basis: e", "basis: e", "purposes[1].basis", "e is none of"},
		"unknown control":          {"control: objection", "control: maybe", "control: maybe", "purposes[2].control", "maybe is none of"},
		"unknown page":             {"page: ads", "page: advert", "page: advert", "purposes[2].page", "advert is none of"},
		"unknown condition":        {"when: free", "when: rich", "when: rich", "purposes[2].when", "rich is none of"},
		"unknown mode":             {"mode: manual", "mode: pigeon", "mode: pigeon", "recipients[0].mode", "pigeon is none of"},
		"unknown source":           {"sources: [person]", "sources: [rumour]", "rumour", "data[0].sources[0]", "rumour is none of"},
		"unknown retention":        {"rule: year-end", "rule: ever", "rule: ever", "purposes[1].retention.rule", "ever is none of"},
		"unknown outcome of no":    {"on_stop: keep", "on_stop: hide", "on_stop: hide", "purposes[1].retention.on_stop", "hide is none of"},
		"rule without its months":  {"{rule: year-end, months: 60, on_stop: keep}", "{rule: year-end, on_stop: keep}", "rule: year-end", "purposes[1].retention.months", "counts months"},
		"months without a rule":    {"{rule: withdrawn, on_stop: delete}\n    also", "{rule: withdrawn, months: 3, on_stop: delete}\n    also", "months: 3,", "purposes[0].retention.months", "counts no months"},
		"consent without control":  {"control: consent", "control: none # here", "# here", "purposes[0].control", `control "none" does not fit basis "a"`},
		"control without consent":  {"basis: a\n    control: consent", "basis: f\n    control: consent # here", "# here", "purposes[0].control", `control "consent" does not fit basis "f"`},
		"objection to a duty":      {"    control: none", "    control: objection # here", "# here", "purposes[1].control", `control "objection" needs basis f`},
		"absolute in a contract":   {"    basis: c\n    control: none", "    basis: b\n    control: absolute", "control: absolute", "purposes[1].control", `control "absolute" needs basis f`},
		"claims without objection": {"    control: objection", "    control: absolute", "legal_claims", "purposes[2].legal_claims", "goes with control objection only"},
		"objection beside none":    {"    revision: 2", "    also_objection: true # here\n    revision: 2", "# here", "purposes[1].also_objection", "goes with control consent only"},
		"browser's no without any": {"    revision: 2", "    gpc: true # here\n    revision: 2", "# here", "purposes[1].gpc", "control none has none"},
		"no reason":                {"reason: Lova krev det., ", "", "Vi lagrar.", "purposes[1].texts.nn.reason", "missing: without a switch"},
		"no word after no":         {"off: Over., ", "", "We write.", "purposes[0].texts.en.off", "missing: on and off"},
		"no word after yes":        {"on: På att., ", "", "Vi rår deg.", "purposes[2].texts.nn.off", "missing: on and off"},
		"revision of nothing":      {"revision: 2", "revision: 0", "revision: 0", "purposes[1].revision", "counts from 1"},
		"material after revision":  {"material: 1", "material: 3", "revision: 2", "purposes[1].revision", "material is not above it"},
		"version that is no date":  {`version: "2026-11-24"`, "version: newest", "newest", "version", "must be a date"},
		"age of nobody":            {"least: 13", "least: 0", "least: 0", "ages.least", "must be above zero"},
		"proof for no time":        {"months: 36", "months: -1", "months: -1", "proof.months", "must be above zero"},
		"country in words":         {`country: "NO"`, "country: Norge", "Norge", "recipients[0].country", "must be two capital letters"},
		"USA without ground":       {"    country: \"NO\"\n", "    country: US\n    outside_eea: true\n", "id: post", "recipients[0].transfer", "GDPR 13(1)(f)"},
		"recipient without a name": {"    name: Posten\n", "", "id: post", "recipients[0].unnamed", "has a name, or is unnamed"},
		"unnamed with a name":      {"    unnamed: true\n", "    unnamed: true\n    name: Trykk AS\n", "unnamed: true", "recipients[1].unnamed", "has a name, or is unnamed"},
		"alias":                    {"data: [address]\n    retention: {rule: year-end", "data: &d [address]\n    recipients: *d\n    retention: {rule: year-end", "*d", "purposes[1].recipients", "aliases are not allowed"},
		"two documents":            {"  - id: receipts", "---\n  - id: receipts", "---", "(document)", "one document only"},
		"syntax":                   {"    page: data", "    page: data: ads", "page: data: ads", "(document)", "mapping values are not allowed"},
		"syntax further down":      {"  - id: receipts", "---\na: {", "a: {", "(document)", "did not find"},
		"syntax of indentation":    {"    page: data", "\tpage: data", "\tpage: data", "(document)", "tab character"},
	} {
		t.Run(name, func(t *testing.T) {
			if n := strings.Count(small, broken.old); n != 1 {
				t.Fatalf("%q stands %d times in the small catalogue", broken.old, n)
			}
			src := strings.Replace(small, broken.old, broken.new, 1)
			if strings.Count(src, broken.at) != 1 {
				t.Fatalf("%q stands %d times in the broken catalogue", broken.at, strings.Count(src, broken.at))
			}
			c, err := LoadCatalogue("small.yaml", []byte(src))
			if c != nil {
				t.Error("something was loaded")
			}
			var faults *CatalogueError
			if !errors.As(err, &faults) {
				t.Fatalf("err = %v, want a *CatalogueError", err)
			}
			at := src[:strings.Index(src, broken.at)+len(broken.at)]
			line := strings.Count(at, "\n") + 1
			for _, f := range faults.Faults {
				// the YAML parser names a line one early at times
				near := f.Line == line || strings.HasPrefix(name, "syntax") && f.Line == line-1
				if f.File == "small.yaml" && near && f.Key == broken.key && strings.Contains(f.What, broken.what) {
					return
				}
			}
			t.Errorf("want small.yaml:%d: %s: …%s…, got\n%v", line, broken.key, broken.what, err)
		})
	}
}

func TestLoadNamesEveryFault(t *testing.T) {
	src := strings.Replace(small, "mode: manual", "mode: pigeon", 1)
	src = strings.Replace(src, "[post, printer]", "[post, nobody]", 1)
	src = strings.Replace(src, "basis: c", "basis: e", 1)
	_, err := LoadCatalogue("small.yaml", []byte(src))
	var faults *CatalogueError
	if !errors.As(err, &faults) || len(faults.Faults) != 3 {
		t.Fatalf("err = %v, want three faults", err)
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != 3 || !strings.HasPrefix(lines[0], "small.yaml:") || !slices.IsSortedFunc(faults.Faults, func(a, b CatalogueFault) int { return a.Line - b.Line }) {
		t.Errorf("the faults are not listed by line:\n%v", err)
	}
}

func TestLoadEmptyFile(t *testing.T) {
	for _, src := range []string{"", "\n\n", "# nothing\n", "~\n", "just words\n", "[]\n"} {
		c, err := LoadCatalogue("small.yaml", []byte(src))
		var faults *CatalogueError
		if c != nil || !errors.As(err, &faults) {
			t.Errorf("%q: loaded %v, err = %v", src, c, err)
			continue
		}
		if f := faults.Faults[0]; f.File != "small.yaml" || f.Line < 1 || f.Key != "(document)" {
			t.Errorf("%q: fault is %v", src, f)
		}
	}
}
