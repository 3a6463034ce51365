package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"tradehub/hub/calendar"
	"tradehub/hub/config"
	"tradehub/hub/folder"
)

// calendarFilesMax bounds what is read.
const calendarFilesMax = 100

// loadCalendars makes the calendars of a configuration: the shipped ones, the user's, and which exchange has which. What is wrong comes back as lines, with their places; file is
// where the configuration is from.
func loadCalendars(file string, c config.Config) (*calendar.Set, []string, error) {
	files, err := readCalendars(c)
	if err != nil {
		return nil, nil, err
	}
	all, errs := calendar.Read(files)
	if len(errs) > 0 {
		return nil, mapped(errs, calendar.Error.Error), nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, nil, err
	}
	if errs := config.CheckCalendars(file, text, all.Names()); len(errs) > 0 {
		return nil, mapped(errs, config.Error.Error), nil
	}
	return calendarSet(c, all), nil, nil
}

// calendarSet: exchanges have the calendars that the configuration says; the others, when the main calendar is one with a name, those that the hub knows of itself; the rest the main one.
func calendarSet(c config.Config, all calendar.Library) *calendar.Set {
	of := map[string]*calendar.Calendar{}
	main := all[c.Calendar.Name]
	if c.Calendar.Name == "" {
		zone, err := time.LoadLocation(c.Calendar.Zone)
		if err != nil { // config has loaded it already, from the same built-in list
			panic(err)
		}
		main = calendar.Plain(config.MainCalendar, zone, c.Calendar.Roll, c.Calendar.Weekdays)
	} else {
		for _, x := range calendar.Exchanges() {
			of[x.Exchange] = all[x.Calendar]
		}
	}
	for _, x := range c.Calendars {
		of[x.Exchange] = all[x.Calendar]
		if x.Calendar == config.MainCalendar {
			of[x.Exchange] = main
		}
	}
	return calendar.NewSet(main, of)
}

// readCalendars reads the user's files of calendars, sorted by name.
func readCalendars(c config.Config) ([]calendar.File, error) {
	var out []calendar.File
	entries, err := os.ReadDir(c.CalendarFiles)
	if errors.Is(err, fs.ErrNotExist) {
		if c.CalendarFilesNamed {
			return nil, not("calendar_files: in hub.yaml names the folder", "there is no folder of calendars %s", c.CalendarFiles)
		}
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("calendars %s: %w", c.CalendarFiles, err)
	}
	for _, entry := range entries {
		if entry.IsDir() || !folder.Is(entry.Name()) {
			continue
		}
		if len(out) == calendarFilesMax {
			return nil, fmt.Errorf("more than %d files of calendars in %s", calendarFilesMax, c.CalendarFiles)
		}
		name := filepath.Join(c.CalendarFiles, entry.Name())
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("calendars: %w", err)
		}
		out = append(out, calendar.File{Name: name, Text: string(text)})
	}
	return out, nil
}

// mustCalendars is loadCalendars for verbs that cannot go on with wrong ones: it writes every error.
func mustCalendars(e env, file string, c config.Config) (*calendar.Set, error) {
	set, lines, err := loadCalendars(file, c)
	if err != nil {
		return nil, err
	}
	if len(lines) > 0 {
		writeLines(e.stderr, lines)
		return nil, not("", "%s in calendars", count(len(lines), "error"))
	}
	return set, nil
}
