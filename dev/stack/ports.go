package stack

import (
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"
)

// ports are the addresses of the stack, held open so that nobody else takes them.
type ports struct {
	portal  net.Listener
	idp     []net.Listener // on 127.0.0.1 and, where there is one, ::1: localhost is either
	standin net.Listener
}

// The stand-ins have an address of their own, so that a cookie or a request
// that is meant for one part of the stack can't reach another unseen.
const (
	portalHost  = "127.0.0.1"
	idpHost     = "localhost"
	standinHost = "127.0.0.2"
)

// listen takes port, port+1 and port+2, or three free ones if port is 0.
func listen(port int) (*ports, error) {
	if port < 0 || port > 65533 {
		return nil, fmt.Errorf("PORT=%d: must be 1 to 65533, since the next two ports are used as well", port)
	}
	next := func(n int) int {
		if port == 0 {
			return 0
		}
		return port + n
	}
	p := &ports{}
	var err error
	if p.portal, err = take(portalHost, next(0), "the portal"); err != nil {
		return nil, err
	}
	four, err := take("127.0.0.1", next(1), "the identity provider")
	if err != nil {
		return nil, errors.Join(err, p.close())
	}
	p.idp = append(p.idp, four)
	six, err := take("::1", number(four), "the identity provider")
	if err == nil {
		p.idp = append(p.idp, six)
	} else if port != 0 && errors.Is(err, syscall.EADDRINUSE) {
		return nil, errors.Join(err, p.close())
	}
	if p.standin, err = take(standinHost, next(2), "the stand-ins"); err != nil {
		return nil, errors.Join(err, p.close())
	}
	return p, nil
}

func take(host string, port int, what string) (net.Listener, error) {
	l, err := net.Listen("tcp", join(host, port))
	// One that was killed this very moment gives its ports back soon.
	for range 20 {
		if !errors.Is(err, syscall.EADDRINUSE) {
			break
		}
		time.Sleep(50 * time.Millisecond)
		l, err = net.Listen("tcp", join(host, port))
	}
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("port %d on %s, for %s, is in use. Stop the program that uses it, or choose other ports: make run PORT=9000 (%w)", port, host, what, err)
	}
	if err != nil {
		return nil, fmt.Errorf("port %d on %s, for %s: %w", port, host, what, err)
	}
	return l, nil
}

func number(l net.Listener) int {
	if a, ok := l.Addr().(*net.TCPAddr); ok {
		return a.Port
	}
	return 0
}

func (p *ports) portalURL() string  { return "http://" + join(portalHost, number(p.portal)) }
func (p *ports) idpURL() string     { return "http://" + join(idpHost, number(p.idp[0])) }
func (p *ports) standinURL() string { return "http://" + join(standinHost, number(p.standin)) }

// close closes what is still open; what has been closed already is no error.
func (p *ports) close() error {
	var errs []error
	for _, l := range append([]net.Listener{p.portal, p.standin}, p.idp...) {
		if l == nil {
			continue
		}
		if err := l.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
