module elekt.no/innsyn/dev

go 1.26.0

require elekt.no/innsyn v0.0.0

require (
	github.com/chromedp/cdproto v0.159.2 // indirect
	github.com/chromedp/chromedp v0.23.0 // indirect
	github.com/go-jose/go-jose/v4 v4.1.9 // indirect
	github.com/go-json-experiment/json v0.0.0-20260213210345-44df1a37e875 // indirect
	github.com/jmoiron/sqlx v1.4.0 // indirect
	github.com/lib/pq v1.12.3 // indirect
	github.com/zitadel/oidc/v3 v3.51.17 // indirect
)

replace elekt.no/innsyn => ../
