package idp

import (
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// serveAuthorize checks an authorization request as op does and as the provider
// does beyond that, and sends the browser to the page of test persons. A request
// whose client or redirect address is wrong is answered here; every other refusal
// goes back to the client.
func (p *provider) serveAuthorize(w http.ResponseWriter, r *http.Request) {
	request, err := op.ParseAuthorizeRequest(r, p.op.Decoder())
	if err != nil {
		http.Error(w, "The authorization request can't be read.", http.StatusBadRequest)
		return
	}
	c, known := p.clients[request.ClientID]
	if !known || !slices.Contains(c.RedirectURIs, request.RedirectURI) {
		http.Error(w, "The client is unknown or the redirect address is not registered.", http.StatusBadRequest)
		return
	}
	if err := p.check(r, request, client{c, p}); err != nil {
		var e *oidc.Error
		if !errors.As(err, &e) {
			e = oidc.ErrInvalidRequest()
		}
		p.server.log.Info("authorization refused", "provider", p.name, "error", e.ErrorType, "description", e.Description)
		p.answer(w, r, request, url.Values{"error": {string(e.ErrorType)}, "error_description": {e.Description}, "state": {request.State}})
		return
	}
	http.Redirect(w, r, p.choicePath(p.begin(request).id), http.StatusSeeOther)
}

// check refuses what op or the provider refuses.
func (p *provider) check(r *http.Request, request *oidc.AuthRequest, c client) error {
	asked := slices.Clone(request.Scopes)
	if _, err := op.ValidateAuthRequestClient(op.ContextWithIssuer(r.Context(), p.issuer), request, c, p.op.IDTokenHintVerifier(r.Context())); err != nil {
		return err
	}
	for _, scope := range asked {
		if !slices.Contains(p.scopes, scope) {
			return oidc.ErrInvalidScope().WithDescription("The scope is not known or not granted.")
		}
	}
	switch {
	case !slices.Contains(asked, "openid"):
		return oidc.ErrInvalidScope().WithDescription("The scope openid is missing.")
	case request.RequestParam != "":
		return oidc.ErrRequestNotSupported()
	case request.ResponseMode != "" && !slices.Contains(p.responseModes, string(request.ResponseMode)):
		request.ResponseMode = ""
		return oidc.ErrInvalidRequest().WithDescription("The response_mode is not supported.")
	}
	if err := p.require(request); err != nil {
		return err
	}
	if slices.Contains(request.Prompt, oidc.PromptNone) {
		return oidc.ErrLoginRequired()
	}
	return nil
}

// answer sends the browser back to the client in the response mode it asked for.
// Always by GET or by a form of our own: RFC 9700 section 4.12.
func (p *provider) answer(w http.ResponseWriter, r *http.Request, request *oidc.AuthRequest, values url.Values) {
	maps.DeleteFunc(values, func(_ string, v []string) bool { return v[0] == "" })
	to, err := url.Parse(request.RedirectURI)
	if err != nil {
		http.Error(w, "The redirect address can't be read.", http.StatusBadRequest)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	switch request.ResponseMode {
	case oidc.ResponseModeFormPost:
		p.server.page(w, http.StatusOK, "form_post", formPostPage{To: request.RedirectURI, Values: values}, to)
		return
	case oidc.ResponseModeFragment:
		http.Redirect(w, r, to.String()+"#"+values.Encode(), http.StatusSeeOther)
	default:
		query := to.Query()
		maps.Copy(query, values)
		to.RawQuery = query.Encode()
		http.Redirect(w, r, to.String(), http.StatusSeeOther)
	}
}
