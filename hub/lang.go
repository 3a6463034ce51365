package hub

// Lang is the language that a person reads. The zero value is English.
type Lang string

// Languages that sentences are written in.
const (
	English Lang = "en"
	Chinese Lang = "zh"
)
