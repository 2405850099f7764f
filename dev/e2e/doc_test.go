// Package e2e drives the whole portal as people do: the real binary, serve and
// worker, on a real database, with the development identity provider and the
// stand-ins around it (dev/stack), in a real headless Chromium.
//
// # The world
//
// One stack and one browser are started for all tests, in TestMain. Tests run
// one after the other, and each begins in an empty portal: arrive forgets every
// person, stand-ins and identity provider are set back, and when the test ends
// every proof in the ledger is recomputed. Only the log is never forgotten: when
// all tests are over, everything that the binary wrote is searched for what it
// must not hold.
//
// # Who acts
//
// A visitor is a browser tab without a cookie, with verbs that read as what a
// person does: visit, login, press, sees. On every page that it comes to, a
// visitor looks at what no page may have: a message on the console, a breach of
// the Content-Security-Policy, a request to a stranger, a missing header, an
// untranslated key, sideways scrolling. A caller is a program without a browser,
// which sends what no page would send.
//
// Nothing waits for a time; everything waits for something to be seen.
//
// INNSYN_PICTURES=1 writes a picture of each page at 390 and 1280 px, light and
// dark, to .cache/pictures.
package e2e
