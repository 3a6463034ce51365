package schema

import "tradehub/hub/config"

// configRoot is the mapping at the top of hub.yaml.
func configRoot() object { return configKeys(config.Describe()) }

func configKeys(all []config.Key) object {
	properties := object{}
	var needed []string
	for _, k := range all {
		properties[k.Name] = described(shapes(k.Shapes), k.Meaning)
		if k.Needed {
			needed = append(needed, k.Name)
		}
	}
	return keys(properties, needed...)
}

// shapes is a value that can be one of several.
func shapes(all []config.Shape) object {
	alternatives := make([]object, len(all))
	for i, s := range all {
		alternatives[i] = shape(s)
	}
	return anyOf(alternatives...)
}

func shape(s config.Shape) object {
	switch s.Kind {
	case config.ShapeKeys:
		return configKeys(s.Keys)
	case config.ShapeNames:
		return named(shapes(s.Of))
	case config.ShapeList:
		return object{"type": "array", "items": shapes(s.Of), "minItems": 1}
	case config.ShapeWord:
		return words(s.Words)
	case config.ShapeNumber:
		return anyOf(object{"type": "number"}, pattern(`^[-+]?[0-9_]*(\.[0-9]+)?([eE][-+]?[0-9]{1,3})?$`))
	case config.ShapeWhole:
		return anyOf(object{"type": "integer", "minimum": s.Low, "maximum": s.High}, pattern("^[0-9][0-9_]*$"))
	case config.ShapeDuration:
		return pattern(`^\+?([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))*$`)
	case config.ShapeSize:
		return pattern(`^[0-9]{1,7}(B|kB|MB|GB|KiB|MiB|GiB)$`)
	case config.ShapeTime:
		return pattern(`^[0-9]{2}:[0-9]{2}$`)
	case config.ShapeFree:
		return object{"type": "object"}
	case config.ShapeText:
	}
	return ref("text")
}
