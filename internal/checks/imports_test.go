package checks

import (
	"slices"
	"strings"
	"testing"
)

// mayImport says which of our packages each one may import outside its tests, by
// the first part of the path. What is not here may not exist.
var mayImport = map[string][]string{
	"cmd":             {"web", "views", "static", "auth", "privacy", "store", "fulfil", "i18n"},
	"web":             {"auth", "views", "static", "i18n", "privacy", "store"},
	"fulfil":          {"store", "views", "static", "i18n", "privacy"},
	"views":           {"i18n", "privacy"},
	"auth":            {"store", "privacy"},
	"store":           {"privacy"},
	"i18n":            {"privacy"},
	"static":          {},
	"privacy":         {},
	"store/storetest": {"store", "internal/pgdev"},
	"internal/pgdev":  {"internal/apt"},
	"internal/apt":    {},
	"internal/checks": {},
}

// onlyThese restricts libraries from elsewhere; packages that are not here may
// use any. The domain stays pure, and the tools for development small.
var onlyThese = map[string][]string{
	"privacy":        {"go.yaml.in/yaml/v3", "golang.org/x/mod/sumdb"},
	"internal/pgdev": {"github.com/lib/pq"},
	"internal/apt":   {},
	"i18n":           {"golang.org/x/text", "github.com/nicksnyder/go-i18n/v2", "github.com/BurntSushi/toml"},
}

// area is the part of the table that a package of the main module belongs to.
func area(importPath string) string {
	rest := strings.TrimPrefix(strings.TrimPrefix(importPath, main), "/")
	for _, longer := range []string{"store/storetest", "internal/pgdev", "internal/apt", "internal/checks"} {
		if rest == longer || strings.HasPrefix(rest, longer+"/") {
			return longer
		}
	}
	first, _, _ := strings.Cut(rest, "/")
	return first
}

func ours(importPath string) bool {
	return importPath == main || strings.HasPrefix(importPath, main+"/")
}

func TestImportDirections(t *testing.T) {
	packages := list(t, ".", "./...")
	if len(packages) < 5 {
		t.Fatalf("only %d packages", len(packages))
	}
	for _, p := range packages {
		from := area(p.ImportPath)
		allowed, known := mayImport[from]
		if !known {
			t.Errorf("%s: the table of import directions has no %q", p.ImportPath, from)
			continue
		}
		for _, imported := range p.Imports {
			if ours(imported) {
				if to := area(imported); to != from && !slices.Contains(allowed, to) {
					t.Errorf("%s must not import %s", p.ImportPath, imported)
				}
			} else if only, restricted := onlyThese[from]; restricted && !standard(imported) && !slices.ContainsFunc(only, func(o string) bool {
				return imported == o || strings.HasPrefix(imported, o+"/")
			}) {
				t.Errorf("%s must not import %s", p.ImportPath, imported)
			}
		}
	}
}

// standard tells the standard library by the first part of a path, which has no dot.
func standard(importPath string) bool {
	first, _, _ := strings.Cut(importPath, "/")
	return !strings.Contains(first, ".")
}

// The production binary holds nothing that is for development or tests.
func TestProductionBinary(t *testing.T) {
	packages := list(t, ".", "-deps", "./cmd/innsyn")
	if len(packages) < 50 {
		t.Fatalf("only %d packages", len(packages))
	}
	for _, p := range packages {
		switch {
		case p.ImportPath == "testing", p.ImportPath == dev, strings.HasPrefix(p.ImportPath, dev+"/"),
			strings.HasPrefix(p.ImportPath, main+"/internal/"), strings.HasPrefix(p.ImportPath, main+"/store/storetest"):
			t.Errorf("the production binary holds %s", p.ImportPath)
		}
	}
}
