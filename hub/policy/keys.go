package policy

// Keys of policy files, in the order in which people write them. What is not in them is an error. The table says what each of them is.
var (
	ownerKeys   = keyNames(fileKeys, kindFund, kindTrader)
	libraryKeys = keyNames(fileKeys, kindLibrary)
	originKeys  = keyNames(sourceKeys)
	useKeys     = keyNames(usesKeys)
	ruleKeys    = keyNames(rulesKeys)
	watchKeys   = keyNames(watchesKeys)
	langKeys    = keyNames(languageKeys)

	// Keys of versions 0 and 1 of the language, and those that were announced.
	oldOwnerKeys, laterOwnerKeys = []string{"policy", "trader", "currency", "internal_cross", "limits", "rules", "watch"}, []string{"use"}
	oldRuleKeys, laterRuleKeys   = []string{"name", "require", "when", "because"}, []string{"mode"}
)

// version2 is the language with libraries, shadow, warnings, controls and sentences in two languages.
const version2 = 2
