package apidoc

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
)

// ErrShape says that a value does not match its published schema.
var ErrShape = errors.New("not as described")

// ShapedFields returns those of the collection's fields whose JSON has a published shape.
func ShapedFields(name string, fields []string) []string {
	return slices.DeleteFunc(slices.Clone(fields), func(field string) bool {
		_, shaped := shapeOf(name, field)
		return !shaped
	})
}

// CheckField returns an ErrShape that says what is wrong with the JSON of a field, or nil. An empty value, null and a
// field without a published shape are right.
func CheckField(name, field string, text []byte) error {
	shape, shaped := shapeOf(name, field)
	if !shaped || len(text) == 0 {
		return nil
	}
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		return fmt.Errorf("%w: %w", ErrShape, err)
	}
	if value == nil {
		return nil
	}
	return schemaOf(reflect.TypeOf(shape)).checkValue(value)
}

// WrapField returns a single string as a list with it, if the field's shape is a list, and any other text as it is: a
// form that names a field once cannot say that it is a list.
func WrapField(name, field string, text []byte) []byte {
	shape, shaped := shapeOf(name, field)
	if _, lists := shape.([]string); !shaped || !lists || len(text) == 0 || text[0] != '"' {
		return text
	}
	return slices.Concat([]byte("["), text, []byte("]"))
}

// checkValue returns an error that says what is wrong with a value that encoding/json has decoded, or nil.
func (s *Schema) checkValue(value any) error {
	if len(s.AnyOf) > 0 {
		errs := make([]error, len(s.AnyOf))
		for i, one := range s.AnyOf {
			if errs[i] = one.checkValue(value); errs[i] == nil {
				return nil
			}
		}
		return errs[0]
	}
	fits := true
	switch s.Type {
	case "array":
		values, list := value.([]any)
		for i, one := range values {
			if err := s.Items.checkValue(one); err != nil {
				return fmt.Errorf("%d: %w", i, err)
			}
		}
		fits = list
	case "object":
		return s.checkObject(value)
	case "string":
		var text string
		text, fits = value.(string)
		if fits && len(s.Enum) > 0 && !slices.Contains(s.Enum, text) {
			return fmt.Errorf("%w: one of %v is expected", ErrShape, s.Enum)
		}
	case "boolean":
		_, fits = value.(bool)
	case "number", "integer":
		_, fits = value.(float64)
	case "null":
		fits = value == nil
	}
	if !fits {
		return fmt.Errorf("%w: %s is expected", ErrShape, s.Type)
	}
	return nil
}

func (s *Schema) checkObject(value any) error {
	values, object := value.(map[string]any)
	if !object {
		return fmt.Errorf("%w: object is expected", ErrShape)
	}
	for _, name := range s.Required {
		if _, there := values[name]; !there {
			return fmt.Errorf("%w: %s is missing", ErrShape, name)
		}
	}
	for name, one := range values {
		shape := s.Properties[name]
		if shape == nil {
			shape, _ = s.Others.(*Schema)
		}
		if shape == nil {
			continue
		}
		if err := shape.checkValue(one); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}
