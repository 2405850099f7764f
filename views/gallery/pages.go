package gallery

import (
	"context"

	"github.com/a-h/templ"

	"elekt.no/innsyn/privacy"
	"elekt.no/innsyn/views"
)

func bankID(down bool) views.Login {
	return views.Login{Name: "BankID", URL: "/login/bankid", Unavailable: down}
}

func vipps() views.Login { return views.Login{Name: "Vipps", URL: "/login/vipps"} }

func outside(title, path string) views.Shell { return views.Shell{Title: title, Path: path} }

func front() []Page {
	page := views.Front{Shell: outside("", "/"), Logins: []views.Login{bankID(false), vipps()}, Other: []views.Login{{Name: "Google", URL: "/login/google"}, {Name: "Apple", URL: "/login/apple"}}}
	down := page
	down.Logins = []views.Login{bankID(true), vipps()}
	down.Notice = &views.Notice{Tone: views.ToneGood, Title: "Du er logget ut.", Text: "Vi har glemt økten din."}
	return []Page{
		{"front", func(context.Context) templ.Component { return views.FrontPage(page) }},
		{"front-down", func(context.Context) templ.Component { return views.FrontPage(down) }},
	}
}

func overview() []Page {
	page := views.Overview{
		Shell: inside("Oversikt", views.PlaceOverview, "/overview"),
		Attention: []views.Attention{
			{Icon: "clock", Tone: views.ToneWarn, Title: "«Personlige annonser» har ny tekst", Text: "Bruken er av til du svarer.", Action: "Les og svar", URL: "#a"},
			{Icon: "scales", Title: "Du har protestert på «Råd om boligen»", Text: "Bruken er stanset. Du får svar senest 18.\u00a0desember.", Action: "Følg saken", URL: "#b"},
			{Icon: "refresh", Tone: views.ToneBad, Title: "Mailgun har ikke svart", Text: "Det gjelder «Nyhetsbrev». Vi prøver igjen, og du trenger ikke gjøre noe.", Action: "Se hvor det står", URL: "#c"},
			{Icon: "trash", Tone: views.ToneGood, Title: "«Fakturasjekk» er av", Text: "Det vi hentet, slettes i morgen kl.\u00a014.32.", Action: "Se valget", URL: "#d"},
		},
		Total: views.Counts{On: 9, Off: 14, Paused: 1, Renew: 1, Needed: 17},
		Areas: []views.AreaSummary{
			{ID: "account", Title: "Konto og innlogging", Counts: views.Counts{Needed: 4}},
			{ID: "meter", Title: "Strømforbruket ditt", Counts: views.Counts{On: 1, Needed: 4}},
			{ID: "invoices", Title: "Faktura", Counts: views.Counts{On: 2, Off: 2}},
			{ID: "home", Title: "Boligen din", Counts: views.Counts{On: 1, Paused: 1}},
			{ID: "app", Title: "Appen", Counts: views.Counts{On: 2, Off: 4, Needed: 1}},
			{ID: "ads", Title: "Annonser", Counts: views.Counts{Off: 5, Renew: 1}},
			{ID: "marketing", Title: "Markedsføring", Counts: views.Counts{On: 3, Off: 3}},
		},
		Right: views.RightToObject{
			Marketing: true, CSRF: "gallery",
			Purposes: []views.Link{{Text: "Råd etter bruken din", URL: "#x"}, {Text: "Logging av alder og kjønn", URL: "#y"}, {Text: "Kundestøtte", URL: "#z"}},
		},
	}
	fresh := page
	fresh.Shell.Visitor = &views.Visitor{CSRF: "gallery"}
	fresh.Attention, fresh.Right = nil, views.RightToObject{}
	fresh.Total, fresh.Areas = views.Counts{Off: 3, Needed: 1}, page.Areas[:2]
	embedded := page
	embedded.Embedded, embedded.Scheme = true, "dark"
	return []Page{
		{"overview", func(context.Context) templ.Component { return views.OverviewPage(page) }},
		{"overview-embedded", func(context.Context) templ.Component { return views.OverviewPage(embedded) }},
		{"overview-new", func(ctx context.Context) templ.Component {
			fresh.Notice = views.CustomerNotice(ctx, views.NoCustomer)
			return views.OverviewPage(fresh)
		}},
		{"overview-several", func(ctx context.Context) templ.Component {
			p := fresh
			p.Notice = views.CustomerNotice(ctx, views.CustomerSought)
			return views.OverviewPage(p)
		}},
	}
}

