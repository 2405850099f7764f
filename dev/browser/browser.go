// Package browser finds the Chromium that the end-to-end tests drive, and
// installs Debian's where it may.
package browser

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"

	"elekt.no/innsyn/internal/apt"
)

// Find returns the path of Chromium: CHROMIUM, else from PATH under one of its
// usual names, else newly installed. The error names the command to run.
func Find(ctx context.Context, log io.Writer) (string, error) {
	if named := os.Getenv("CHROMIUM"); named != "" {
		path, err := exec.LookPath(named)
		if err != nil {
			return "", fmt.Errorf("CHROMIUM: %w", err)
		}
		return path, nil
	}
	if path := inPath(); path != "" {
		return path, nil
	}
	if err := apt.Install(ctx, log, "Chromium", "chromium"); err != nil {
		return "", fmt.Errorf("%w (or name one with CHROMIUM=/path)", err)
	}
	if path := inPath(); path != "" {
		return path, nil
	}
	return "", errors.New("no Chromium in PATH even after it was installed; name one with CHROMIUM=/path")
}

func inPath() string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}
