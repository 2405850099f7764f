package web

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"sync"

	"github.com/a-h/templ"

	"elekt.no/innsyn/i18n"
	"elekt.no/innsyn/privacy"
	"elekt.no/innsyn/views"
)

// The list of consents is long, and nearly all of it is the same for everybody:
// of a row only the form's token, the version of the choice and the day that it
// was made are a person's own. So a row is drawn once for each state that it can
// be in, with marks in these places, cut there and kept; a page is put together
// from the pieces. A row with more of its own (something that was just saved, a
// conflict, an objection with its dates) is drawn as it is.

// rowKey is all that the pieces of a row depend on.
type rowKey struct {
	lang     string
	from     string
	purpose  string
	state    privacy.State
	decision privacy.Decision // of the choice in force; empty without one
}

// The marks. None of them can be part of a text.
const (
	markToken         = "\x00token\x00"
	markDay           = "\x00day\x00"
	markVersion int64 = math.MinInt64
)

// piece is markup, and after it what belongs in place of a mark.
type piece struct {
	markup string
	mark   string // empty in the last piece
}

// rows keeps the pieces of rows.
type rows struct {
	mu sync.RWMutex
	m  map[rowKey][]piece
}

func (r *rows) get(k rowKey) []piece {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.m[k]
}

func (r *rows) put(k rowKey, pieces []piece) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.m == nil {
		r.m = map[rowKey][]piece{}
	}
	r.m[k] = pieces
}

// listRow is a row for the list, from its pieces if it has any.
func (s *Server) listRow(ctx context.Context, see *sight, p *privacy.Purpose) (views.ConsentRow, error) {
	choice := see.choices[p.ID]
	row := views.ConsentRow{ID: p.ID, Area: p.Area, State: p.State(choice, see.who), Control: p.Control}
	if p.ID == see.news || row.State == privacy.StatePaused || row.State == privacy.StateContested {
		return s.row(ctx, see, p), nil
	}
	key := rowKey{lang: see.lang, from: see.from, purpose: p.ID, state: row.State}
	own := drawnRow{token: see.csrf}
	if choice != nil {
		key.decision = choice.Decision
		own.version, own.day = strconv.FormatInt(choice.Version, 10), templ.EscapeString(i18n.Day(ctx, choice.At))
	} else {
		own.version = "0"
	}
	if own.pieces = s.rows.get(key); own.pieces == nil {
		var err error
		if own.pieces, err = s.cut(ctx, see, p, choice); err != nil {
			return row, err
		}
		s.rows.put(key, own.pieces)
	}
	row.Drawn = &own
	return row, nil
}

// cut draws a row with marks and takes it apart.
func (s *Server) cut(ctx context.Context, see *sight, p *privacy.Purpose, choice *privacy.Choice) ([]piece, error) {
	row := s.row(ctx, see, p)
	row.CSRF, row.Version = markToken, markVersion
	if choice != nil {
		row.Terms.Since = since(ctx, choice.Decision, markDay)
	}
	var b bytes.Buffer
	if err := views.Row(row).Render(views.With(ctx, s.setting), &b); err != nil {
		return nil, fmt.Errorf("rendering: %w", err)
	}
	var out []piece
	for rest := b.String(); ; {
		at, mark := len(rest), ""
		for _, m := range []string{markToken, markDay, strconv.FormatInt(markVersion, 10)} {
			if i := strings.Index(rest, m); i >= 0 && i < at {
				at, mark = i, m
			}
		}
		out = append(out, piece{rest[:at], mark})
		if mark == "" {
			return out, nil
		}
		rest = rest[at+len(mark):]
	}
}

// drawnRow is the pieces of a row and what is a person's own in it.
type drawnRow struct {
	pieces              []piece
	token, version, day string // as markup
}

// Render writes the row. It makes a drawnRow a templ.Component.
func (d *drawnRow) Render(_ context.Context, w io.Writer) error {
	for _, p := range d.pieces {
		if _, err := io.WriteString(w, p.markup); err != nil {
			return err
		}
		own := ""
		switch p.mark {
		case "":
			continue
		case markToken:
			own = d.token
		case markDay:
			own = d.day
		default:
			own = d.version
		}
		if _, err := io.WriteString(w, own); err != nil {
			return err
		}
	}
	return nil
}