func consent() []Page {
	r := row("personalised-ads", "Personlige annonser", "Annonsene i appen velges ut fra deg.", "annonser som ligner mer på det du liker.", "ser du like mange annonser, og de er like for alle.", privacy.StateOff, privacy.ControlConsent)
	r.From, r.Area = "page", "ads"
	shown := &views.ShownText{
		Language: "nb", Title: "Personlige annonser", Summary: "Annonsene i appen velges ut fra deg.", Gain: "annonser som ligner mer på det du liker.", Loss: "ser du like mange annonser.",
		Facts: []views.Fact{{Label: "Grunnlag", Value: "Samtykke"}, {Label: "Går til", Value: "Google Ads, Meta, AppLovin"}, {Label: "Lagres", Value: "Til du slår av."}},
		Hash:  "5b1c0e3f6c0a8b7d9e2f4a6b8c0d1e2f3a4b5c6d7e8f90a1b2c3d4e5f6a7b8c9",
	}
	page := views.Consent{
		Shell: inside("Personlige annonser", views.PlaceConsents, "/consents/personalised-ads"), Row: r,
		Lead: "Av siden i dag kl.\u00a014.32. Annonsene i appen velges ikke lenger ut fra deg.",
		Board: &views.Board{
			Lead: "2 av 10 har bekreftet. Vi stanset bruken hos oss selv først, uansett hvor fort de andre svarer.",
			Lines: []views.BoardLine{
				{Name: "Elekt", Glyph: views.GlyphConfirmed, Word: "Stanset", Time: "14.32"},
				{Name: "Google Ads", Glyph: views.GlyphConfirmed, Time: "14.32", Text: "Annonse-ID-en din er tatt ut av alle lister."},
				{Name: "Meta", Glyph: views.GlyphReceived, Time: "14.33", Text: "Meta kan bruke inntil 24\u00a0timer på å fjerne deg."},
				{Name: "Google Firebase", Glyph: views.GlyphSent, Time: "14.33"},
				{Name: "Mailgun", Glyph: views.GlyphQueued, Text: "Sendes om et øyeblikk."},
				{Name: "AppLovin", Glyph: views.GlyphDevice, Text: "Bekreftes neste gang du åpner appen."},
				{Name: "Xandr", Glyph: views.GlyphFailed, Time: "14.35", Text: "Neste forsøk kl.\u00a015.05. Vi gir oss ikke, og du trenger ikke gjøre noe."},
				{Name: "AddApptr", Glyph: views.GlyphManual, Text: "AddApptr tar bare imot brev. En saksbehandler sender det innen fredag 27.\u00a0november."},
				{Name: "Kundo", Glyph: views.GlyphRefused, Time: "14.36", Text: "Kundo sier nei. En saksbehandler ser på det."},
				{Name: "Enode", Glyph: views.GlyphNotConnected, Text: "Vi er ikke koblet til Enode ennå, så dit er beskjeden ikke sendt."},
				{Name: "Sveve", Glyph: views.GlyphSuperseded, Text: "Du ombestemte deg før beskjeden ble sendt."},
			},
		},
		History: []views.Event{
			{When: "I dag kl.\u00a014.32, på nettsiden", Title: "Du slo av", Now: true, Shown: shown},
			{When: "3.\u00a0juni\u00a02026", Title: "Teksten ble endret", Text: "AppLovin kom til som mottaker. Du fikk spørsmål på nytt."},
			{When: "3.\u00a0juni\u00a02026 kl.\u00a008.15, i appen", Title: "Du slo på", On: true, Shown: shown},
			{When: "12.\u00a0januar\u00a02025 kl.\u00a019.40, i appen", Title: "Du sa nei"},
		},
		Brief: []views.Fact{
			{Label: "Grunnlag", Value: "Samtykke"}, {Label: "Vi brukte", Value: "Annonse-ID, bruk av appen, navn"},
			{Label: "Utenfor EØS", Value: "Google, Meta, AppLovin og Xandr er i USA"}, {Label: "Lagret", Value: "Slettes hos oss i natt"},
		},
	}
	never := page
	never.Board, never.History = nil, nil
	never.Lead = "Av. Du har ikke sagt ja til dette."
	paused := never
	paused.Row = row("home-breakdown", "Råd om boligen", "Eliq i Sverige anslår hva som bruker strøm hjemme hos deg.", "", "", privacy.StatePaused, privacy.ControlObjection)
	paused.Row.From, paused.Row.Objection = "page", &views.Objection{Made: "18.\u00a0november", Due: "18.\u00a0desember", DaysGone: 5, DaysTotal: 30}
	paused.Lead = ""
	return []Page{
		{"consent", func(context.Context) templ.Component { return views.ConsentPage(page) }},
		{"consent-never", func(context.Context) templ.Component { return views.ConsentPage(never) }},
		{"consent-paused", func(context.Context) templ.Component { return views.ConsentPage(paused) }},
	}
}

