package web

import (
	"net/http"

	"elekt.no/innsyn/i18n"
	"elekt.no/innsyn/privacy"
	"elekt.no/innsyn/store"
	"elekt.no/innsyn/views"
)

// logins is GET /logins: a person's logins, and where they are logged in. (checklist 34)
func (s *Server) logins(w http.ResponseWriter, r *http.Request) error {
	ctx, me, now := r.Context(), session(r.Context()), s.now()
	logins, err := s.auth.Logins(ctx, me)
	if err != nil {
		return err
	}
	sessions, err := s.auth.Sessions(ctx, me)
	if err != nil {
		return err
	}
	page := views.Logins{Shell: s.shell(r, "menu.logins", views.PlaceLogins), CSRF: s.auth.Token(me)}
	switch q := r.URL.Query(); {
	case q.Get("ended") != "":
		page.Notice = &views.Notice{Tone: views.ToneGood, Title: i18n.T(ctx, "logins.ended"), Text: i18n.T(ctx, "logins.ended-text")}
	case q.Get("new") != "":
		page.Notice = &views.Notice{Title: i18n.T(ctx, "logins.new"), Text: i18n.T(ctx, "logins.new-text")}
	}
	for _, l := range logins {
		page.Logins = append(page.Logins, views.LoginLine{
			ID: l.ID, Provider: s.auth.ProviderName(l.Provider), Level: i18n.T(ctx, "logins.level-"+l.Assurance.String()),
			Since: i18n.Day(ctx, l.Created), Last: i18n.At(ctx, l.LastUsed, now), Current: l.ID == me.Login, CanEnd: !l.OnlyWayIn,
		})
	}
	for _, x := range sessions {
		device := x.Browser
		if device == "" {
			device = i18n.T(ctx, "logins.unknown-device")
		}
		page.Sessions = append(page.Sessions, views.SessionLine{
			ID: x.PublicID, Device: device, Phone: x.Class == store.ClassApp, With: s.auth.ProviderName(x.Provider),
			Started: i18n.At(ctx, x.CreatedAt, now), Seen: i18n.At(ctx, x.SeenAt, now), Current: x.Current,
		})
	}
	return s.render(w, r, http.StatusOK, views.LoginsPage(page))
}

// endSession is POST /logins/sessions/{id}/end.
func (s *Server) endSession(w http.ResponseWriter, r *http.Request) error {
	me, id := session(r.Context()), r.PathValue("id")
	if !isUUID(id) {
		return &privacy.Error{Kind: privacy.NotFound, Key: "error.not-found", Reason: "no-session"}
	}
	if id == me.PublicID {
		return s.logout(w, r)
	}
	if err := s.auth.EndSession(r.Context(), me, id); err != nil {
		return err
	}
	return s.seeOther(w, r, "/logins?ended=1")
}

// endLogin is POST /logins/{id}/end.
func (s *Server) endLogin(w http.ResponseWriter, r *http.Request) error {
	me, id := session(r.Context()), r.PathValue("id")
	if !isUUID(id) {
		return &privacy.Error{Kind: privacy.NotFound, Key: "error.not-found", Reason: "no-login"}
	}
	if err := s.auth.EndLogin(r.Context(), me, id); err != nil {
		return err
	}
	if id == me.Login {
		return s.seeOther(w, r, "/?out=1")
	}
	return s.seeOther(w, r, "/logins?ended=1")
}

func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i, c := range s {
		switch {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if c != '-' {
				return false
			}
		case !(c >= '0' && c <= '9' || c >= 'a' && c <= 'f'):
			return false
		}
	}
	return true
}
