package views

// Logins is the page of a person's logins and the places where they are logged in.
type Logins struct {
	Shell
	CSRF     string
	Notice   *Notice // "Økten er avsluttet."
	Logins   []LoginLine
	Sessions []SessionLine
}

// LoginLine is one login that is tied to the person.
type LoginLine struct {
	ID       string
	Provider string // "BankID"
	Level    string // what it reaches, a few words
	Since    string // day
	Last     string // when it was last used
	Current  bool   // the one of this session
	CanEnd   bool   // false for the only one that is left
}

// SessionLine is one place where the person is logged in.
type SessionLine struct {
	ID      string
	Device  string // "Firefox på Windows", "Elekt-appen på Pixel 8"
	Phone   bool   // draws a phone instead of a computer
	With    string // provider
	Started string
	Seen    string // when it was last used
	Current bool
}
