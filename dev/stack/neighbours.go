package stack

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/lib/pq"

	"elekt.no/innsyn/dev/demo"
	"elekt.no/innsyn/dev/idp"
	"elekt.no/innsyn/dev/standin"
)

// How the portal is known at the providers and recipients of the development world.
const (
	bankIDClient = "innsyn-bankid"
	vippsClient  = "innsyn-vipps"
	bankIDKeyID  = "innsyn-dev-1"
	mailDomain   = "mail.elekt.example"
	newsDomain   = "news.elekt.example"
)

// mailingLists are the addresses of the lists at Mailgun, by their name in the
// company database, which is also the purpose in the catalogue.
var mailingLists = map[string]string{
	"newsletter":    "newsletter@" + newsDomain,
	"interest-list": "interest@" + newsDomain,
}

// startNeighbours starts the identity provider and the stand-ins in this process.
func (s *Stack) startNeighbours(ctx context.Context, p *ports, k *keys, logs io.Writer) error {
	log := slog.New(slog.NewTextHandler(logs, &slog.HandlerOptions{Level: slog.LevelWarn}))
	var err error
	if s.IDP, err = idp.New(idp.Options{BaseURL: s.IdentityProvider, Clients: append(s.clients(k), systemClients(k.systems)...), API: s.apiAudience(), Log: log}); err != nil {
		return err
	}
	options := standin.Options{Domains: []string{mailDomain, newsDomain}, Log: log}
	k.recipients.accounts(&options)
	for _, list := range mailingLists {
		options.Lists = append(options.Lists, list)
	}
	s.Standin = standin.New(options)
	if err := errors.Join(s.subscribe(ctx), s.homes(ctx)); err != nil {
		return err
	}
	s.serve(s.IDP, p.idp...)
	s.serve(s.Standin, p.standin)
	return nil
}

func (s *Stack) serve(h http.Handler, listeners ...net.Listener) {
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	s.servers = append(s.servers, server)
	for _, l := range listeners {
		go server.Serve(l) // ends with Stop
	}
}

// clients registers the portal at the providers.
func (s *Stack) clients(k *keys) []idp.Client {
	public := &jose.JSONWebKey{Key: k.bankID.Public(), KeyID: bankIDKeyID, Algorithm: string(jose.ES256), Use: "sig"}
	back := []string{s.Portal + "/"}
	return []idp.Client{
		{Provider: idp.BankID, ID: bankIDClient, PublicJWK: public, AuthMethod: idp.PrivateKeyJWT,
			RedirectURIs: []string{s.Portal + "/login/bankid/callback"}, PostLogoutRedirectURIs: back},
		{Provider: idp.Vipps, ID: vippsClient, Secret: k.vipps, AuthMethod: idp.SecretBasic,
			RedirectURIs: []string{s.Portal + "/login/vipps/callback"}, PostLogoutRedirectURIs: back},
	}
}

// loadDemo fills the company database. Identity numbers are hashed with the
// portal's own key, as the company would do by agreement.
func (s *Stack) loadDemo(ctx context.Context, k *keys) error {
	return with(s.Databases.CompanyOwner, func(db *sql.DB) error { return demo.Load(ctx, db, k.nationalID) })
}

// subscribe puts the readers in the company database on the lists at Mailgun.
func (s *Stack) subscribe(ctx context.Context) error {
	return with(s.Databases.CompanyOwner, func(db *sql.DB) (err error) {
		rows, err := db.QueryContext(ctx, "SELECT email, coalesce(name, ''), lists FROM elekt.newsletter ORDER BY email")
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, rows.Close()) }()
		for rows.Next() {
			var email, name string
			var lists []string
			if err := rows.Scan(&email, &name, pq.Array(&lists)); err != nil {
				return err
			}
			for _, list := range lists {
				if err := s.Standin.Subscribe(mailingLists[list], email, name); err != nil {
					return err
				}
			}
		}
		return rows.Err()
	})
}
