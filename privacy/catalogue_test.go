package privacy

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func embedded(t *testing.T) *Catalogue {
	t.Helper()
	c, err := LoadCatalogue("catalogue.yaml", EmbeddedCatalogue)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// settled is every purpose of the policy, after the decisions in
// docs/DIVERGENCES.md. law: GDPR 6(1), 7(3), 21
var settled = []struct {
	id      string
	section string
	area    string
	page    Page
	basis   Basis
	control Control
	rule    RetentionRule
	months  int
}{
	{"device-identification", "3.0", "account", PageData, BasisContract, ControlNone, RetainAccount, 0},
	{"user-profile", "3.1", "account", PageData, BasisContract, ControlNone, RetainAccount, 0},
	{"necessary-tech", "4.1", "account", PageConsents, BasisContract, ControlNone, RetainSession, 0},
	{"service-payment", "10.1", "account", PageData, BasisContract, ControlNone, RetainAfterYear, 60},
	{"elekt-plus", "3.6", "account", PageData, BasisContract, ControlNone, RetainAfterYear, 60},
	{"elekt-shop", "3.6", "account", PageData, BasisContract, ControlNone, RetainAfterYear, 60},
	{"meter-insight-elhub", "3.2", "meter", PageData, BasisContract, ControlNone, RetainAccess, 0},
	{"meter-insight-han", "3.2", "meter", PageData, BasisContract, ControlNone, RetainAccess, 0},
	{"energy-tips", "3.2", "meter", PageData, BasisContract, ControlNone, RetainAccess, 0},
	{"meter-error-alert", "3.2", "meter", PageNotifications, BasisContract, ControlNone, RetainAccess, 0},
	{"invoice-check", "3.3", "invoices", PageConsents, BasisConsent, ControlConsent, RetainWithdrawn, 0},
	{"invoice-display", "3.3", "invoices", PageConsents, BasisConsent, ControlConsent, RetainWithdrawn, 0},
	{"invoice-result-notice", "3.3", "invoices", PageNotifications, BasisConsent, ControlConsent, RetainWithdrawn, 0},
	{"invoice-error-alert", "3.2", "invoices", PageNotifications, BasisConsent, ControlConsent, RetainWithdrawn, 0},
	{"contract-recommendation", "3.2", "invoices", PageConsents, BasisConsent, ControlConsent, RetainWithdrawn, 0},
	{"home-breakdown", "3.2", "home", PageData, BasisLegitimateInterest, ControlObjection, RetainWithdrawn, 0},
	{"weather-location-analysis", "3.2", "home", PageData, BasisLegitimateInterest, ControlObjection, RetainWithdrawn, 0},
	{"smart-charging", "10.1", "charging", PageConsents, BasisContract, ControlNone, RetainAccess, 0},
	{"car-location", "10.1", "charging", PageConsents, BasisConsent, ControlConsent, RetainWithdrawn, 0},
	{"push-alerts", "3.5", "alerts", PageNotifications, BasisConsent, ControlConsent, RetainWithdrawn, 0},
	{"location-price-alerts", "3.5", "alerts", PageNotifications, BasisConsent, ControlConsent, RetainWithdrawn, 0},
	{"family-sharing", "3.4", "family", PageFamily, BasisConsent, ControlConsent, RetainWithdrawn, 0},
	{"functional-tech", "4.1", "app", PageConsents, BasisConsent, ControlConsent, RetainWithdrawn, 0},
	{"analytics", "4.1", "app", PageConsents, BasisConsent, ControlConsent, RetainRecipient, 0},
	{"crash-reporting", "4.1", "app", PageConsents, BasisConsent, ControlConsent, RetainRecipient, 0},
	{"demographic-usage-logging", "4.1", "app", PageConsents, BasisLegitimateInterest, ControlObjection, RetainWithdrawn, 0},
	{"profiling-advice", "4.3", "app", PageConsents, BasisLegitimateInterest, ControlObjection, RetainWithdrawn, 0},
	{"feedback", "3.7", "app", PageData, BasisLegitimateInterest, ControlObjection, RetainAfterClose, 12},
	{"cross-app-tracking", "4.1", "ads", PageAds, BasisConsent, ControlConsent, RetainWithdrawn, 0},
	{"marketing-tech", "4.1", "ads", PageAds, BasisConsent, ControlConsent, RetainWithdrawn, 0},
	{"personalised-ads", "4.2", "ads", PageAds, BasisConsent, ControlConsent, RetainWithdrawn, 0},
	{"contextual-ads", "4.2", "ads", PageAds, BasisLegitimateInterest, ControlObjection, RetainNothing, 0},
	{"social-custom-audiences", "5.0", "ads", PageAds, BasisConsent, ControlConsent, RetainWithdrawn, 0},
	{"lookalike-prospecting", "5.0", "ads", PageAds, BasisConsent, ControlConsent, RetainWithdrawn, 0},
	{"profiling-marketing", "4.3", "marketing", PageConsents, BasisLegitimateInterest, ControlAbsolute, RetainWithdrawn, 0},
	{"direct-marketing-customer", "5.0", "marketing", PageNotifications, BasisLegitimateInterest, ControlAbsolute, RetainSuppression, 0},
	{"direct-marketing-noncustomer", "5.0", "marketing", PageConsents, BasisConsent, ControlConsent, RetainSuppression, 0},
	{"newsletter", "5.1", "marketing", PageConsents, BasisConsent, ControlConsent, RetainWithdrawn, 0},
	{"interest-list", "5.1", "marketing", PageConsents, BasisConsent, ControlConsent, RetainWithdrawn, 0},
	{"partner-offers", "4.2", "marketing", PageNotifications, BasisConsent, ControlConsent, RetainWithdrawn, 0},
	{"service-messages", "5.2", "contact", PageNotifications, BasisContract, ControlNone, RetainRelation, 0},
	{"service-messages-free", "5.2", "contact", PageNotifications, BasisLegitimateInterest, ControlObjection, RetainRelation, 0},
	{"customer-support", "2.0", "contact", PageData, BasisLegitimateInterest, ControlObjection, RetainAfterClose, 24},
	{"social-media-replies", "6.0", "contact", PageData, BasisLegitimateInterest, ControlObjection, RetainAfterClose, 12},
	{"partner-contacts", "9.0", "contact", PageData, BasisLegitimateInterest, ControlObjection, RetainRelation, 0},
	{"debt-collection", "7.0", "law", PageData, BasisLegitimateInterest, ControlObjection, RetainSettled, 0},
	{"dispute-retention", "11.1", "law", PageData, BasisLegitimateInterest, ControlObjection, RetainSettled, 0},
	{"accounting-retention", "11.1", "law", PageData, BasisLegalObligation, ControlNone, RetainAfterYear, 60},
	{"aml-retention", "11.1", "law", PageData, BasisLegalObligation, ControlNone, RetainAfterClose, 60},
	{"business-transfer", "10.0", "law", PageData, BasisLegitimateInterest, ControlNone, RetainNothing, 0},
	{"rights-handling", "11.0", "law", PageData, BasisLegalObligation, ControlNone, RetainAfterClose, 36},
}

func TestCatalogueHasEveryPurpose(t *testing.T) {
	c := embedded(t)
	if len(c.Purposes) != len(settled) {
		t.Errorf("%d purposes, want %d", len(c.Purposes), len(settled))
	}
	for _, want := range settled {
		p, err := c.Purpose(want.id)
		if err != nil {
			t.Errorf("%s: %v", want.id, err)
			continue
		}
		got := want
		got.section, got.area, got.page, got.basis, got.control = p.Section, p.Area, p.Page, p.Basis, p.Control
		got.rule, got.months = p.Retention.Rule, p.Retention.Months
		if got != want {
			t.Errorf("%s is\n%+v, want\n%+v", want.id, got, want)
		}
	}
}

func TestCatalogueFlags(t *testing.T) {
	flags := map[string][]string{}
	note := func(flag string, p *Purpose, on bool) {
		if on {
			flags[flag] = append(flags[flag], p.ID)
		}
	}
	c := embedded(t)
	for i := range c.Purposes {
		p := &c.Purposes[i]
		note("paying", p, p.When == WhenPaying)
		note("free", p, p.When == WhenFree)
		note("legal_claims", p, p.LegalClaims)
		note("also_objection", p, p.AlsoObjection)
		note("gpc", p, p.GPC)
		note("dormant", p, p.Dormant)
	}
	want := map[string][]string{
		"paying":       {"service-messages"},
		"free":         {"contextual-ads", "service-messages-free"},
		"legal_claims": {"debt-collection", "dispute-retention"},
		"also_objection": {"direct-marketing-noncustomer", "interest-list", "lookalike-prospecting", "newsletter",
			"partner-offers", "social-custom-audiences"},
		"gpc": {"cross-app-tracking", "lookalike-prospecting", "marketing-tech", "personalised-ads",
			"profiling-marketing", "social-custom-audiences"},
		"dormant": {"aml-retention", "business-transfer"},
	}
	for flag := range flags {
		slices.Sort(flags[flag])
	}
	if !maps.EqualFunc(flags, want, slices.Equal) {
		t.Errorf("flags are\n%v, want\n%v", flags, want)
	}
}

func TestCatalogueHasEveryCategory(t *testing.T) {
	c := embedded(t)
	want := map[string]struct {
		sensitivity Sensitivity
		portability Portability
	}{
		"identity":              {SensitivityMedium, PortabilityYes},
		"national-id":           {SensitivityHigh, PortabilityYes},
		"contact":               {SensitivityMedium, PortabilityYes},
		"account-ids":           {SensitivityMedium, PortabilityPart},
		"device-ids":            {SensitivityMedium, PortabilityBasis},
		"network-device-info":   {SensitivityMedium, PortabilityBasis},
		"metering-point":        {SensitivityMedium, PortabilityYes},
		"consumption-hourly":    {SensitivityHigh, PortabilityYes},
		"han-realtime":          {SensitivityHigh, PortabilityYes},
		"household-profile":     {SensitivityMedium, PortabilityYes},
		"breakdown-results":     {SensitivityMedium, PortabilityNo},
		"invoices-fetched":      {SensitivityHigh, PortabilityYes},
		"invoice-analysis":      {SensitivityMedium, PortabilityNo},
		"family-shares":         {SensitivityMedium, PortabilityPart},
		"locations":             {SensitivityHigh, PortabilityYes},
		"ev-charging":           {SensitivityMedium, PortabilityYes},
		"notification-settings": {SensitivityLow, PortabilityYes},
		"consent-ledger":        {SensitivityLow, PortabilityYes},
		"usage-events":          {SensitivityMedium, PortabilityBasis},
		"demographics":          {SensitivityMedium, PortabilityPart},
		"segments":              {SensitivityMedium, PortabilityNo},
		"ad-data":               {SensitivityMedium, PortabilityBasis},
		"orders-payments":       {SensitivityMedium, PortabilityYes},
		"support-dialogue":      {SensitivityMedium, PortabilityPart},
		"debt-case":             {SensitivityHigh, PortabilityNo},
		"b2b-contact":           {SensitivityLow, PortabilityNo},
		"request-log":           {SensitivityLow, PortabilityNo},
	}
	if len(c.Data) != len(want) {
		t.Errorf("%d categories, want %d", len(c.Data), len(want))
	}
	for id, w := range want {
		d := c.Category(id)
		if d == nil {
			t.Errorf("no category %q", id)
			continue
		}
		if d.Sensitivity != w.sensitivity || d.Portability != w.portability {
			t.Errorf("%s is %s, %s; want %s, %s", id, d.Sensitivity, d.Portability, w.sensitivity, w.portability)
		}
		// law: GDPR 20(1): what was inferred is not portable
		if d.Origin == Derived && d.Portability != PortabilityNo {
			t.Errorf("%s is derived, and yet portable", id)
		}
	}
}

func TestCatalogueHasEveryRecipient(t *testing.T) {
	c := embedded(t)
	want := map[string]struct {
		name    string // empty: the policy names none
		country string
		policy  RecipientRole // empty: not in the policy's tables
		role    RecipientRole
		mode    RecipientMode
	}{
		"eliq":             {"Eliq", "SE", RoleProcessor, RoleProcessor, ModeAPI},
		"elhub":            {"Elhub", "NO", RoleProcessor, RoleController, ModeEDI},
		"aiia":             {"Aiia", "DK", RoleProcessor, RoleController, ModeAPI},
		"enode":            {"Enode", "NO", RoleProcessor, RoleProcessor, ModeAPI},
		"meta":             {"Meta", "US", RoleProcessor, RoleJoint, ModeAPI},
		"google-analytics": {"Google Analytics", "US", RoleProcessor, RoleProcessor, ModeAPI},
		"firebase":         {"Google Firebase", "US", RoleProcessor, RoleProcessor, ModeAPI},
		"fcm":              {"Firebase Cloud Messaging", "US", RoleProcessor, RoleProcessor, ModeAPI},
		"google-ads":       {"Google Ads", "US", RoleProcessor, RoleController, ModeAPI},
		"admob":            {"Google AdMob", "US", RoleProcessor, RoleController, ModeDevice},
		"addapptr":         {"AddApptr", "DE", RoleProcessor, RoleJoint, ModeDevice},
		"xandr":            {"Xandr", "US", "", RoleController, ModeManual},
		"applovin":         {"AppLovin", "US", "", RoleController, ModeDevice},
		"azure":            {"Microsoft Azure", "??", RoleProcessor, RoleProcessor, ModeAPI},
		"sveve":            {"Sveve", "NO", RoleProcessor, RoleProcessor, ModeManual},
		"kundo":            {"Kundo", "SE", RoleProcessor, RoleProcessor, ModeManual},
		"mailgun":          {"Mailgun", "US", RoleProcessor, RoleProcessor, ModeAPI},
		"kredinor":         {"Kredinor", "NO", RoleController, RoleController, ModeManual},
		"google-login":     {"Google", "US", "", RoleController, ModeAPI},
		"apple-login":      {"Apple", "US", "", RoleController, ModeAPI},
		"vipps":            {"Vipps", "NO", "", RoleController, ModeUserLink},
		"bankid":           {"BankID", "NO", "", RoleController, ModeNone},
		"efaktura":         {"eFaktura", "NO", "", RoleController, ModeManual},
		"google-play":      {"Google Play", "US", "", RoleController, ModeAPI},
		"app-store":        {"App Store", "US", "", RoleController, ModeUserLink},
		"credit-rating":    {"", "??", "", RoleController, ModeManual},
		"shop-payment":     {"", "??", "", RoleController, ModeManual},
		"shop-delivery":    {"", "??", "", RoleController, ModeManual},
		"accountant":       {"", "??", "", RoleProcessor, ModeManual},
		"counsel":          {"", "??", "", RoleController, ModeManual},
		"family-member":    {"", "??", "", RoleController, ModeNone},
		"acquirer":         {"", "??", "", RoleController, ModeNone},
	}
	if len(c.Recipients) != len(want) {
		t.Errorf("%d recipients, want %d", len(c.Recipients), len(want))
	}
	for id, w := range want {
		r := c.Recipient(id)
		if r == nil {
			t.Errorf("no recipient %q", id)
			continue
		}
		if r.Name != w.name || r.Country != w.country || r.PolicyRole != w.policy || r.Role != w.role || r.Mode != w.mode {
			t.Errorf("%s is %+v, want %+v", id, *r, w)
		}
		if r.OutsideEEA != (r.Country == "US") {
			t.Errorf("%s in %s: outside the EEA is %v", id, r.Country, r.OutsideEEA)
		}
		// only what the policy's tables hold has a list of data there
		if (len(r.Gets) > 0) != (r.PolicyRole != "") {
			t.Errorf("%s: role in the policy %q, data in the policy %v", id, r.PolicyRole, r.Gets)
		}
		for _, lang := range Languages {
			if strings.TrimSpace(r.NameIn(lang)) == "" {
				t.Errorf("%s has no name in %s", id, lang)
			}
		}
	}
}

// Everything described is used: nothing stands on the pages that no purpose explains.
func TestCatalogueUsesWhatItDescribes(t *testing.T) {
	c := embedded(t)
	data, recipients := map[string]bool{}, map[string]bool{}
	for _, p := range c.Purposes {
		if p.ID == "business-transfer" { // names everything
			recipients["acquirer"] = true
			continue
		}
		for _, id := range p.Data {
			data[id] = true
		}
		for _, id := range p.Recipients {
			recipients[id] = true
		}
	}
	for _, d := range c.Data {
		if !data[d.ID] {
			t.Errorf("no purpose uses %s", d.ID)
		}
	}
	for _, r := range c.Recipients {
		if !recipients[r.ID] {
			t.Errorf("no purpose sends to %s", r.ID)
		}
	}
}

// lix is Björnsson's measure of how hard a text is to read: words a sentence
// plus the percentage of words longer than six letters. Under 40 is easy prose.
func lix(text string) float64 {
	text = strings.ReplaceAll(text, "\u00ad", "")
	sentences := 0
	for _, r := range text {
		if r == '.' || r == ':' || r == '?' {
			sentences++
		}
	}
	words, long := 0, 0
	for _, w := range strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '-' && r != '+' }) {
		words++
		if utf8.RuneCountInString(strings.ReplaceAll(w, "-", "")) > 6 {
			long++
		}
	}
	if words == 0 {
		return 0
	}
	return float64(words)/float64(max(sentences, 1)) + 100*float64(long)/float64(words)
}

