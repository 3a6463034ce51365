// Package schema writes JSON Schemas of the files that people write: policies, tests of policies, hub.yaml. Editors complete and check by them.
//
// They are made of what the parsers themselves go by: the table of keys of package policy, that of package policytest, and what the reader of package config says that it would read. A schema knows less than a
// parser: it sees keys, words and the form of numbers, not whether a condition is right. What it refuses the parser refuses, too; the other way round it is for hub policy check and hub check to say.
//
// The draft is 7, which the language servers of editors know. Numbers such as 1_000_000 are numbers in YAML 1.1 and texts in YAML 1.2, by which editors read; both are taken.
package schema
