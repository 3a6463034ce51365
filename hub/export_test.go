package hub

// ChineseForms is the table of sentences.
func ChineseForms() map[string]string { return chinese }

// ChineseTexts is the table of fixed texts.
func ChineseTexts() map[string]string { return chineseTexts }

// ChinesePatterns are the English forms of the texts with something in them.
func ChinesePatterns() (forms []string) {
	for _, p := range chinesePatterns {
		forms = append(forms, p.en)
	}
	return forms
}
