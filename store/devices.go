package store

import (
	"context"
	"crypto/sha256"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"elekt.no/innsyn/privacy"
)

// DeviceState is what the app says that it has applied on a phone.
type DeviceState struct {
	Recipient string // whose kit it was; empty: all that learn it from the app
	Purpose   string
	Version   int64 // of the person's choices, as the app was given it
	Allowed   bool  // what it applied
}

// InstallationCustomer is the number of the customer record that an installation of
// the app belongs to. NotFound (no-device) if none has it; Unavailable (company-away)
// if the company's database could not be asked.
func (s *Store) InstallationCustomer(ctx context.Context, installation string) (string, error) {
	var no []string
	if err := s.companySelect(ctx, &no, `SELECT customer_no FROM elekt.device WHERE installation_id = $1`, installation); err != nil {
		return "", err
	}
	if len(no) == 0 {
		return "", notFound("no-device")
	}
	return no[0], nil
}

// AcknowledgeDevice records what an installation of the app has applied, and
// confirms the deliveries that waited for it: those whose choice every phone of the
// person that is in use has applied, in that version or a later one. A phone that
// says it allows what was stopped confirms nothing.
//
// NotFound (no-device) if the installation isn't known to the company, NotFound
// (no-person) if its customer never was here, Unavailable if the company's database
// can't be asked. Saying the same twice does no harm.
func (s *Store) AcknowledgeDevice(ctx context.Context, installation string, states []DeviceState) error {
	person, devices, err := s.DeviceOwner(ctx, installation)
	if err != nil || len(states) == 0 {
		return err
	}
	now := s.Now()
	id := installationHash(installation)
	wait := pq.ByteaArray{id}
	for _, d := range devices {
		if now.Sub(d.LastSeen) < DeviceLife && d.Installation != installation {
			wait = append(wait, installationHash(d.Installation))
		}
	}
	var purposes pq.StringArray
	for _, st := range states {
		if st.Version < 0 || st.Purpose == "" {
			return &privacy.Error{Kind: privacy.Invalid, Key: "error.form", Reason: "bad-device-state"}
		}
		purposes = append(purposes, st.Purpose)
	}
	return s.tx(ctx, func(tx *sqlx.Tx) error {
		for _, st := range states {
			if _, err := s.txExec(ctx, tx, `
				INSERT INTO device_ack (person_ref, installation, recipient, purpose, version, allowed, at) VALUES ($1, $2, $3, $4, $5, $6, $7)
				ON CONFLICT (person_ref, installation, recipient, purpose) DO UPDATE
				SET version = excluded.version, allowed = excluded.allowed, at = excluded.at WHERE device_ack.version <= excluded.version`,
				person, id, st.Recipient, st.Purpose, st.Version, st.Allowed, now); err != nil {
				return err
			}
		}
		if _, err := s.txExec(ctx, tx, `
			WITH d AS (
				SELECT delivery_id FROM delivery d
				WHERE person_ref = $1 AND purpose = ANY($2) AND state = 'accepted' AND note = $4 AND `+applied+`
				ORDER BY delivery_id FOR UPDATE
			)
			UPDATE delivery SET state = 'confirmed', note = $6, changed_at = $5 FROM d WHERE delivery.delivery_id = d.delivery_id`,
			person, purposes, wait, privacy.NoteDevice, now, privacy.NoteDeviceDone); err != nil {
			return err
		}
		// A phone that wasn't there when the choice was made, and rows that a worker
		// has in hand at this moment: it looks again.
		if _, err := s.enqueuePairsIn(ctx, tx, `
			WITH d AS (
				SELECT delivery_id FROM delivery d
				WHERE person_ref = $1 AND purpose = ANY($4) AND state = 'not_connected' AND note = $2 AND `+newest+`
				ORDER BY delivery_id FOR UPDATE
			), u AS (
				UPDATE delivery SET `+anew+` FROM d WHERE delivery.delivery_id = d.delivery_id RETURNING person_ref, recipient
			)
			SELECT DISTINCT person_ref, recipient FROM u`, person, privacy.NoteNoAddress, now, purposes); err != nil {
			return err
		}
		var busy []string
		if err := s.txList(ctx, tx, &busy, `SELECT DISTINCT recipient FROM delivery WHERE person_ref = $1 AND purpose = ANY($2) AND state = 'sent'`,
			person, purposes); err != nil {
			return err
		}
		jobs := make([]job, len(busy))
		for i, r := range busy {
			jobs[i].args = privacy.PollDelivery{Person: person, Recipient: r}
		}
		return s.enqueue(ctx, tx, jobs...)
	})
}

// applied says of a row d that each of the installations $3 has applied it. A stop
// must have been applied as one; a yes may be applied as a no, where a condition
// isn't met.
const applied = `NOT EXISTS (
	SELECT FROM unnest($3::bytea[]) AS i (installation) WHERE NOT EXISTS (
		SELECT FROM device_ack a WHERE a.person_ref = d.person_ref AND a.installation = i.installation
		AND a.recipient IN ('', d.recipient) AND a.purpose = d.purpose AND a.version >= d.version
		AND (NOT a.allowed OR d.action = 'allow')))`

// DeviceApplied tells whether all of these installations have applied what a
// delivery says.
func (s *Store) DeviceApplied(ctx context.Context, d *privacy.Delivery, installations []string) (bool, error) {
	wait := make(pq.ByteaArray, len(installations))
	for i, id := range installations {
		wait[i] = installationHash(id)
	}
	var done bool
	err := s.get(ctx, &done, `SELECT EXISTS (SELECT FROM delivery d WHERE person_ref = $1 AND delivery_id = $2 AND `+applied+`)`, d.Person, d.ID, wait)
	return done, err
}

// installationHash is how an installation is kept here: an id of 128 random bits
// can't be guessed back.
func installationHash(id string) []byte {
	h := sha256.Sum256([]byte(id))
	return h[:]
}