var controller = views.Controller{Name: "Elekt AS", OrgNo: "920\u00a0766\u00a0854", Address: "Vestre Kanalkai 24, 7010 Trondheim", Support: "hei@elekt.example", DPO: "personvernombud@elekt.example"}

func public() []Page {
	terms := invoiceRow().Terms
	notice := views.PrivacyNotice{
		Shell: outside("Personvernerklæring", "/privacy-notice"), Version: "24.\u00a0november\u00a02026", Controller: controller, Least: 13, Proof: "tre år",
		Sections: []views.NoticeSection{
			{No: "3.3", Title: "Analyse av strømavtale og visning av faktura", Purposes: []views.NoticePurpose{
				{ID: "invoice-check", Title: "Fakturasjekk", Summary: "Vi henter strømfakturaene dine fra eFaktura og ser etter feil.", Control: "Av til du sier ja. Du kan ombestemme deg når som helst.", Terms: terms},
				{ID: "contract-recommendation", Title: "Bedre strømavtale", Summary: "Vi regner ut om en annen strømavtale hadde vært billigere for deg.", Control: "Av til du sier ja.", Terms: terms},
			}},
			{No: "5.0", Title: "Markedsføring", Purposes: []views.NoticePurpose{
				{ID: "profiling-marketing", Title: "Markedsførings\u00adsegmentering", Summary: "Vi deler kunder i grupper etter forbruk og kjøp.", Control: "På til du sier nei. Da stanser vi med en gang.", Terms: terms},
			}},
		},
		Data: []views.NoticeData{
			{Title: "Navn og bilde", Examples: "Fornavn, etternavn og bildet du har lagt inn.", Source: "deg og innloggingen"},
			{Title: "Forbruk time for time", Examples: "Kilowattimer brukt og levert hver time. Det kan vise når noen er hjemme.", Source: "Elhub"},
		},
	}
	recipients := views.Recipients{Shell: outside("Hvem som får data", "/recipients"), List: []views.Recipient{
		{ID: "eliq", Name: "Eliq AB", Country: "SE", Role: privacy.RoleProcessor, Does: "Anslår hva som bruker strøm hjemme hos deg.", Gets: []string{"Måler og adresse", "Forbruk time for time", "Om boligen"}, For: []views.Link{{Text: "Råd om boligen", URL: "#1"}, {Text: "Været der du bor", URL: "#2"}}},
		{ID: "elhub", Name: "Elhub AS", Country: "NO", Role: privacy.RoleController, Does: "Har måleverdiene til alle strømkunder i Norge.", Gets: []string{"Fødselsnummer", "Måler og adresse"}, For: []views.Link{{Text: "Strømforbruket ditt", URL: "#1"}}},
		{ID: "meta", Name: "Meta Platforms, Inc.", Country: "US", OutsideEEA: true, Role: privacy.RoleJoint, Does: "Viser annonser og tar imot meldinger på Facebook.", Gets: []string{"Navn og bilde", "ID-er på telefonen"}, For: []views.Link{{Text: "Publikum i sosiale medier", URL: "#1"}}, Transfer: "EUs og USAs personvernrammeverk (DPF)."},
		{ID: "accountant", Name: "Regnskapsfører", Country: "??", Unnamed: true, Role: privacy.RoleProcessor, Does: "Fører regnskapet.", Gets: []string{"Kjøp og betaling"}, For: []views.Link{{Text: "Regnskap", URL: "#1"}}},
	}}
	contact := views.Contact{Shell: outside("Kontakt og klage", "/contact"), Controller: controller, Least: 13,
		Authority: views.Authority{Name: "Datatilsynet", URL: "https://www.datatilsynet.no", Address: "Postboks 458 Sentrum, 0105 Oslo", Phone: "22\u00a039\u00a069\u00a000", Email: "postkasse@datatilsynet.no"}}
	cookies := views.Cookies{Shell: outside("Informasjonskapsler her", "/cookies"),
		Session: views.Cookie{Name: "__Host-innsyn", Lasts: "Til du logger ut"}, Login: views.Cookie{Name: "__Host-innsyn-login", Lasts: "Ti minutter"}, Age: views.Cookie{Name: "__Host-innsyn-age", Lasts: "Ti minutter"}, Language: views.Cookie{Name: "innsyn-lang", Lasts: "Ett år"}}
	return []Page{
		{"notice", func(context.Context) templ.Component { return views.PrivacyNoticePage(notice) }},
		{"recipients", func(context.Context) templ.Component { return views.RecipientsPage(recipients) }},
		{"contact", func(context.Context) templ.Component { return views.ContactPage(contact) }},
		{"cookies", func(context.Context) templ.Component { return views.CookiesPage(cookies) }},
		{"notice-inside", func(context.Context) templ.Component {
			p := notice
			p.Shell = inside("Personvernerklæring", views.PlaceNotice, "/privacy-notice")
			return views.PrivacyNoticePage(p)
		}},
	}
}

