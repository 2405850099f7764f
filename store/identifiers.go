package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"elekt.no/innsyn/privacy"
)

// Identifiers are the names under which recipients know a person, as far as the
// company's database has them. Read when a call is made, and kept nowhere. The
// national identity number is not among them: no recipient is told it.
type Identifiers struct {
	CustomerNo string
	Account    string // the app's own account id
	Email      string
	Phone      string // E.164
	Devices    []Device
	Meters     []string // metering point ids
	Accounts   []PartnerAccount
}

// Device is a phone or tablet with the app.
type Device struct {
	Installation string    `db:"installation_id"` // Firebase installation id
	Platform     string    `db:"platform"`        // ios or android
	PushToken    string    `db:"push_token"`
	Advertising  string    `db:"advertising_id"` // empty when tracking is refused on the phone
	LastSeen     time.Time `db:"last_seen"`
}

// DeviceLife is how long after it was last used a phone still counts: Firebase
// gives up an installation that was idle for as long.
const DeviceLife = 270 * 24 * time.Hour

// PartnerAccount is what a recipient calls the person, or something of theirs.
type PartnerAccount struct {
	Partner string `db:"partner"` // id of the recipient in the catalogue
	Kind    string `db:"kind"`    // as user, location, meter, login-token
	Value   string `db:"value"`
}

// At are the values of a kind at a recipient.
func (i *Identifiers) At(partner, kind string) []string {
	var out []string
	for _, a := range i.Accounts {
		if a.Partner == partner && a.Kind == kind {
			out = append(out, a.Value)
		}
	}
	return out
}

// Live are the devices that were used within DeviceLife.
func (i *Identifiers) Live(now time.Time) []Device {
	var out []Device
	for _, d := range i.Devices {
		if now.Sub(d.LastSeen) < DeviceLife {
			out = append(out, d)
		}
	}
	return out
}

const selectDevices = `SELECT installation_id, platform, coalesce(push_token, '') AS push_token,
	coalesce(advertising_id::text, '') AS advertising_id, last_seen FROM elekt.device WHERE customer_no = $1 ORDER BY installation_id`

// Identifiers are those of a person's customer record; errors as of Customer. A
// table that this company doesn't have gives none of its kind.
func (s *Store) Identifiers(ctx context.Context, person privacy.PersonRef) (*Identifiers, error) {
	c, err := s.Customer(ctx, person)
	if err != nil {
		return nil, err
	}
	out := &Identifiers{CustomerNo: c.No, Email: c.Email, Phone: c.Phone}
	var account []string
	if err := s.companySelect(ctx, &account, `SELECT app_account_id FROM elekt.customer WHERE customer_no = $1 AND app_account_id IS NOT NULL`, c.No); err != nil {
		return nil, err
	}
	if len(account) > 0 {
		out.Account = account[0]
	}
	if err := s.companySelect(ctx, &out.Devices, selectDevices, c.No); err != nil {
		return nil, err
	}
	var has []struct {
		Meters   bool `db:"meters"`
		Accounts bool `db:"accounts"`
	}
	if err := s.companySelect(ctx, &has, `SELECT to_regclass('elekt.meter') IS NOT NULL AS meters,
		to_regclass('elekt.partner_account') IS NOT NULL AS accounts`); err != nil {
		return nil, err
	}
	if has[0].Meters {
		if err := s.companySelect(ctx, &out.Meters, `SELECT metering_point_id FROM elekt.meter WHERE customer_no = $1 ORDER BY metering_point_id`, c.No); err != nil {
			return nil, err
		}
	}
	if has[0].Accounts {
		if err := s.companySelect(ctx, &out.Accounts, `SELECT partner, kind, value FROM elekt.partner_account
			WHERE customer_no = $1 ORDER BY partner, kind, value`, c.No); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// companySelect reads rows of the company's database.
func (s *Store) companySelect(ctx context.Context, dest any, query string, args ...any) error {
	if s.company == nil {
		return companyAway("not configured")
	}
	ctx, cancel := context.WithTimeout(ctx, companyTimeout)
	defer cancel()
	st, err := s.outside.get(ctx, query)
	if err != nil {
		return companyError(err)
	}
	if err := st.SelectContext(ctx, dest, args...); err != nil {
		return companyError(err)
	}
	return nil
}

// DeviceOwner is the person whose customer record has a device, and the devices of
// that record. NotFound (no-device, no-person) if there is none; Unavailable if the
// company's database could not be asked.
func (s *Store) DeviceOwner(ctx context.Context, installation string) (privacy.PersonRef, []Device, error) {
	no, err := s.InstallationCustomer(ctx, installation)
	if err != nil {
		return "", nil, err
	}
	var person privacy.PersonRef
	err = s.get(ctx, &person, `SELECT person_ref FROM person_link WHERE system = $1 AND external_id = $2 AND ended_at IS NULL`, CustomerSystem, no)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil, notFound("no-person")
	}
	if err != nil {
		return "", nil, err
	}
	var devices []Device
	if err := s.companySelect(ctx, &devices, selectDevices, no); err != nil {
		return "", nil, err
	}
	return person, devices, nil
}
