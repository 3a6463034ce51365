package policy

// Keys of policy files, in the order in which people write them. What is not in them is an error.
var (
	ownerKeys   = []string{"policy", "trader", "currency", "internal_cross", "limits", "use", "rules", "watch"}
	libraryKeys = []string{"policy", "source", "covers", "not_covered", "verify", "limits", "rules"}
	originKeys  = []string{"title", "publisher", "date", "url"}
	useKeys     = []string{"file", "rules", "limits", "mode"}
	ruleKeys    = []string{"name", "controls", "when", "require", "warn", "because", "mode"}
	watchKeys   = []string{"name", "when", "then", "because", "clear", "again"}
	langKeys    = []string{"en", "zh"}

	// Keys of versions 0 and 1 of the language, and those that were announced.
	oldOwnerKeys, laterOwnerKeys = []string{"policy", "trader", "currency", "internal_cross", "limits", "rules", "watch"}, []string{"use"}
	oldRuleKeys, laterRuleKeys   = []string{"name", "require", "when", "because"}, []string{"mode"}
)

// version2 is the language with libraries, shadow, warnings, controls and sentences in two languages.
const version2 = 2