func TestLIX(t *testing.T) {
	// ten words, one sentence, two long words
	if got := lix("Vi henter strømfakturaene dine fra eFaktura og ser etter feil."); got != 10+20 {
		t.Errorf("lix is %v, want 30", got)
	}
	if got := lix("Kort. Også kort."); got != 1.5 {
		t.Errorf("lix is %v, want 1.5", got)
	}
}

func TestSummariesAreEasyToRead(t *testing.T) {
	for _, p := range embedded(t).Purposes {
		if n := lix(p.Texts.NB.Summary); n > 40 {
			t.Errorf("%s: LIX %.1f: %s", p.ID, n, p.Texts.NB.Summary)
		}
	}
}

func TestNynorskIsItsOwnText(t *testing.T) {
	for _, p := range embedded(t).Purposes {
		nb, nn := p.Texts.NB, p.Texts.NN
		for field, pair := range map[string][2]string{
			"summary": {nb.Summary, nn.Summary}, "gain": {nb.Gain, nn.Gain}, "loss": {nb.Loss, nn.Loss},
			"retention": {nb.Retention, nn.Retention}, "off": {nb.Off, nn.Off}, "on": {nb.On, nn.On}, "reason": {nb.Reason, nn.Reason},
		} {
			if pair[0] != "" && pair[0] == pair[1] {
				t.Errorf("%s.%s is the same in nynorsk: %s", p.ID, field, pair[0])
			}
		}
	}
}

