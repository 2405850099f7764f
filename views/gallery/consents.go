package gallery

import (
	"context"

	"github.com/a-h/templ"

	"elekt.no/innsyn/privacy"
	"elekt.no/innsyn/views"
)

func consents() []Page {
	return []Page{
		{"consents", func(ctx context.Context) templ.Component { return views.ConsentsPage(consentsPage(false)) }},
		{"consents-open", func(ctx context.Context) templ.Component { return views.ConsentsPage(consentsPage(true)) }},
		{"consents-embedded", func(ctx context.Context) templ.Component {
			p := consentsPage(true)
			p.Embedded = true
			return views.ConsentsPage(p)
		}},
		{"consents-states", func(ctx context.Context) templ.Component { return views.ConsentsPage(consentStates()) }},
	}
}

func row(id, title, summary, gain, loss string, s privacy.State, c privacy.Control) views.ConsentRow {
	basis := privacy.BasisConsent
	if c != privacy.ControlConsent {
		basis = privacy.BasisLegitimateInterest
	}
	if c == privacy.ControlNone {
		basis = privacy.BasisContract
	}
	return views.ConsentRow{
		ID: id, Title: title, Summary: summary, Gain: gain, Loss: loss, State: s, Control: c, From: "list",
		CSRF: "gallery", Text: "00", Version: 3,
		Terms: views.Terms{
			Basis: basis, Data: []string{"navn", "e-post", "forbruk time for time"}, Recipients: []string{"eFaktura", "Microsoft Azure"},
			Retention: "Til du slår av. Da slettes det vi har hentet.", Section: "3.3",
		},
	}
}

func invoiceRow() views.ConsentRow {
	r := row("invoice-check", "Fakturasjekk", "Vi henter strømfakturaene dine fra eFaktura og ser etter feil.",
		"beskjed når en faktura ser feil ut.", "må du sjekke fakturaene selv. Det vi har hentet, slettes.", privacy.StateOn, privacy.ControlConsent)
	r.Terms.Since = "Du ga det 4. mars 2025."
	r.Terms.Data = []string{"navn", "fødselsnummer", "fakturaer 16 måneder tilbake"}
	return r
}

func consentsPage(open bool) views.Consents {
	contract := row("contract-recommendation", "Bedre strømavtale", "Vi regner ut om en annen strømavtale hadde vært billigere for deg.",
		"et tall i kroner, ikke et salg.", "ser du bare avtalen du har.", privacy.StateOff, privacy.ControlConsent)
	contract.Saved = &views.Saved{Clock: "14.32", Follows: "Vi har sluttet å bruke forbruket ditt til dette.", Undo: privacy.Give}
	home := row("home-breakdown", "Råd om boligen", "Eliq i Sverige anslår hva som bruker strøm hjemme hos deg.", "", "", privacy.StatePaused, privacy.ControlObjection)
	home.Objection = &views.Objection{Made: "18.\u00a0november", Due: "18.\u00a0desember", DaysGone: 5, DaysTotal: 30}
	meter := row("meter-insight-elhub", "Strømforbruket ditt", "Vi henter forbruket ditt fra Elhub hver natt.", "", "", privacy.StateNeeded, privacy.ControlNone)
	meter.Reason = "Uten det har appen ingenting å vise, så her finnes det ingen bryter."
	tips := row("profiling-advice", "Råd etter bruken din", "Vi ser på hvordan du bruker appen, for å velge hvilke råd vi viser.",
		"råd som passer deg bedre.", "viser vi de samme rådene til alle.", privacy.StateOn, privacy.ControlObjection)
	segments := row("profiling-marketing", "Markedsførings\u00adsegmentering", "Vi deler kunder i grupper etter forbruk og kjøp, for å velge hvem som får hvilke tilbud.",
		"tilbud som ligner mer på det du har kjøpt før.", "er du ikke med i noen gruppe. Gruppene du var i, er slettet.", privacy.StateOff, privacy.ControlAbsolute)
	letter := row("newsletter", "Nyhetsbrev", "Én e-post i måneden om strøm og priser.", "nytt om strøm og nettleie på e-post.", "slutter e-posten å komme.", privacy.StateOff, privacy.ControlConsent)
	return views.Consents{
		Shell: inside("Samtykker", views.PlaceConsents, "/consents"),
		Areas: []views.Area{
			{ID: "invoices", Title: "Faktura", CSRF: "gallery", Counts: views.Counts{On: 1, Off: 1, CanOff: 1}, Open: open, Rows: []views.ConsentRow{invoiceRow(), contract}},
			{ID: "home", Title: "Boligen din", CSRF: "gallery", Counts: views.Counts{On: 1, Paused: 1, Needed: 1}, Open: open, Rows: []views.ConsentRow{home, tips, meter}},
			{
				ID: "marketing", Title: "Markedsføring", CSRF: "gallery", Counts: views.Counts{Off: 2}, Open: open,
				Notice: &views.Notice{Title: "Nettleseren din sier nei til sporing.", Text: "Vi har satt personlige annonser til «Av»."},
				Rows:   []views.ConsentRow{segments, letter},
			},
		},
	}
}

