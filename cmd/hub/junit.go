package main

import (
	"encoding/xml"
	"fmt"
	"os"
	"strings"
)

// The elements of a JUnit file, as build servers read them.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Errors   int          `xml:"errors,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Errors   int         `xml:"errors,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Name    string      `xml:"name,attr"`
		Class   string      `xml:"classname,attr"`
		File    string      `xml:"file,attr"`
		Line    int         `xml:"line,attr"`
		Failure *junitFault `xml:"failure"`
		Error   *junitFault `xml:"error"`
	}
	junitFault struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// writeJUnit writes the results: a suite for each file, and what is wrong in a file, or in a policy, as an error.
func writeJUnit(file string, t *tested) error {
	all := junitSuites{Suites: []junitSuite{}}
	suite := func(name string) *junitSuite {
		for i := range all.Suites {
			if all.Suites[i].Name == name {
				return &all.Suites[i]
			}
		}
		all.Suites = append(all.Suites, junitSuite{Name: name})
		return &all.Suites[len(all.Suites)-1]
	}
	for _, m := range t.Errors {
		s := suite(m.File)
		s.Tests++
		s.Errors++
		s.Cases = append(s.Cases, junitCase{Name: fmt.Sprintf("%s:%d:%d", m.File, m.Line, m.Col), Class: m.File, File: m.File, Line: m.Line, Error: &junitFault{m.Text, m.String()}})
	}
	for _, x := range t.Tests {
		s := suite(x.File)
		s.Tests++
		c := junitCase{Name: x.Name, Class: x.File, File: x.File, Line: x.Line}
		if !x.Passed {
			s.Failures++
			text := append([]string{x.Place + ": " + x.Step, "at " + x.At, "expected " + x.Expected, "happened " + x.Happened}, x.Details...)
			c.Failure = &junitFault{"expected " + x.Expected + ", happened " + x.Happened, strings.Join(text, "\n")}
		}
		s.Cases = append(s.Cases, c)
	}
	for _, s := range all.Suites {
		all.Tests, all.Failures, all.Errors = all.Tests+s.Tests, all.Failures+s.Failures, all.Errors+s.Errors
	}
	text, err := xml.MarshalIndent(all, "", "  ")
	if err != nil {
		return fmt.Errorf("junit: %w", err)
	}
	if err := os.WriteFile(file, append([]byte(xml.Header), append(text, '\n')...), 0o644); err != nil {
		return not("", "junit: %w", err)
	}
	return nil
}
