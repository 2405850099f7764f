package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
)

// answer is a real answer of the portal, which the bare handler repeats.
type answer struct {
	Write    bool // after the writes of a toggle
	Compress bool // for each request
	Status   int
	Header   http.Header
	Body     []byte
}

// ask gets an answer of the portal as it goes over the wire. A toggle is really made.
func ask(ctx context.Context, portal string, t task, v *visitor) (*answer, error) {
	host := strings.TrimPrefix(portal, "http://")
	senders, err := t.senders(ctx, portal, host, t.path(), 1, []*visitor{v})
	if err != nil {
		return nil, err
	}
	b, err := senders[0].next()
	if err != nil {
		return nil, err
	}
	r, err := roundTrip(ctx, host, b)
	if err != nil {
		return nil, err
	}
	if r.Status != t.status() {
		return nil, fmt.Errorf("the portal answers %d: %s", r.Status, r.Body)
	}
	r.Write = t.write
	return r, nil
}

// roundTrip sends the bytes of a request and reads the answer, uncompressed or not
// as it came.
func roundTrip(ctx context.Context, host string, request []byte) (_ *answer, err error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", host)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	if _, err := c.Write(request); err != nil {
		return nil, err
	}
	r, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(r.Body)
	if err := errors.Join(err, r.Body.Close()); err != nil {
		return nil, err
	}
	r.Header.Del("Date") // net/http writes its own
	return &answer{Status: r.StatusCode, Header: r.Header, Body: body}, nil
}
