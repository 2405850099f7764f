package demo

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/lib/pq"

	"elekt.no/innsyn/privacy"
)

// SchemaSQL creates the schema elekt, its roles elekt_owner and elekt_reader,
// and its tables. Run by a role that may create roles; may be run again.
//
//go:embed schema.sql
var SchemaSQL string

// Customer is a row of elekt.customer. An empty text is NULL.
type Customer struct {
	No          string
	Person      string // key of the Person whose row this is
	GivenName   string
	FamilyName  string
	BirthDate   string
	NationalID  string // stored as its keyed hash only
	Phone       string
	Email       string
	Address     Address
	Plan        string // free or plus
	ShopID      string
	AppAccount  string
	Protected   bool
	Language    string
	Created     time.Time
	Devices     []Device
	Newsletters []string // lists that the e-mail address is on
}

// Device is a row of elekt.device.
type Device struct {
	Installation string
	Platform     string
	Model        string
	OSVersion    string
	AppVersion   string
	PushToken    string
	Advertising  string
	FirstSeen    time.Time
	LastSeen     time.Time
}

// Subscriber is a row of elekt.newsletter that belongs to no customer.
type Subscriber struct {
	Person string
	Email  string
	Name   string
	Lists  []string
	Since  time.Time
}

// of starts a customer row from what the identity providers know of a person.
func of(key, no, plan string, created time.Time) Customer {
	p, ok := ByKey(key)
	if !ok {
		panic("demo: no person " + key)
	}
	return Customer{
		No: no, Person: key, GivenName: p.GivenName, FamilyName: p.FamilyName, BirthDate: p.BirthDate,
		NationalID: p.NationalID, Phone: p.Phone, Email: p.Email, Address: p.Address,
		Plan: plan, AppAccount: "app-" + no, Language: "nb", Created: created,
	}
}

func (c Customer) with(change func(*Customer)) Customer {
	change(&c)
	return c
}

func day(year int, month time.Month, d int) time.Time {
	return time.Date(year, month, d, 9, 0, 0, 0, time.UTC)
}

