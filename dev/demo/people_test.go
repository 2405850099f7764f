package demo

import (
	"strings"
	"testing"
	"time"
)

func TestPeople(t *testing.T) {
	people := People()
	if len(people) < 12 {
		t.Fatalf("only %d people", len(people))
	}
	if people[0].Key != Main {
		t.Errorf("%s is first", people[0].Key)
	}
	seen := map[string]string{}
	for _, p := range people {
		for _, unique := range []string{"key " + p.Key, "number " + p.NationalID, "BankID " + p.BankIDAltSub, "Vipps " + p.VippsSub, "phone " + p.Phone, "e-mail " + p.Email} {
			if strings.HasSuffix(unique, " ") {
				continue
			}
			if other := seen[unique]; other != "" {
				t.Errorf("%s and %s have the same %s", p.Key, other, unique)
			}
			seen[unique] = p.Key
		}
		if p.Phone != "" && (!strings.HasPrefix(p.Phone, "+470000") || len(p.Phone) != len("+4700000000")) {
			t.Errorf("%s: telephone %s", p.Key, p.Phone)
		}
		if p.Email != "" && !strings.HasSuffix(p.Email, "@example.com") {
			t.Errorf("%s: e-mail %s", p.Key, p.Email)
		}
		if p.Has(BankID) != (p.BankIDAltSub != "") || p.Has(Vipps) != (p.VippsSub != "") {
			t.Errorf("%s: logins %v don't fit the subjects", p.Key, p.Logins)
		}
		if p.Note == "" || p.GivenName == "" || p.FamilyName == "" {
			t.Errorf("%s is not whole", p.Key)
		}
	}
}

// A person's number is synthetic and fits the birth date.
func TestNumbersOfPeople(t *testing.T) {
	numbered := 0
	for _, p := range People() {
		if p.NationalID == "" {
			continue
		}
		numbered++
		if err := CheckNationalID(p.NationalID); err != nil {
			t.Errorf("%s: %v", p.Key, err)
			continue
		}
		if IsRealNationalID(p.NationalID) {
			t.Errorf("%s: the number could be real", p.Key)
		}
		day := []byte(p.NationalID[:6])
		if day[0] >= '4' {
			day[0] -= 4 // D-number
		}
		day[2] -= 8
		if want := p.Born().Format("020106"); string(day) != want {
			t.Errorf("%s: the number says %s, the birth date %s", p.Key, day, want)
		}
	}
	if numbered < 12 {
		t.Errorf("only %d people have a number", numbered)
	}
	for _, c := range Customers() {
		if c.NationalID == "" {
			continue
		}
		if err := CheckNationalID(c.NationalID); err != nil {
			t.Errorf("customer %s: %v", c.No, err)
		}
	}
}

func TestByKey(t *testing.T) {
	p, ok := ByKey(Main)
	if !ok || p.Key != Main {
		t.Fatalf("found %v, %v", p.Key, ok)
	}
	p.Logins[0] = "changed"
	if again, _ := ByKey(Main); again.Logins[0] == "changed" {
		t.Error("a caller can change the people")
	}
	if _, ok := ByKey("nobody"); ok {
		t.Error("nobody was found")
	}
}

func TestChildren(t *testing.T) {
	today := time.Now()
	for key, child := range map[string]bool{"tuva": true, "storm": true, "ingrid": false} {
		p, ok := ByKey(key)
		if !ok {
			t.Fatalf("no %s", key)
		}
		if young := p.Born().AddDate(13, 0, 0).After(today); young != child {
			t.Errorf("%s is younger than thirteen: %v", key, young)
		}
	}
}

func TestCustomers(t *testing.T) {
	numbers := map[string]bool{}
	for _, c := range Customers() {
		if numbers[c.No] {
			t.Errorf("customer %s is there twice", c.No)
		}
		numbers[c.No] = true
		if _, ok := ByKey(c.Person); !ok {
			t.Errorf("customer %s is %q, who isn't there", c.No, c.Person)
		}
		if len(c.Newsletters) > 0 && c.Email == "" {
			t.Errorf("customer %s gets e-mail without an address", c.No)
		}
	}
	for key, want := range map[string]int{"ingrid": 1, "bjarne": 2, "marit": 2, "kari": 0, "storm": 0} {
		if got := len(CustomersOf(key)); got != want {
			t.Errorf("%s has %d customer rows, want %d", key, got, want)
		}
	}
}
