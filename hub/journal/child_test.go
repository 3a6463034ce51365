package journal_test

func childProposes()       {}
func childMeetsFileLimit() {}