// Customers lists the rows of the company database.
func Customers() []Customer {
	return []Customer{
		of("ingrid", "100245", "plus", day(2023, 11, 2)).with(func(c *Customer) {
			c.ShopID = "S-20418"
			c.Newsletters = []string{"newsletter"}
			c.Devices = []Device{
				{Installation: "dK3vQ0aXTe2mP7rL9sWbYc", Platform: "ios", Model: "iPhone 15", OSVersion: "26.1", AppVersion: "8.4.0",
					PushToken: "demo-push-ingrid-1", FirstSeen: day(2024, 2, 10), LastSeen: day(2026, 11, 20)},
				{Installation: "fA8nZ4uHRc6tJ1oE5gVxMd", Platform: "android", Model: "Nettbrett 11", OSVersion: "15", AppVersion: "8.3.2",
					PushToken: "demo-push-ingrid-2", Advertising: "9c1f6d7e-52a0-4b8e-9d3c-0a1b2c3d4e5f", FirstSeen: day(2025, 5, 1), LastSeen: day(2026, 8, 3)},
			}
		}),
		of("amund", "100246", "free", day(2026, 5, 2)).with(func(c *Customer) {
			c.Newsletters = []string{"newsletter", "interest-list"}
			c.Devices = []Device{{Installation: "cB2yW7kSQi5hN3pD8lUzFa", Platform: "android", Model: "Pixel 9", OSVersion: "16", AppVersion: "8.4.0",
				PushToken: "demo-push-amund", Advertising: "1e2d3c4b-5a69-4788-8796-a5b4c3d2e1f0", FirstSeen: day(2026, 5, 2), LastSeen: day(2026, 11, 22)}}
		}),
		of("solveig", "100311", "plus", day(2022, 3, 14)).with(func(c *Customer) { c.ShopID = "S-11807" }),
		of("jonas", "100402", "free", day(2025, 9, 5)).with(func(c *Customer) {
			c.ShopID = "S-30977"
			c.AppAccount = ""
			c.Newsletters = []string{"newsletter"}
		}),
		of("eirik", "100518", "plus", day(2024, 1, 8)).with(func(c *Customer) {
			c.Devices = []Device{{Installation: "eH6qT1mVOb9xK4jG2rCwSp", Platform: "ios", Model: "iPhone 16 Pro", OSVersion: "26.1", AppVersion: "8.4.0",
				PushToken: "demo-push-eirik", FirstSeen: day(2024, 1, 8), LastSeen: day(2026, 11, 23)}}
		}),
		of("gunvor", "100627", "plus", day(2021, 10, 19)),
		of("bjarne", "100733", "free", day(2020, 6, 1)),
		of("bjarne", "104190", "plus", day(2026, 2, 27)).with(func(c *Customer) { c.Email, c.Phone = "bjarne.gard@example.com", "" }),
		// Marit's rows come from the shop and from a dead account: no identity number, the same telephone.
		of("marit", "100850", "free", day(2022, 12, 3)).with(func(c *Customer) { c.NationalID = "" }),
		of("marit", "102266", "free", day(2024, 7, 30)).with(func(c *Customer) { c.NationalID, c.GivenName, c.Email = "", "Marit Elise", "" }),
		of("tuva", "100964", "free", day(2026, 4, 17)),
		of("halvor", "101071", "plus", day(2023, 8, 22)),
		of("silje", "101188", "free", day(2025, 1, 29)).with(func(c *Customer) { c.NationalID = "" }),
		of("piotr", "101290", "free", day(2025, 3, 11)).with(func(c *Customer) { c.Language = "en" }),
		of("maret", "101304", "plus", day(2022, 2, 6)).with(func(c *Customer) {
			c.Newsletters = []string{"newsletter", "interest-list"}
		}),
		of("linnea", "101415", "plus", day(2024, 10, 10)).with(func(c *Customer) {
			c.Protected = true
			c.Address = Address{"Hemmelig vei 1", "1606", "Fredrikstad"}
		}),
		of("even", "101526", "free", day(2026, 1, 15)),
		of("arvid", "101637", "free", day(2019, 5, 20)).with(func(c *Customer) { c.NationalID, c.Phone, c.AppAccount = "", "", "" }),
		of("berit", "101748", "plus", day(2023, 5, 17)).with(func(c *Customer) { c.Language = "nn" }),
	}
}

// Subscribers lists those who get e-mail and are no customers.
func Subscribers() []Subscriber {
	return []Subscriber{
		{Person: "toralf", Email: "toralf@example.com", Name: "Toralf Bekkevar", Lists: []string{"newsletter", "interest-list"}, Since: day(2023, 4, 27)},
	}
}

// CustomersOf lists the customer rows of one person.
func CustomersOf(key string) []Customer {
	return slices.DeleteFunc(Customers(), func(c Customer) bool { return c.Person != key })
}