// bokmalOnly are words that don't exist in nynorsk; nynorskOnly the other way
// round. A slip of the pen shows here.
var (
	bokmalOnly  = []string{"ikke", "hva", "hvor", "hvem", "hvilken", "hvilke", "hvordan", "jeg", "noe", "noen", "fra", "være", "sletter", "slettes", "henter", "sender", "vises", "mer", "hjemme", "også", "adressen"}
	nynorskOnly = []string{"ikkje", "kva", "kvar", "kven", "kvifor", "korleis", "noko", "nokon", "frå", "vere", "slettar", "hentar", "òg", "heime", "meir", "saman", "dei", "ein", "éin", "eit"}
)

func TestTextsKeepToTheirLanguage(t *testing.T) {
	same := map[string]bool{"sender": true} // "vi sender" is nynorsk too
	for key, text := range allTexts(embedded(t)) {
		for lang, wrong := range map[string][]string{Bokmal: nynorskOnly, Nynorsk: bokmalOnly} {
			words := strings.FieldsFunc(strings.ToLower(text.In(lang)), func(r rune) bool { return !unicode.IsLetter(r) })
			for _, w := range wrong {
				if slices.Contains(words, w) && !same[w] {
					t.Errorf("%s.%s: %q in %q", key, lang, w, text.In(lang))
				}
			}
		}
	}
}

