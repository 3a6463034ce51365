// Package pluginpb is what goes over the wire between the hub and its plugins: the generated messages of the .proto files beside package plugins,
// and their conversion to and from the nouns of package hub.
//
// Whatever comes from a plugin is checked here for being a value at all: a decimal that is none, or an enumeration's number that has no name, is an error
// that says where it was. What the value means is checked by those who use it. Text that is not UTF-8, such as a venue's message in GBK,
// is made so on the way out, since a message with such a text cannot be sent at all.
package pluginpb
