package fulfil

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// Ad platforms know people by SHA-256 of their address. Each has its own rules for
// what is hashed; a hash made otherwise removes nobody.

func hexHash(s string) string {
	h := sha256.Sum256([]byte(s))
	return hex.EncodeToString(h[:])
}

// plainEmail is an address without spaces around it, in small letters; empty if
// it is none.
func plainEmail(email string) string {
	email = strings.ToLower(strings.TrimSpace(email))
	if user, host, ok := strings.Cut(email, "@"); !ok || user == "" || host == "" {
		return ""
	}
	return email
}

// metaEmail: no spaces around it, small letters.
func metaEmail(email string) string {
	if email = plainEmail(email); email == "" {
		return ""
	}
	return hexHash(email)
}

// metaPhone: digits alone, with country code, without + and zeros before it.
func metaPhone(phone string) string {
	digits := strings.TrimLeft(onlyDigits(phone), "0")
	if digits == "" {
		return ""
	}
	return hexHash(digits)
}

// googleEmail: as Meta, and Gmail's dots, which mean nothing there, are left out.
func googleEmail(email string) string {
	if email = googlePlainEmail(email); email == "" {
		return ""
	}
	return hexHash(email)
}

func googlePlainEmail(email string) string {
	email = plainEmail(email)
	user, host, ok := strings.Cut(email, "@")
	if ok && (host == "gmail.com" || host == "googlemail.com") {
		return strings.ReplaceAll(user, ".", "") + "@" + host
	}
	return email
}

// googlePhone: E.164 with its +.
func googlePhone(phone string) string {
	if phone = googlePlainPhone(phone); phone == "" {
		return ""
	}
	return hexHash(phone)
}

func googlePlainPhone(phone string) string {
	digits := onlyDigits(phone)
	if digits == "" {
		return ""
	}
	return "+" + digits
}

func onlyDigits(s string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
}
