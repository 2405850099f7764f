package pgdev

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// socketPath is how long the path of a socket may be on Linux.
const socketPath = 107

// place makes the folder and returns where it is: dir if the account can work
// there, else a folder in /var/tmp that follows from dir's path.
func place(dir string, as account) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if len(filepath.Join(dir, "run99", ".s.PGSQL.5432.lock")) <= socketPath {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return "", err
		}
		if as.reaches(dir) {
			return dir, nil
		}
	}
	sum := sha256.Sum256([]byte(dir))
	elsewhere := filepath.Join("/var/tmp", "innsyn-"+hex.EncodeToString(sum[:6]))
	if err := os.Mkdir(elsewhere, 0o755); err != nil && !os.IsExist(err) {
		return "", err
	}
	// /var/tmp is for everybody: what is there must be ours and no link.
	info, err := os.Lstat(elsewhere)
	if err != nil {
		return "", err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || !info.IsDir() || int(stat.Uid) != os.Geteuid() {
		return "", fmt.Errorf("%s is not a folder of ours; remove it", elsewhere)
	}
	if !as.reaches(elsewhere) {
		return "", fmt.Errorf("neither %s nor %s can be reached by the user that PostgreSQL runs as", dir, elsewhere)
	}
	return elsewhere, nil
}
