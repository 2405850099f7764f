package stack

import (
	"maps"
	"slices"

	"elekt.no/innsyn/dev/idp"
)

// systems are those of the company that call the API of the development world, with
// what they may do.
var systems = map[string][]string{
	"crm":         {"may-i:read", "choices:read", "choices:write"},
	"app-backend": {"may-i:read", "choices:read", "choices:write", "texts:read", "device:read", "device:write"},
}

// systemFile holds the secret of a system.
func systemFile(id string) string { return "api-" + id + ".secret" }

// loadSystemSecrets reads the secrets of the systems, or makes them.
func loadSystemSecrets(dir string) (map[string]string, error) {
	out := map[string]string{}
	for id := range systems {
		s, err := secret(dir, systemFile(id), random)
		if err != nil {
			return nil, err
		}
		out[id] = s
	}
	return out, nil
}

// apiAudience is whom access tokens for the API are for.
func (s *Stack) apiAudience() string { return s.Portal + "/api" }

// systemClients registers the systems at the company's issuer.
func systemClients(secrets map[string]string) []idp.Client {
	var out []idp.Client
	for _, id := range slices.Sorted(maps.Keys(systems)) {
		out = append(out, idp.Client{Provider: idp.Company, ID: id, Secret: secrets[id], Scopes: systems[id]})
	}
	return out
}
