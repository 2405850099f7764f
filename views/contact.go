package views

// Contact is how to reach the company, its data protection officer and the
// authority, with a login or without. law: GDPR 13(1)(a)-(b), 13(2)(d), 77
type Contact struct {
	Shell
	Controller Controller
	Authority  Authority
	Least      int // age in years
}

// Authority is the supervisory authority.
type Authority struct {
	Name    string
	URL     string
	Address string
	Phone   string
	Email   string
}