// allTexts is every text for people, by its key.
func allTexts(c *Catalogue) map[string]Text {
	all := map[string]Text{}
	for _, s := range c.Sections {
		all["section "+s.No] = s.Title
	}
	for _, a := range c.Areas {
		all["area "+a.ID], all["area "+a.ID+".lead"] = a.Title, a.Lead
	}
	for _, d := range c.Data {
		all["data "+d.ID], all["data "+d.ID+".examples"] = d.Title, d.Examples
	}
	for _, r := range c.Recipients {
		all["recipient "+r.ID], all["recipient "+r.ID+".kind"], all["recipient "+r.ID+".transfer"] = r.Does, r.Kind, r.Transfer
	}
	for _, p := range c.Purposes {
		t := p.Texts
		for field, of := range map[string]func(PurposeText) string{
			"title": func(t PurposeText) string { return t.Title }, "summary": func(t PurposeText) string { return t.Summary },
			"gain": func(t PurposeText) string { return t.Gain }, "loss": func(t PurposeText) string { return t.Loss },
			"off": func(t PurposeText) string { return t.Off }, "on": func(t PurposeText) string { return t.On },
			"reason": func(t PurposeText) string { return t.Reason }, "retention": func(t PurposeText) string { return t.Retention },
		} {
			all[p.ID+"."+field] = Text{NB: of(t.NB), NN: of(t.NN), EN: of(t.EN)}
		}
	}
	return all
}