func login() []Page {
	both := []views.Login{bankID(false), vipps()}
	fault := func(name string, f views.LoginFault) Page {
		f.Shell = outside("Innloggingen gikk ikke", "/login/bankid/callback")
		return Page{"login-" + name, func(context.Context) templ.Component { return views.LoginFaultPage(f) }}
	}
	return []Page{
		{"step-up", func(context.Context) templ.Component {
			return views.StepUpPage(views.StepUp{Shell: inside("Logg inn sikrere", views.PlaceNone, "/step-up"), What: "koble til kundeforholdet ditt", Level: privacy.AssuranceSubstantial, Logins: both, Kept: true, Back: "/overview"})
		}},
		{"step-up-fresh", func(context.Context) templ.Component {
			return views.StepUpPage(views.StepUp{Shell: inside("Bekreft", views.PlaceNone, "/step-up"), Level: privacy.AssuranceHigh, Fresh: true, Logins: []views.Login{bankID(true), vipps()}, Back: "/overview"})
		}},
		{"step-up-app", func(context.Context) templ.Component {
			s := inside("Logg inn sikrere", views.PlaceNone, "/step-up")
			s.Embedded = true
			return views.StepUpPage(views.StepUp{Shell: s, Level: privacy.AssuranceHigh, InApp: "elekt://step-up", Back: "/overview"})
		}},
		{"resume", func(context.Context) templ.Component {
			return views.ResumePage(views.Resume{Shell: inside("Fortsett", views.PlaceNone, "/resume"), Facts: []views.Fact{{Label: "Kundenummer", Value: "104271"}}, Action: "/customer", Fields: []views.Hidden{{Name: "number", Value: "104271"}}, CSRF: "gallery", Cancel: "/overview"})
		}},
		fault("cancelled", views.LoginFault{Kind: views.FaultCancelled, Provider: "BankID", Retry: "/login/bankid", Others: []views.Login{vipps()}}),
		fault("down", views.LoginFault{Kind: views.FaultDown, Provider: "BankID", Retry: "/login/bankid", Others: []views.Login{vipps()}, Checked: "14.32", Code: "innlogging-7"}),
		fault("expired", views.LoginFault{Kind: views.FaultExpired, Provider: "BankID", Retry: "/login/bankid", Others: []views.Login{vipps()}, Code: "state-used"}),
		fault("answer", views.LoginFault{Kind: views.FaultAnswer, Provider: "Vipps", Retry: "/login/vipps", Others: []views.Login{bankID(false)}, Code: "bad-nonce"}),
		fault("too-low", views.LoginFault{Kind: views.FaultTooLow, Provider: "Vipps", Retry: "/login/vipps", Others: []views.Login{bankID(true)}, Code: "too-low"}),
		fault("other", views.LoginFault{Kind: views.FaultOther, Provider: "BankID", Code: "other-person"}),
		{"under-13", func(context.Context) templ.Component {
			return views.Under13Page(views.Under13{Shell: outside("Du må være 13 år", "/"), Age: 13})
		}},
		{"age", func(context.Context) templ.Component {
			return views.AgePage(views.Age{Shell: outside("Har du fylt 13 år?", "/age"), Age: 13, CSRF: "gallery"})
		}},
	}
}