// consentStates is one row for each state and each thing a row can say.
func consentStates() views.Consents {
	states := []views.ConsentRow{
		row("state-on", "På", "Et samtykke som er gitt.", "noe.", "noe mindre.", privacy.StateOn, privacy.ControlConsent),
		row("state-off", "Av", "Et samtykke som ikke er gitt.", "noe.", "noe mindre.", privacy.StateOff, privacy.ControlConsent),
		row("state-absolute", "Markedsføring på", "Kan stanses uten spørsmål.", "", "", privacy.StateOn, privacy.ControlAbsolute),
		row("state-objectable", "Kan protesteres mot", "Bruk med berettiget interesse.", "", "", privacy.StateOn, privacy.ControlObjection),
	}
	claims := row("state-claims", "Inkasso", "Kredinor krever inn ubetalte fakturaer.", "", "", privacy.StateOn, privacy.ControlObjection)
	claims.GoesOn = true
	contested := row("state-contested", "Inkasso, med innvending", "Kredinor krever inn ubetalte fakturaer.", "", "", privacy.StateContested, privacy.ControlObjection)
	contested.Reason = "Kravet kan ikke prøves hvis opplysningene blir borte."
	contested.Objection = &views.Objection{Made: "2.\u00a0november", Due: "2.\u00a0desember", DaysGone: 22, DaysTotal: 30, CaseURL: "#case"}
	na := row("state-na", "Annonser i gratisversjonen", "Vi viser annonser i appen.", "", "", privacy.StateNotApplicable, privacy.ControlObjection)
	na.Reason = "Du har Elekt+, så du ser ingen annonser."
	dormant := row("state-dormant", "Hvitvaskingsloven", "Opplysninger om betalinger tas vare på i fem år.", "", "", privacy.StateDormant, privacy.ControlNone)
	dormant.Reason = "Vi gjør ikke dette nå. Personvernombudet avgjør om loven krever det."
	renew := row("state-renew", "Personlige annonser", "Annonsene i appen velges ut fra deg.", "annonser som ligner deg.", "ser du like mange annonser, men de er like for alle.", privacy.StateRenew, privacy.ControlConsent)
	renew.Question = &views.Question{
		Title: "Teksten er endret.", Text: "AppLovin har kommet til som mottaker. Vi bruker ingenting før du har svart.",
		Yes: "Ja, det er greit", No: "Nei takk", YesDecision: privacy.Give, NoDecision: privacy.Withdraw,
	}
	gpc := row("state-gpc", "Sporing på tvers av apper", "Annonsenettverk følger annonse-ID-en din mellom apper.", "", "", privacy.StateOn, privacy.ControlConsent)
	gpc.Question = &views.Question{
		Title: "Nettleseren din sier nei til sporing, men her har du sagt ja.", Text: "Hva skal gjelde?",
		Yes: "Ja her", No: "Nei, slå av", YesDecision: privacy.Give, NoDecision: privacy.Withdraw,
	}
	conflict := row("state-conflict", "Endret et annet sted", "Noe ble endret i en annen fane.", "", "", privacy.StateOff, privacy.ControlConsent)
	conflict.Notice = &views.Notice{Tone: views.ToneWarn, Title: "Du slo dette av i et annet vindu kl. 14.30.", Text: "Vi viser det som gjelder nå. Trykk igjen hvis du vil endre det."}
	failed := row("state-failed", "Noe gikk galt", "Databasen svarte ikke.", "", "", privacy.StateOn, privacy.ControlConsent)
	failed.Notice = &views.Notice{Tone: views.ToneBad, Title: "Valget ble ikke lagret.", Text: "Feilen er hos oss. Prøv igjen om litt."}
	long := row("state-long", "Markedsførings\u00adsegmenterings\u00adtillatelses\u00adordning for personvern\u00adombudet", "Et navn som er for langt for de fleste linjer, for å se at ingenting går i stykker.",
		"markedsføringssegmenteringstillatelser.", "personvernombudsordningen.", privacy.StateOn, privacy.ControlConsent)
	long.Saved = &views.Saved{Clock: "14.32", Follows: "Vi har begynt å bruke forbruket ditt til dette, og markedsføringssegmenteringen starter i morgen tidlig.", Undo: privacy.Withdraw}
	states = append(states, claims, contested, na, dormant, renew, gpc, conflict, failed, long)
	return views.Consents{
		Shell:  inside("Samtykker", views.PlaceConsents, "/consents"),
		Notice: &views.Notice{Tone: views.ToneWarn, Title: "Du er logget inn med Vipps.", Text: "Noe kan bare styres med BankID.", LinkText: "Logg inn med BankID", LinkURL: "#"},
		Areas: []views.Area{
			{ID: "states", Title: "Alle tilstander", CSRF: "gallery", Open: true, Counts: views.Counts{On: 5, Off: 2, Paused: 1, Renew: 1, CanOff: 3}, Rows: states},
			{
				ID: "after", Title: "Etter «Slå av alle»", CSRF: "gallery", Open: true, Counts: views.Counts{Off: 1},
				Saved: &views.Saved{Clock: "14.32", Follows: "3 formål er slått av."},
				Rows:  []views.ConsentRow{row("after-off", "Nyhetsbrev", "Én e-post i måneden.", "", "", privacy.StateOff, privacy.ControlConsent)},
			},
		},
	}
}
