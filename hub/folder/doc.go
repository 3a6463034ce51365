// Package folder is the policy folder on disk: it reads what is there as one, or not at all, says who else could write it, and notices that somebody changed it.
//
// It knows nothing of what the files say. What it answers for is that the text it hands over is text that somebody saved who may: a folder that others can write is an error that says how to
// mend it, and a change is told only when it has come to rest.
package folder