func TestTextsAreWellFormed(t *testing.T) {
	c := embedded(t)
	for key, text := range allTexts(c) {
		for _, lang := range Languages {
			s := text.In(lang)
			if strings.TrimSpace(s) != s || strings.Contains(s, "  ") || strings.ContainsAny(s, "!\n\t\"") {
				t.Errorf("%s.%s has stray space, a mark or a shout: %q", key, lang, s)
			}
			if strings.Contains(s, " \u00a0") || strings.Contains(s, "§ ") {
				t.Errorf("%s.%s: space before or after a paragraph or number must not break: %q", key, lang, s)
			}
		}
	}
	for _, p := range c.Purposes {
		for _, lang := range Languages {
			x := p.Texts.In(lang)
			where := p.ID + "." + lang
			limit := func(field, s string, n int) {
				if got := utf8.RuneCountInString(strings.ReplaceAll(s, "\u00ad", "")); got > n {
					t.Errorf("%s.%s has %d characters, at most %d: %s", where, field, got, n, s)
				}
			}
			limit("title", x.Title, 32)
			limit("summary", x.Summary, 200)
			limit("gain", x.Gain, 120)
			limit("loss", x.Loss, 120)
			limit("off", x.Off, 160)
			limit("on", x.On, 160)
			limit("reason", x.Reason, 200)
			limit("retention", x.Retention, 200)
			if strings.HasSuffix(x.Title, ".") {
				t.Errorf("%s: the title is no sentence: %s", where, x.Title)
			}
			for field, s := range map[string]string{"summary": x.Summary, "gain": x.Gain, "loss": x.Loss, "off": x.Off, "on": x.On,
				"reason": x.Reason, "retention": x.Retention} {
				if s != "" && !strings.HasSuffix(s, ".") {
					t.Errorf("%s.%s does not end with a full stop: %s", where, field, s)
				}
			}
			// they go on from "Du får" and "Uten dette", so no capital but a name's
			for field, s := range map[string]string{"gain": x.Gain, "loss": x.Loss} {
				first, _, _ := strings.Cut(s, " ")
				if r, _ := utf8.DecodeRuneInString(s); unicode.IsUpper(r) && !slices.Contains([]string{"Elekt", "Elekt+", "Eliq"}, first) {
					t.Errorf("%s.%s goes on from other words: %s", where, field, s)
				}
			}
			if (p.Control == ControlNone) != (x.Reason != "") || (p.Control == ControlNone) != (x.On == "") || (x.On == "") != (x.Off == "") {
				t.Errorf("%s: a switch has off and on, no switch has a reason", where)
			}
		}
	}
}

