package auth

// AddressKey is the key under which the worker hashes addresses on the company's own
// list of whom it sends nothing to. It rests on the key of identity numbers, which
// stays for good: under another key the list would be forgotten. law: GDPR 21(3)
func AddressKey(nationalIDKey []byte) ([]byte, error) { return subkey(nationalIDKey, "addresses") }