func account() []Page {
	customer := func(name string, c views.Customer) Page {
		c.Shell, c.CSRF = inside("Kundeforholdet ditt", views.PlaceCustomer, "/customer"), "gallery"
		return Page{"customer-" + name, func(context.Context) templ.Component { return views.CustomerPage(c) }}
	}
	logins := views.Logins{
		Shell: inside("Innlogginger og enheter", views.PlaceLogins, "/logins"), CSRF: "gallery",
		Notice: &views.Notice{Tone: views.ToneGood, Title: "Økten er avsluttet.", Text: "Den som var logget inn der, må logge inn på nytt."},
		Logins: []views.LoginLine{
			{ID: "1", Provider: "BankID", Level: "Sikrest. Når alt.", Since: "4.\u00a0mars\u00a02025", Last: "i dag kl.\u00a014.30", Current: true, CanEnd: true},
			{ID: "2", Provider: "Vipps", Level: "Sikker. Når nesten alt.", Since: "12.\u00a0januar\u00a02026", Last: "3.\u00a0juni kl.\u00a008.15", CanEnd: true},
		},
		Sessions: []views.SessionLine{
			{ID: "a", Device: "Firefox på Windows", With: "BankID", Started: "i dag kl.\u00a014.30", Seen: "nå", Current: true},
			{ID: "b", Device: "Elekt-appen på Pixel 8", Phone: true, With: "Vipps", Started: "fredag kl.\u00a008.15", Seen: "i går kl.\u00a019.40"},
		},
	}
	single := logins
	single.Notice, single.Sessions = nil, logins.Sessions[:1]
	single.Logins = []views.LoginLine{{ID: "1", Provider: "BankID", Level: "Sikrest. Når alt.", Since: "4.\u00a0mars\u00a02025", Last: "i dag kl.\u00a014.30", Current: true}}
	return []Page{
		{"logins", func(context.Context) templ.Component { return views.LoginsPage(logins) }},
		{"logins-one", func(context.Context) templ.Component { return views.LoginsPage(single) }},
		customer("number", views.Customer{Step: views.CustomerNumber}),
		customer("number-wrong", views.Customer{Step: views.CustomerNumber, Number: "10 42 x", Error: "Skriv kundenummeret slik det står på fakturaen."}),
		customer("code", views.Customer{Step: views.CustomerCode}),
		customer("code-wrong", views.Customer{Step: views.CustomerCode, Error: "Koden stemmer ikke. Sjekk de seks sifrene."}),
		customer("found", views.Customer{Step: views.CustomerFound, Record: []views.Fact{{Label: "Kundenummer", Value: "104271"}, {Label: "Abonnement", Value: "Elekt+"}, {Label: "Kunde siden", Value: "4.\u00a0mars\u00a02025"}}}),
		{"customer-sought", func(ctx context.Context) templ.Component {
			return views.CustomerPage(views.Customer{Shell: inside("Kundeforholdet ditt", views.PlaceCustomer, "/customer"), CSRF: "gallery", Step: views.CustomerNumber, Sought: true, Notice: views.CustomerNotice(ctx, views.CustomerSought)})
		}},
	}
}

func faults() []Page {
	var out []Page
	for _, k := range []privacy.ErrorKind{
		privacy.Internal, privacy.Invalid, privacy.Unauthenticated, privacy.StepUp, privacy.Forbidden, privacy.NotFound,
		privacy.Conflict, privacy.Gone, privacy.TooLarge, privacy.RateLimited, privacy.Unavailable,
	} {
		f := views.Fault{Shell: outside("Noe er i veien", "/"), Kind: k, Code: "4f1c-22"}
		if k == privacy.Unavailable || k == privacy.RateLimited {
			f.Retry = "/overview"
		}
		if k == privacy.NotFound || k == privacy.Conflict {
			f.Shell = inside("Noe er i veien", views.PlaceNone, "/")
		}
		out = append(out, Page{"fault-" + k.String(), func(context.Context) templ.Component { return views.FaultPage(f) }})
	}
	return out
}
