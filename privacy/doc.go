// Package privacy is the domain of Innsyn, without a database, a network or a
// clock: the catalogue of purposes, what a person may choose, the entry that
// proves a choice, and the dates that the law sets.
//
// Terms, as the field uses them. A data subject is a person, known here only by
// a random PersonRef. A purpose is one use of personal data with one legal
// basis (GDPR art. 6) and one control: what the person can do about it. A
// decision is an act of the person; a choice is the decision now in force; a
// state is what follows from it together with the catalogue. A recipient is
// whoever gets the data, processor or controller. Assurance is how sure a login
// is of who is there.
//
// Everything that depends on the time takes it as a parameter. Everything that
// can go wrong for a person is an *Error with a kind and an i18n key, so that
// one place can turn it into a page; other errors are internal and their text
// never leaves the server.
package privacy
