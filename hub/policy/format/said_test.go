package format_test

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"tradehub/hub"
	"tradehub/hub/policy"
)

var line = regexp.MustCompile(`line \d+`)

// said is what files compile to, every field of it but the places and the revision; or what is wrong with them, without the places.
func said(files ...hub.PolicyFile) []string {
	rules, errs := policy.Compile(files)
	var all []string
	if rules == nil {
		for _, e := range errs {
			all = append(all, asRule.Replace(line.ReplaceAllString(e.Text, "line N")))
		}
		slices.Sort(all)
		return all
	}
	dump(&all, "", reflect.ValueOf(rules))
	return all
}

// asRule evens out a rule's own text, which stands in for a because that is not there.
var asRule = strings.NewReplacer(" ", "", "&&", "and", "||", "or", "!=", "!=", "!", "not")

// dump writes every field below v. A field that is added to the rules is seen without a change here.
func dump(all *[]string, path string, v reflect.Value) {
	//exhaustive:ignore
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			*all = append(*all, path+" nil")
			return
		}
		dump(all, path, v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			switch name := v.Type().Field(i).Name; {
			case v.Type().Field(i).Type.Name() == "place", strings.EqualFold(name, "place"), name == "usedAt", name == "revision":
			case v.Type().Field(i).Type == reflect.TypeFor[*yaml.Node](): // where it stands
			default:
				dump(all, path+"."+name, v.Field(i))
			}
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			dump(all, fmt.Sprintf("%s[%d]", path, i), v.Index(i))
		}
	case reflect.Map:
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		for _, key := range keys {
			dump(all, path+"."+key.String(), v.MapIndex(key))
		}
	default:
		*all = append(*all, asRule.Replace(fmt.Sprintf("%s %v", path, v)))
	}
}
