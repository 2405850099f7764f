package pgdev

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// account is who runs the server.
type account struct {
	drop      bool // change to uid and gid; we are root
	namespace bool // stay who we are, but be uid and gid inside a user namespace
	uid, gid  int
}

// whoRuns picks the account and proves that programs of bin can run as it.
func whoRuns(bin string) (account, error) {
	if os.Geteuid() != 0 {
		return account{uid: os.Geteuid(), gid: os.Getegid()}, nil
	}
	var candidates []account
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.Atoi(u.Uid)
		gid, gidErr := strconv.Atoi(u.Gid)
		if uidErr == nil && gidErr == nil && uid != 0 {
			candidates = append(candidates, account{drop: true, uid: uid, gid: gid})
		}
	}
	for _, a := range candidates {
		if a.works(bin) == nil {
			return a, nil
		}
	}
	for _, a := range candidates {
		a.drop, a.namespace = false, true
		if a.works(bin) == nil {
			return a, nil
		}
	}
	return account{}, fmt.Errorf("PostgreSQL does not run as root, and neither the user postgres nor nobody can run %s: start this as an ordinary user", bin)
}

// as is the account for a database folder that may exist already: PostgreSQL
// insists on running as its owner, who may be the ordinary user whom root took
// the project over from.
func (a account) as(data string) (account, error) {
	info, err := os.Stat(data)
	if os.IsNotExist(err) || err == nil && !a.drop {
		return a, nil
	}
	if err != nil {
		return a, err
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		if stat.Uid == 0 { // made in a user namespace
			a.drop, a.namespace = false, true
		} else {
			a.uid, a.gid = int(stat.Uid), int(stat.Gid)
		}
	}
	return a, nil
}

// works runs a program of bin as the account.
func (a account) works(bin string) error {
	cmd := exec.Command(filepath.Join(bin, "postgres"), "--version")
	cmd.Dir = "/"
	cmd.SysProcAttr = a.attr()
	return cmd.Run()
}

// attr makes a child process run as the account, in a session of its own.
func (a account) attr() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setsid: true}
	switch {
	case a.drop:
		attr.Credential = &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.gid)}
	case a.namespace:
		attr.Cloneflags = syscall.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: a.uid, HostID: os.Geteuid(), Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: a.gid, HostID: os.Getegid(), Size: 1}}
	}
	return attr
}

// own gives a folder to the account.
func (a account) own(path string) error {
	if !a.drop {
		return nil
	}
	return os.Chown(path, a.uid, a.gid)
}

// reaches tells whether the account can work in dir: every folder on the way
// down must be open to it.
func (a account) reaches(dir string) bool {
	if !a.drop {
		return true
	}
	cmd := exec.Command("/bin/sh", "-c", ":")
	cmd.Dir = dir
	cmd.SysProcAttr = a.attr()
	return cmd.Run() == nil
}
