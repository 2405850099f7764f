package web

import (
	"net/http"
	"strings"
	"time"

	"elekt.no/innsyn/i18n"
	"elekt.no/innsyn/privacy"
	"elekt.no/innsyn/views"
)

func (s *Server) controller() views.Controller {
	c := s.catalogue.Controller
	return views.Controller{Name: c.Name, OrgNo: c.OrgNo, Address: c.Street + ", " + c.Postal, Support: c.Support, DPO: c.DPO}
}

// privacyNotice is GET /privacy-notice, drawn from the catalogue. law: GDPR 12(1), 13, 14
func (s *Server) privacyNotice(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	lang := i18n.Lang(ctx)
	page := views.PrivacyNotice{
		Shell: s.shell(r, "menu.notice", views.PlaceNotice), Controller: s.controller(), Least: s.catalogue.Ages.Least,
		Version: s.catalogue.Version, Proof: i18n.T(ctx, "notice.months", "Count", s.catalogue.Proof.Months),
	}
	if day, err := time.ParseInLocation(time.DateOnly, s.catalogue.Version, privacy.Oslo); err == nil {
		page.Version = i18n.Day(ctx, day)
	}
	for _, sec := range s.catalogue.Sections {
		section := views.NoticeSection{No: sec.No, Title: sec.Title.In(lang)}
		for i := range s.catalogue.Purposes {
			p := &s.catalogue.Purposes[i]
			if p.Section != sec.No {
				continue
			}
			text, shown := p.Texts.In(lang), s.shown[lang][p.ID].text
			section.Purposes = append(section.Purposes, views.NoticePurpose{
				ID: p.ID, Title: text.Title, Summary: text.Summary, Control: i18n.T(ctx, "notice.control-"+string(p.Control)),
				Terms: views.Terms{Basis: p.Basis, Data: shown.Data, Recipients: shown.Recipients, Retention: text.Retention, Section: p.Section},
			})
		}
		if len(section.Purposes) > 0 {
			page.Sections = append(page.Sections, section)
		}
	}
	for _, d := range s.catalogue.Data {
		sources := make([]string, len(d.Sources))
		for i, src := range d.Sources {
			sources[i] = i18n.T(ctx, "source."+src)
		}
		page.Data = append(page.Data, views.NoticeData{Title: d.Title.In(lang), Examples: d.Examples.In(lang), Source: i18n.List(ctx, sources)})
	}
	return s.render(w, r, http.StatusOK, views.PrivacyNoticePage(page))
}

// recipients is GET /recipients: everybody who gets data, by name. law: GDPR 13(1)(e)-(f)
func (s *Server) recipients(w http.ResponseWriter, r *http.Request) error {
	lang := i18n.Lang(r.Context())
	page := views.Recipients{Shell: s.shell(r, "menu.recipients", views.PlaceRecipients)}
	for i := range s.catalogue.Recipients {
		rec := &s.catalogue.Recipients[i]
		v := views.Recipient{
			ID: rec.ID, Name: rec.NameIn(lang), Country: rec.Country, OutsideEEA: rec.OutsideEEA, Role: rec.Role,
			Does: rec.Does.In(lang), Transfer: rec.Transfer.In(lang), Unnamed: rec.Unnamed,
		}
		for _, id := range rec.Gets {
			v.Gets = append(v.Gets, s.catalogue.Category(id).Title.In(lang))
		}
		for j := range s.catalogue.Purposes {
			p := &s.catalogue.Purposes[j]
			for _, id := range p.Recipients {
				if id == rec.ID {
					v.For = append(v.For, views.Link{Text: p.Texts.In(lang).Title, URL: "/privacy-notice#" + p.ID})
				}
			}
		}
		page.List = append(page.List, v)
	}
	return s.render(w, r, http.StatusOK, views.RecipientsPage(page))
}

// contact is GET /contact: how to reach us, and how to complain. law: GDPR 13(2)(d), 77
func (s *Server) contact(w http.ResponseWriter, r *http.Request) error {
	a := s.catalogue.Controller.Authority
	page := views.Contact{
		Shell: s.shell(r, "menu.contact", views.PlaceContact), Controller: s.controller(), Least: s.catalogue.Ages.Least,
		Authority: views.Authority{Name: a.Name, URL: a.URL, Address: strings.Join([]string{a.Street, a.Postal}, ", "), Phone: a.Phone, Email: a.Email},
	}
	return s.render(w, r, http.StatusOK, views.ContactPage(page))
}

// cookies is GET /cookies: what the portal itself keeps in the browser. law: ekomloven § 3-15
func (s *Server) cookies(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	sessionCookie, loginCookie, ageCookie := s.auth.CookieNames()
	page := views.Cookies{
		Shell:    s.shell(r, "cookies.title", views.PlaceNone),
		Session:  views.Cookie{Name: sessionCookie, Lasts: i18n.T(ctx, "cookies.session-lasts")},
		Login:    views.Cookie{Name: loginCookie, Lasts: i18n.T(ctx, "cookies.login-lasts")},
		Age:      views.Cookie{Name: ageCookie, Lasts: i18n.T(ctx, "cookies.login-lasts")},
		Language: views.Cookie{Name: languageCookie, Lasts: i18n.T(ctx, "cookies.language-lasts")},
	}
	return s.render(w, r, http.StatusOK, views.CookiesPage(page))
}
