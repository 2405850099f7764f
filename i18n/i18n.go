// Package i18n holds every text of the portal in bokmål, nynorsk and English,
// and writes dates, times and numbers as each language does.
//
// The texts lie in texts/<room>.<language>.toml, one file for each room of the
// portal and each language, embedded. They are read once, by go-i18n; a test
// compares what T makes of each with what go-i18n makes of it. The language of a request travels in its context, put
// there by With; T looks a text up. What a purpose, an area or a recipient is
// called stands in the catalogue, not here.
//
// Typography is set when the texts are read: a space that a line must not break
// at, as in "27. november", "kl. 14.32" and "§ 13", becomes a non-breaking one,
// so that translators write plain text.
//
// Tests keep that the languages have the same keys, that no text is empty, that
// placeholders agree, that every key is used and every used key exists, and that
// nynorsk is a text of its own.
package i18n

import (
	"context"
	"embed"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"
)

// The languages, the default first.
const (
	Bokmal  = "nb"
	Nynorsk = "nn"
	English = "en"
)

// Languages lists them.
var Languages = []string{Bokmal, Nynorsk, English}

//go:embed texts/*.toml
var texts embed.FS

// shelf is everything that is known about one language.
type shelf struct {
	lang     string
	texts    map[string]*text
	messages map[string]*i18n.Message
}

// text is a message, cut at its placeholders once so that looking it up costs
// little: a page asks for hundreds.
type text struct {
	one, other form // one is nil where there is no singular of its own
}

// form is text and names of placeholders in turn, beginning with text.
type form []string

func cut(s string) form {
	var f form
	for {
		before, rest, found := strings.Cut(s, "{{.")
		f = append(f, before)
		if !found {
			return f
		}
		name, after, _ := strings.Cut(rest, "}}")
		f, s = append(f, name), after
	}
}

var shelves, bundle, shelvesErr = load()

func load() (map[string]*shelf, *i18n.Bundle, error) {
	bundle := i18n.NewBundle(language.MustParse(Bokmal))
	out := map[string]*shelf{}
	for _, l := range Languages {
		out[l] = &shelf{lang: l, texts: map[string]*text{}, messages: map[string]*i18n.Message{}}
	}
	entries, err := texts.ReadDir("texts")
	if err != nil {
		return nil, nil, err
	}
	for _, e := range entries {
		src, err := texts.ReadFile(path.Join("texts", e.Name()))
		if err != nil {
			return nil, nil, err
		}
		file, err := i18n.ParseMessageFileBytes(src, e.Name(), map[string]i18n.UnmarshalFunc{"toml": toml.Unmarshal})
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", e.Name(), err)
		}
		s := out[file.Tag.String()]
		if s == nil {
			return nil, nil, fmt.Errorf("%s: no language %q", e.Name(), file.Tag)
		}
		for _, m := range file.Messages {
			if s.messages[m.ID] != nil {
				return nil, nil, fmt.Errorf("%s: %q stands twice", e.Name(), m.ID)
			}
			m.One, m.Other = Set(m.One), Set(m.Other)
			t := &text{other: cut(m.Other)}
			if m.One != "" {
				t.one = cut(m.One)
			}
			s.messages[m.ID], s.texts[m.ID] = m, t
		}
		if err := bundle.AddMessages(file.Tag, file.Messages...); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", e.Name(), err)
		}
	}
	return out, bundle, nil
}

// Check tells what is wrong with the embedded texts, nil if nothing is. The
// process asks once at start.
func Check() error { return shelvesErr }

type key struct{}

// With puts a language in the context. Anything but nb, nn or en counts as the default.
func With(ctx context.Context, lang string) context.Context {
	s := shelves[lang]
	if s == nil {
		s = shelves[Bokmal]
	}
	return context.WithValue(ctx, key{}, s)
}

func of(ctx context.Context) *shelf {
	if s, ok := ctx.Value(key{}).(*shelf); ok && s != nil {
		return s
	}
	return shelves[Bokmal]
}

// Lang is the context's language, the default if none was put there.
func Lang(ctx context.Context) string {
	if s := of(ctx); s != nil {
		return s.lang
	}
	return Bokmal
}

// Has tells whether a text exists.
func Has(key string) bool {
	s := shelves[Bokmal]
	return s != nil && s.messages[key] != nil
}

// T is the text of a key in the context's language. args are pairs of a
// placeholder's name and its value; "Count" with an int also chooses between
// singular and plural, which all three languages do alike: one, and everything
// else. Ints are written as Number does. A key that doesn't exist comes out as
// itself, which a test forbids.
func T(ctx context.Context, key string, args ...any) string {
	s := of(ctx)
	if s == nil {
		return key
	}
	t := s.texts[key]
	if t == nil {
		return key
	}
	f := t.other
	if t.one != nil && value(args, "Count") == any(1) {
		f = t.one
	}
	if len(f) == 1 {
		return f[0]
	}
	var b strings.Builder
	b.WriteString(f[0])
	for i := 1; i+1 < len(f); i += 2 {
		switch v := value(args, f[i]).(type) {
		case string:
			b.WriteString(v)
		case int:
			b.WriteString(Number(ctx, v))
		default:
			fmt.Fprint(&b, v)
		}
		b.WriteString(f[i+1])
	}
	return b.String()
}

// value finds the value of a placeholder among the pairs, nil if it isn't there.
func value(args []any, name string) any {
	for i := 0; i+1 < len(args); i += 2 {
		if args[i] == any(name) {
			return args[i+1]
		}
	}
	return nil
}

// Match chooses the language of a visitor: the one they chose (cookie), else the
// best of what the browser asks for, else the default.
func Match(acceptLanguage, cookie string) string {
	if slices.Contains(Languages, cookie) {
		return cookie
	}
	tags, _, err := language.ParseAcceptLanguage(acceptLanguage)
	if err != nil || len(tags) == 0 {
		return Bokmal
	}
	_, i, confidence := matcher.Match(tags...)
	if confidence == language.No {
		return Bokmal
	}
	return Languages[i]
}

var matcher = language.NewMatcher([]language.Tag{
	language.MustParse(Bokmal), language.MustParse(Nynorsk), language.MustParse(English),
})
