package main

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/hashicorp/go-hclog"

	"tradehub/hub/audit"
	"tradehub/hub/config"
)

// recordDir is where the permanent record of a data directory is.
func recordDir(data string) string { return filepath.Join(data, "record") }

// openRecord opens the permanent record. A hub whose record cannot be opened starts all the same, and takes no orders.
func openRecord(c config.Config, log hclog.Logger) *audit.Recorder {
	dir := recordDir(c.Data)
	r, err := audit.Open(audit.Options{Dir: dir, Log: log.Named("record")})
	switch {
	case errors.Is(err, audit.ErrDamaged):
		return audit.Unusable(fmt.Errorf("%w; move %s away and keep it for examination: a new record begins, which says where", err, dir))
	case err != nil:
		return audit.Unusable(fmt.Errorf("the permanent record cannot be opened: %w", err))
	}
	return r
}
