package pgdev

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
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

// accounts lists who could run the server, the best first.
func accounts() []account {
	if os.Geteuid() != 0 {
		return []account{{uid: os.Geteuid(), gid: os.Getegid()}}
	}
	var plain []account
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.Atoi(u.Uid)
		gid, gidErr := strconv.Atoi(u.Gid)
		if uidErr == nil && gidErr == nil && uid != 0 {
			plain = append(plain, account{drop: true, uid: uid, gid: gid})
		}
	}
	all := plain
	for _, a := range plain {
		all = append(all, account{namespace: true, uid: a.uid, gid: a.gid})
	}
	return all
}

// socketPath is how long the path of a socket may be on Linux.
const socketPath = 107

// settle decides where the server lives and who runs it: in dir, or if nobody
// can work there, in a folder in /var/tmp that follows from dir's path.
func settle(bin, dir string, candidates []account, log io.Writer) (string, account, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", account{}, err
	}
	if err := openRoot(log); err != nil {
		return "", account{}, err
	}
	if len(filepath.Join(dir, "run99", ".s.PGSQL.5432.lock")) <= socketPath {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return "", account{}, err
		}
		for _, a := range candidates {
			if a.works(bin, dir) {
				return dir, a, nil
			}
		}
	}
	sum := sha256.Sum256([]byte(dir))
	elsewhere := filepath.Join("/var/tmp", "innsyn-"+hex.EncodeToString(sum[:6]))
	if err := os.Mkdir(elsewhere, 0o755); err != nil && !os.IsExist(err) {
		return "", account{}, err
	}
	// /var/tmp is for everybody: what is there must be ours and no link.
	info, err := os.Lstat(elsewhere)
	if err != nil {
		return "", account{}, err
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); !ok || !info.IsDir() || int(stat.Uid) != os.Geteuid() {
		return "", account{}, fmt.Errorf("%s is not a folder of ours; remove it", elsewhere)
	}
	for _, a := range candidates {
		if a.works(bin, elsewhere) {
			return elsewhere, a, nil
		}
	}
	return "", account{}, fmt.Errorf("PostgreSQL in %s can be run neither in %s nor in %s; it refuses to run as root, so start this as an ordinary user", bin, dir, elsewhere)
}

// openRoot mends a system whose / is closed to everybody but root, as a root made
// by debootstrap in a private folder is. No other user can run anything there.
func openRoot(log io.Writer) error {
	info, err := os.Stat("/")
	if err != nil || os.Geteuid() != 0 || info.Mode().Perm()&0o001 != 0 {
		return err
	}
	fmt.Fprintf(log, "/ is closed to all users but root (mode %04o): chmod 0755 /, since PostgreSQL does not run as root\n", info.Mode().Perm())
	return os.Chmod("/", 0o755)
}

// works tries to run a program of bin as the account in dir.
func (a account) works(bin, dir string) bool {
	cmd := exec.Command(filepath.Join(bin, "postgres"), "--version")
	cmd.Dir = dir
	cmd.SysProcAttr = a.attr()
	return cmd.Run() == nil
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
			a = account{namespace: true, uid: a.uid, gid: a.gid}
		} else {
			a.uid, a.gid = int(stat.Uid), int(stat.Gid)
		}
	}
	return a, nil
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