func TestTitlesDiffer(t *testing.T) {
	for _, lang := range Languages {
		seen := map[string]string{}
		for _, p := range embedded(t).Purposes {
			title := p.Texts.In(lang).Title
			if other, ok := seen[title]; ok {
				t.Errorf("%s and %s are both %q in %s", other, p.ID, title, lang)
			}
			seen[title] = p.ID
		}
	}
}

// law: GDPR 5(1)(e), 17(1)(b): a consent that ends deletes what rested on it
// alone, unless nothing did.
func TestConsentsDeleteWhenWithdrawn(t *testing.T) {
	for _, p := range embedded(t).Purposes {
		if p.Control != ControlConsent {
			continue
		}
		keeps := p.ID == "invoice-result-notice" // uses contact details of the profile, stores nothing of its own
		if (p.Retention.OnStop == OnStopKeep) != keeps || p.Retention.OnStop == OnStopNone {
			t.Errorf("%s: on_stop is %s", p.ID, p.Retention.OnStop)
		}
	}
}

func TestCatalogueController(t *testing.T) {
	c := embedded(t)
	if c.Controller.OrgNo != "920 766 854" || c.Controller.DPO != "personvernombud@elekt.no" || c.Ages.Least != 13 || c.Proof.Months != 36 {
		t.Errorf("controller %+v, ages %+v, proof %+v", c.Controller, c.Ages, c.Proof)
	}
	var got []string
	for _, s := range c.Sections {
		got = append(got, s.No)
	}
	want := strings.Fields("1.0 2.0 3.0 3.1 3.2 3.3 3.4 3.5 3.6 3.7 4.0 4.1 4.2 4.3 5.0 5.1 5.2 6.0 7.0 8.0 9.0 10.0 10.1 11.0 11.1 12.0")
	if !slices.Equal(got, want) {
		t.Errorf("sections are %v, want %v", got, want)
	}
}