// Load fills the company database that SchemaSQL made with the demo people, in
// one transaction as elekt_owner. ninHashKey is the key of the portal's own
// hashes of identity numbers. Rows that are there already are set back to how
// they began; other rows are left alone.
func Load(ctx context.Context, db *sql.DB, ninHashKey []byte) (err error) {
	if len(ninHashKey) == 0 {
		return errors.New("demo: no key for hashes of identity numbers")
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("demo: begin: %w", err)
	}
	defer func() {
		if rollback := tx.Rollback(); rollback != nil && !errors.Is(rollback, sql.ErrTxDone) {
			err = errors.Join(err, fmt.Errorf("demo: roll back: %w", rollback))
		}
	}()
	if _, err := tx.ExecContext(ctx, "SET LOCAL ROLE elekt_owner"); err != nil {
		return fmt.Errorf("demo: become elekt_owner: %w", err)
	}
	for _, c := range Customers() {
		if err := loadCustomer(ctx, tx, c, ninHashKey); err != nil {
			return fmt.Errorf("demo: customer %s: %w", c.No, err)
		}
	}
	for _, s := range Subscribers() {
		if err := loadSubscriber(ctx, tx, s.Email, s.Name, "", "", s.Lists, s.Since); err != nil {
			return fmt.Errorf("demo: subscriber %s: %w", s.Person, err)
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("demo: commit: %w", err)
	}
	return nil
}

func loadCustomer(ctx context.Context, tx *sql.Tx, c Customer, key []byte) error {
	var hash []byte
	if c.NationalID != "" {
		hash = privacy.HashNationalID(key, c.NationalID)
	}
	_, err := tx.ExecContext(ctx, `
		INSERT INTO elekt.customer (customer_no, given_name, family_name, birth_date, nin_hash, phone, email,
			street, postal_code, city, plan, shop_customer_id, app_account_id, protected_address, language, created_at)
		VALUES ($1, $2, $3, NULLIF($4, '')::date, $5, NULLIF($6, ''), NULLIF($7, ''),
			NULLIF($8, ''), NULLIF($9, ''), NULLIF($10, ''), $11, NULLIF($12, ''), NULLIF($13, ''), $14, $15, $16)
		ON CONFLICT (customer_no) DO UPDATE SET given_name = excluded.given_name, family_name = excluded.family_name,
			birth_date = excluded.birth_date, nin_hash = excluded.nin_hash, phone = excluded.phone, email = excluded.email,
			street = excluded.street, postal_code = excluded.postal_code, city = excluded.city, plan = excluded.plan,
			shop_customer_id = excluded.shop_customer_id, app_account_id = excluded.app_account_id,
			protected_address = excluded.protected_address, language = excluded.language, created_at = excluded.created_at`,
		c.No, c.GivenName, c.FamilyName, c.BirthDate, hash, c.Phone, c.Email,
		c.Address.Street, c.Address.PostalCode, c.Address.City, c.Plan, c.ShopID, c.AppAccount, c.Protected, c.Language, c.Created)
	if err != nil {
		return err
	}
	for _, d := range c.Devices {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO elekt.device (installation_id, customer_no, platform, model, os_version, app_version, language,
				time_zone, push_token, advertising_id, first_seen, last_seen)
			VALUES ($1, $2, $3, $4, $5, $6, $7, 'Europe/Oslo', NULLIF($8, ''), NULLIF($9, '')::uuid, $10, $11)
			ON CONFLICT (installation_id) DO UPDATE SET customer_no = excluded.customer_no, platform = excluded.platform,
				model = excluded.model, os_version = excluded.os_version, app_version = excluded.app_version,
				language = excluded.language, time_zone = excluded.time_zone, push_token = excluded.push_token,
				advertising_id = excluded.advertising_id, first_seen = excluded.first_seen, last_seen = excluded.last_seen`,
			d.Installation, c.No, d.Platform, d.Model, d.OSVersion, d.AppVersion, c.Language,
			d.PushToken, d.Advertising, d.FirstSeen, d.LastSeen)
		if err != nil {
			return err
		}
	}
	if len(c.Newsletters) == 0 {
		return nil
	}
	return loadSubscriber(ctx, tx, c.Email, c.GivenName+" "+c.FamilyName, c.Phone, c.No, c.Newsletters, c.Created)
}

func loadSubscriber(ctx context.Context, tx *sql.Tx, email, name, phone, customerNo string, lists []string, since time.Time) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO elekt.newsletter (email, name, phone, customer_no, lists, since)
		VALUES ($1, NULLIF($2, ''), NULLIF($3, ''), NULLIF($4, ''), $5, $6)
		ON CONFLICT (email) DO UPDATE SET name = excluded.name, phone = excluded.phone,
			customer_no = excluded.customer_no, lists = excluded.lists, since = excluded.since`,
		email, name, phone, customerNo, pq.Array(lists), since)
	return err
}
