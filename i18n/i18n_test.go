package i18n

import (
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nicksnyder/go-i18n/v2/i18n"
)

func TestMain(m *testing.M) {
	if err := Check(); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

var placeholder = regexp.MustCompile(`\{\{\.([A-Za-z]+)\}\}`)

func placeholders(text string) []string {
	set := map[string]bool{}
	for _, m := range placeholder.FindAllStringSubmatch(text, -1) {
		set[m[1]] = true
	}
	return slices.Sorted(maps.Keys(set))
}

func TestLanguagesHaveTheSameTexts(t *testing.T) {
	nb := shelves[Bokmal].messages
	if len(nb) < 100 {
		t.Fatalf("only %d texts were read", len(nb))
	}
	for _, l := range Languages {
		for key := range shelves[l].messages {
			if nb[key] == nil {
				t.Errorf("%s: %q isn't in nb", l, key)
			}
		}
		for key, b := range nb {
			m := shelves[l].messages[key]
			if m == nil {
				t.Errorf("%s: %q is missing", l, key)
				continue
			}
			if strings.TrimSpace(m.Other) == "" || (b.One == "") != (m.One == "") {
				t.Errorf("%s: %q is empty, or lacks a plural", l, key)
			}
			if !slices.Equal(placeholders(b.Other), placeholders(m.Other)) {
				t.Errorf("%s: %q has placeholders %v, nb has %v", l, key, placeholders(m.Other), placeholders(b.Other))
			}
			if m.One != "" && !slices.Equal(placeholders(m.One), placeholders(m.Other)) {
				t.Errorf("%s: %q: one and other differ in placeholders", l, key)
			}
			if strings.Contains(m.Other, "!") || strings.Contains(strings.ToLower(m.Other), "dessverre") {
				t.Errorf("%s: %q: not our voice: %s", l, key, m.Other)
			}
		}
	}
}

// Words that only one of the two written languages has. A nynorsk text with one
// of bokmål's, or the other way round, was not written anew.
var (
	onlyNB = regexp.MustCompile(`(?i)\b(ikke|jeg|hva|hvem|hvor|hvordan|hvorfor|hvis|noen|noe|mer|fra|gjøre|være|innen|opplysninger|dataene|lagret|endret|slettet|kundene|siden du|bare|gjelder|tjenesten|uten|fortsetter|senest|mottakere|bekreftet)\b`)
	onlyNN = regexp.MustCompile(`(?i)\b(ikkje|eg|kva|kven|kvar|korleis|kvifor|nokon|noko|meir|frå|gjere|vere|innan|opplysningar|dataa|lagra|endra|sletta|kundane|sidan|berre|gjeld|tenesta|utan|seinast|mottakarar|stadfesta)\b`)
)

func TestNynorskIsItsOwnText(t *testing.T) {
	same, long := 0, 0
	for key, nb := range shelves[Bokmal].messages {
		nn := shelves[Nynorsk].messages[key]
		if w := onlyNB.FindString(nn.Other); w != "" {
			t.Errorf("nn %q has %q: %s", key, w, nn.Other)
		}
		if w := onlyNN.FindString(nb.Other); w != "" {
			t.Errorf("nb %q has %q: %s", key, w, nb.Other)
		}
		if len(strings.Fields(nb.Other)) < 7 {
			continue
		}
		long++
		if nb.Other == nn.Other {
			same++
			t.Logf("the same in nb and nn: %s = %s", key, nb.Other)
		}
	}
	if long == 0 || same*50 > long {
		t.Errorf("%d of %d longer texts are the same in nb and nn", same, long)
	}
}

// asked is what the code of this module asks for: whole keys, and beginnings of
// keys that are completed when it runs.
type asked struct {
	keys, beginnings map[string]string // key or beginning to the file that asks
	literals         map[string]bool   // every string constant, for keys that are chosen from several
}

func scan(t *testing.T) asked {
	t.Helper()
	out := asked{map[string]string{}, map[string]string{}, map[string]bool{}}
	fset := token.NewFileSet()
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == ".git" || d.Name() == "dev" || d.Name() == ".cache" || path == "../i18n" || d.Name() == "gallery") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(fset, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.BasicLit:
				if s, err := strconv.Unquote(n.Value); err == nil && n.Kind == token.STRING {
					out.literals[s] = true
				}
			case *ast.CallExpr:
				if f, ok := n.Fun.(*ast.SelectorExpr); ok && len(n.Args) > 1 {
					switch pkg, _ := f.X.(*ast.Ident); {
					case pkg == nil:
					case pkg.Name == "i18n" && f.Sel.Name == "T", pkg.Name == "privacy" && f.Sel.Name == "Errorf":
						out.note(path, n.Args[1])
					}
				}
			case *ast.KeyValueExpr:
				if id, ok := n.Key.(*ast.Ident); ok && id.Name == "Key" {
					out.note(path, n.Value)
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (a asked) note(path string, key ast.Expr) {
	whole := true
	for {
		sum, ok := key.(*ast.BinaryExpr)
		if !ok {
			break
		}
		key, whole = sum.X, false
	}
	lit, ok := key.(*ast.BasicLit)
	if !ok {
		return // chosen among constants, which are counted as literals
	}
	s, err := strconv.Unquote(lit.Value)
	switch {
	case err != nil:
	case whole:
		a.keys[s] = path
	default:
		a.beginnings[s] = path
	}
}

// The faults of a login are told by package auth as kinds; the page has its own
// texts for each kind, so these keys are never shown.
const loginFaults = "login.fault."

func TestEveryKeyIsUsedAndEveryUsedKeyExists(t *testing.T) {
	code := scan(t)
	if len(code.keys) < 100 {
		t.Fatalf("only %d keys were found in the code", len(code.keys))
	}
	for key, path := range code.keys {
		if !Has(key) && !strings.HasPrefix(key, loginFaults) {
			t.Errorf("%s asks for %q, which doesn't exist", path, key)
		}
	}
	completed := func(key string) bool {
		for b := range code.beginnings {
			if strings.HasPrefix(key, b) {
				return true
			}
		}
		for l := range code.literals { // "attention.failed" + "-title"
			if strings.Contains(l, ".") && strings.HasPrefix(key, l+"-") {
				return true
			}
		}
		return false
	}
	inside := []string{"date.today", "date.yesterday", "date.tomorrow", "date.at", "list.and"} // this package asks for these
	for key := range shelves[Bokmal].messages {
		if !code.literals[key] && !completed(key) && !slices.Contains(inside, key) {
			t.Errorf("%q is used nowhere", key)
		}
	}
	for b, path := range code.beginnings {
		if !slices.ContainsFunc(slices.Collect(maps.Keys(shelves[Bokmal].messages)), func(k string) bool { return strings.HasPrefix(k, b) }) {
			t.Errorf("%s asks for %q and something, and there is nothing such", path, b)
		}
	}
}

func TestT(t *testing.T) {
	nb, en := With(context.Background(), "nb"), With(context.Background(), "en")
	for _, tc := range []struct{ got, want string }{
		{T(nb, "saved.at", "Clock", "14.32"), "Lagret kl.\u00a014.32."},
		{T(en, "counts.renew", "Count", 1), "1 question"},
		{T(en, "counts.renew", "Count", 2), "2 questions"},
		{T(nb, "objection.days", "Gone", 5, "Total", 30), "5 av 30 dager har gått"},
		{T(context.Background(), "shell.menu"), "Meny"},
		{T(With(context.Background(), "sv"), "shell.menu"), "Meny"},
		{T(en, "no.such-key"), "no.such-key"},
		{List(nb, []string{"eFaktura", "Mailgun", "Sveve"}), "eFaktura, Mailgun og Sveve"},
		{List(en, []string{"Sveve"}), "Sveve"},
	} {
		if tc.got != tc.want {
			t.Errorf("%q, want %q", tc.got, tc.want)
		}
	}
}

// T goes its own way for speed; go-i18n, with its plural rules, is the judge.
func TestTIsWhatTheLibrarySays(t *testing.T) {
	for _, l := range Languages {
		ctx, judge := With(context.Background(), l), i18n.NewLocalizer(bundle, l)
		for key, m := range shelves[l].messages {
			for _, n := range []int{0, 1, 2, 3, 10, 21, 101} {
				data, args := map[string]any{}, []any{}
				for _, p := range placeholders(m.Other) {
					v := any("<" + p + ">")
					if p == "Count" {
						v = n
					}
					data[p], args = v, append(args, p, v)
				}
				cfg := &i18n.LocalizeConfig{MessageID: key, TemplateData: data}
				if m.One != "" {
					cfg.PluralCount = n
				}
				want, err := judge.Localize(cfg)
				if got := T(ctx, key, args...); err != nil || got != want {
					t.Errorf("%s %q with %d: %q, want %q (%v)", l, key, n, got, want, err)
				}
			}
		}
	}
}

func TestMatch(t *testing.T) {
	for _, tc := range []struct{ accept, cookie, want string }{
		{"", "", "nb"},
		{"en-GB,en;q=0.9", "", "en"},
		{"no", "", "nb"},
		{"nn-NO,nn;q=0.9,no;q=0.8", "", "nn"},
		{"nb-NO,nb;q=0.9", "en", "en"},
		{"en", "xx", "en"},
		{"pl", "", "nb"},
		{"*/;;q=", "", "nb"},
		{strings.Repeat("a", 5000), "", "nb"},
	} {
		if got := Match(tc.accept, tc.cookie); got != tc.want {
			t.Errorf("Match(%.20q, %q) = %s, want %s", tc.accept, tc.cookie, got, tc.want)
		}
	}
}

func TestDates(t *testing.T) {
	nb, nn, en := With(context.Background(), "nb"), With(context.Background(), "nn"), With(context.Background(), "en")
	now := time.Date(2026, 11, 27, 13, 32, 0, 0, time.UTC) // 14.32 in Oslo, a Friday
	for _, tc := range []struct{ got, want string }{
		{Day(nb, now), "27.\u00a0november\u00a02026"},
		{Day(en, now), "27\u00a0November\u00a02026"},
		{Weekday(nn, now.AddDate(0, 0, 1)), "laurdag 28.\u00a0november"},
		{Clock(nn, now), "14.32"},
		{Clock(en, now), "14:32"},
		{At(nb, now, now), "i dag kl.\u00a014.32"},
		{At(nb, now.Add(-24*time.Hour), now), "i går kl.\u00a014.32"},
		{At(nn, now.Add(24*time.Hour), now), "i morgon kl.\u00a014.32"},
		{At(nb, now.Add(-72*time.Hour), now), "tirsdag kl.\u00a014.32"},
		{At(nb, time.Date(2026, 6, 3, 6, 15, 0, 0, time.UTC), now), "3.\u00a0juni kl.\u00a008.15"},
		{At(en, time.Date(2025, 1, 12, 18, 40, 0, 0, time.UTC), now), "12\u00a0January\u00a02025 at 19:40"},
		// 23.30 in UTC is the next day in Oslo, in winter and in summer.
		{At(nb, time.Date(2026, 11, 26, 23, 30, 0, 0, time.UTC), now), "i dag kl.\u00a000.30"},
		{Day(nb, time.Date(2026, 6, 30, 22, 30, 0, 0, time.UTC)), "1.\u00a0juli\u00a02026"},
	} {
		if tc.got != tc.want {
			t.Errorf("%q, want %q", tc.got, tc.want)
		}
	}
}

func TestNumbers(t *testing.T) {
	nb, en := With(context.Background(), "nb"), With(context.Background(), "en")
	for _, tc := range []struct{ got, want string }{
		{Number(nb, 4127), "4127"},
		{Number(nb, 131472), "131\u00a0472"},
		{Number(en, 4127), "4,127"},
		{Number(nb, -1234567), "−1\u00a0234\u00a0567"},
		{Number(nb, 0), "0"},
		{Decimal(nb, 32.6, 1), "32,6"},
		{Decimal(en, 32.6, 1), "32.6"},
		{Decimal(nb, -0.5, 1), "−0,5"},
		{Decimal(nb, 12345.678, 2), "12\u00a0345,68"},
		{Set("§ 13 og 27. november, 32,6 kWh"), "§\u00a013 og 27.\u00a0november, 32,6\u00a0kWh"},
	} {
		if tc.got != tc.want {
			t.Errorf("%q, want %q", tc.got, tc.want)
		}
	}
}
