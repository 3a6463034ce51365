package main

// policyToolVerbs are compliance's tools for the text of policies. They need no running hub.
func policyToolVerbs() []verb {
	return []verb{policyFmtVerb(), policyDiffVerb(), policySchemaVerb(), policyLibraryVerb()}
}
