package checks

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// mayShip are licences that allow us to hand on the binary under our own terms,
// as long as we name the author. The rest may be used to build and test only.
var mayShip = []string{"MIT", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0", "MPL-2.0", "ISC"}

var mayUse = append([]string{"Unlicense"}, mayShip...)

// dependency is a module of somebody else that a build contains.
type dependency struct {
	path, version string
	licences      []string
	texts         []string // of LICENSE, NOTICE and so on
}

// dependencies lists the modules of the packages that match, with what they import.
func dependencies(t *testing.T, dir string, args ...string) map[string]dependency {
	t.Helper()
	found := map[string]dependency{}
	for _, p := range list(t, dir, append([]string{"-deps"}, args...)...) {
		m := p.Module
		if m == nil || m.Main || m.Path == main || m.Path == dev {
			continue
		}
		if m.Replace != nil {
			t.Errorf("%s is replaced by %s", m.Path, m.Replace.Path)
		}
		if _, known := found[m.Path]; !known {
			found[m.Path] = read(t, *m)
		}
	}
	return found
}

// read finds the licences of a module in its files.
func read(t *testing.T, m goModule) dependency {
	t.Helper()
	d := dependency{path: m.Path, version: m.Version}
	entries, err := os.ReadDir(m.Dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		name, _, _ := strings.Cut(strings.ToUpper(e.Name()), ".")
		ext := strings.ToLower(filepath.Ext(e.Name()))
		if e.IsDir() || ext != "" && ext != ".txt" && ext != ".md" || !slices.Contains([]string{"LICENSE", "LICENCE", "COPYING", "NOTICE"}, name) {
			continue
		}
		b, err := os.ReadFile(filepath.Join(m.Dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		d.texts = append(d.texts, strings.ReplaceAll(string(b), "\r\n", "\n"))
		if name != "NOTICE" {
			d.licences = append(d.licences, licencesIn(string(b))...)
		}
	}
	return d
}

// licencesIn recognises licences by their own words. One file may hold several.
func licencesIn(text string) []string {
	text = strings.Join(strings.Fields(text), " ")
	has := func(s string) bool { return strings.Contains(text, s) }
	if has("Mozilla Public License") { // names the GPL in its own text
		return []string{"MPL-2.0"}
	}
	var found []string
	for _, l := range []struct {
		name string
		is   bool
	}{
		{"GPL", has("GENERAL PUBLIC LICENSE")},
		{"Apache-2.0", has("Apache License") && has("Version 2.0")},
		{"MIT", has("Permission is hereby granted, free of charge, to any person obtaining a copy")},
		{"BSD-3-Clause", has("Redistribution and use in source and binary forms") && (has("Neither the name") || has("may not be used to endorse"))},
		{"BSD-2-Clause", has("Redistribution and use in source and binary forms") && !has("Neither the name") && !has("may not be used to endorse")},
		{"ISC", has("Permission to use, copy, modify, and")},
		{"Unlicense", has("free and unencumbered software released into the public domain")},
	} {
		if l.is {
			found = append(found, l.name)
		}
	}
	return found
}

// docs/LICENCES.md lists every module of every build; NOTICE holds the texts
// that have to travel with the binary.
func TestLicences(t *testing.T) {
	ship := dependencies(t, ".", "./cmd/innsyn")
	use := dependencies(t, ".", "-test", "./...")
	for path, d := range dependencies(t, "dev", "-test", "./...") {
		use[path] = d
	}
	for path, d := range dependencies(t, ".", "tool") {
		if _, known := use[path]; !known {
			use[path] = d
		}
	}
	if len(ship) < 5 || len(use) <= len(ship) {
		t.Fatalf("%d modules in the binary, %d in all", len(ship), len(use))
	}
	for path := range ship {
		delete(use, path)
	}
	var doc, notice strings.Builder
	doc.WriteString("# Licences of what Innsyn is made of\n\nMade by `make generate`. `NOTICE` holds the texts.\n" +
		"Files that are committed whole (styles, fonts, scripts) are listed in `static/THIRD_PARTY.md`.\n")
	notice.WriteString("Innsyn contains the following works of others. Made by make generate.\n")
	table(t, &doc, "In the production binary", ship, mayShip)
	table(t, &doc, "To build and test only", use, mayUse)
	for _, d := range sorted(ship) {
		section(&notice, d.path+" "+d.version, d.texts)
	}
	for _, pattern := range []string{"static/*/LICENSE*", "static/*/OFL.txt"} {
		paths, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			section(&notice, "the files in static/"+filepath.Base(filepath.Dir(path)), []string{string(b)})
		}
	}
	golden(t, "docs/LICENCES.md", doc.String())
	golden(t, "NOTICE", notice.String())
}

func table(t *testing.T, doc *strings.Builder, title string, modules map[string]dependency, allowed []string) {
	t.Helper()
	fmt.Fprintf(doc, "\n## %s\n\n| module | version | licence |\n|---|---|---|\n", title)
	for _, d := range sorted(modules) {
		if len(d.licences) == 0 {
			t.Errorf("%s %s: no licence that this check knows", d.path, d.version)
		}
		for _, l := range d.licences {
			if !slices.Contains(allowed, l) {
				t.Errorf("%s %s: licence %s is not one of %v", d.path, d.version, l, allowed)
			}
		}
		fmt.Fprintf(doc, "| %s | %s | %s |\n", d.path, d.version, strings.Join(d.licences, ", "))
	}
}

func section(notice *strings.Builder, title string, texts []string) {
	fmt.Fprintf(notice, "\n%s\n%s\n\n", strings.Repeat("=", 80), title)
	for _, text := range texts {
		notice.WriteString(strings.TrimRight(text, "\n") + "\n")
	}
}

func sorted(modules map[string]dependency) []dependency {
	var all []dependency
	for _, d := range modules {
		all = append(all, d)
	}
	slices.SortFunc(all, func(a, b dependency) int { return strings.Compare(a.path, b.path) })
	return all
}
