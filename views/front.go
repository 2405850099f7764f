package views

// Front is the page before the login.
type Front struct {
	Shell
	Notice *Notice // logged out, session ended
	Logins []Login // the ordinary ways
	Other  []Login // those behind "other ways"
}

// Login is a way to log in.
type Login struct {
	Name        string // "BankID"
	URL         string // where the login starts, with what it needs to start
	Unavailable bool   // the provider doesn't answer right now
}
