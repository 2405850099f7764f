package views

// Cookies is the page on what the portal itself stores in the browser.
// law: ekomloven § 3-15
type Cookies struct {
	Shell
	// The names under which the cookies are set here.
	Session  Cookie
	Login    Cookie
	Age      Cookie
	Language Cookie
}

// Cookie is one cookie.
type Cookie struct {
	Name  string
	Lasts string // in words: "ti minutter"
}
