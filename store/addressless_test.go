package store_test

import (
	"context"
	"testing"
	"time"

	"elekt.no/innsyn/privacy"
	"elekt.no/innsyn/store"
)

// A choice that went to nobody, for want of an address, is told once a customer
// record gives one; what an older choice had to say stays untold.
func TestLinkingTellsThoseWhoHadNoAddress(t *testing.T) {
	f := setUp(t)
	ctx := context.Background()
	f.mustChoose(t, "news", privacy.Give, at)
	f.mustChoose(t, "news", privacy.Withdraw, at.Add(time.Hour))
	owner := f.db.Owner(t)
	if _, err := owner.Exec(`UPDATE delivery SET state = 'confirmed', note = 'no-address' WHERE recipient = 'mail' AND action <> 'erase'`); err != nil {
		t.Fatal(err)
	}
	if _, err := owner.Exec(`DELETE FROM river_job`); err != nil {
		t.Fatal(err)
	}
	if r, err := f.Link(ctx, f.person, "100245", store.EvidenceCode); err != nil || r != store.LinkMade {
		t.Fatalf("%s, %v", r, err)
	}
	all, err := f.Deliveries(ctx, f.person, "news")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range all {
		if d.Recipient != "mail" || d.Action == privacy.ActionErase {
			continue
		}
		want := privacy.DeliveryConfirmed
		if d.Version == 2 {
			want = privacy.DeliveryQueued
		}
		if d.State != want {
			t.Errorf("version %d is %s, want %s", d.Version, d.State, want)
		}
	}
	var jobs int
	if err := owner.QueryRow(`SELECT count(*) FROM river_job WHERE args->>'recipient' = 'mail'`).Scan(&jobs); err != nil {
		t.Fatal(err)
	}
	if jobs != 1 {
		t.Errorf("%d jobs", jobs)
	}
}
