package apidoc

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

const typesHeader = `// The types of this service, made from its live collections by GET /api/v1/types.d.ts.
//
//	import PocketBase from 'pocketbase';
//	import type { TypedPocketBase } from './types';
//	const pb = new PocketBase(url) as TypedPocketBase;

import type PocketBase from 'pocketbase';
import type { RecordService } from 'pocketbase';

`

const typesFooter = `
/** The SDK, which knows what is in each collection. */
export type TypedPocketBase = Omit<PocketBase, 'collection'> & {
  collection<K extends keyof Collections>(name: K): RecordService<Collections[K]>;
};
`

// TypeScript returns the document's schemas and routes as TypeScript types.
func (d *Document) TypeScript() string {
	var text strings.Builder
	text.WriteString(typesHeader)
	for _, name := range slices.Sorted(maps.Keys(d.Components.Schemas)) {
		fmt.Fprintf(&text, "export interface %s %s\n\n", name, typeScriptOf(d.Components.Schemas[name], ""))
	}
	text.WriteString("/** What the records of each collection are. */\nexport interface Collections {\n")
	for _, tag := range d.Tags {
		if _, known := d.Components.Schemas[pascalCase(tag.Name)+"Record"]; known {
			fmt.Fprintf(&text, "  %s: %sRecord;\n", propertyName(tag.Name), pascalCase(tag.Name))
		}
	}
	text.WriteString("}\n\n/** Our own routes. */\nexport interface Routes {\n")
	for _, path := range slices.Sorted(maps.Keys(d.Paths)) {
		for _, method := range slices.Sorted(maps.Keys(d.Paths[path])) {
			o := d.Paths[path][method]
			if !slices.Contains(o.Tags, ownTag) {
				continue
			}
			fmt.Fprintf(&text, "  /** %s */\n  %s: {\n    body: %s;\n    answer: %s;\n  };\n", commentText(o.Summary), strconv.Quote(strings.ToUpper(method)+" "+path), o.requestType("    "), o.responseType("    "))
		}
	}
	text.WriteString("}\n" + typesFooter)
	return text.String()
}

func (o *Operation) requestType(indent string) string {
	if o.Body == nil {
		return "undefined"
	}
	return typeScriptOf(o.Body.Content["application/json"].Schema, indent)
}

func (o *Operation) responseType(indent string) string {
	content, json := o.Responses["200"].Content["application/json"]
	switch {
	case json:
		return typeScriptOf(content.Schema, indent)
	case len(o.Responses["200"].Content) > 0:
		return "string"
	}
	return "undefined"
}

func typeScriptOf(s *Schema, indent string) string {
	switch {
	case s == nil:
		return "unknown"
	case s.Ref != "":
		return s.Ref[strings.LastIndex(s.Ref, "/")+1:]
	case len(s.AnyOf) > 0:
		var all []string
		for _, one := range s.AnyOf {
			all = append(all, typeScriptOf(one, indent))
		}
		return strings.Join(all, " | ")
	case len(s.Enum) > 0:
		var all []string
		for _, value := range s.Enum {
			all = append(all, strconv.Quote(value))
		}
		return strings.Join(all, " | ")
	}
	switch s.Type {
	case "object":
		return objectType(s, indent)
	case "array":
		return "Array<" + typeScriptOf(s.Items, indent) + ">"
	case "integer":
		return "number"
	case "string":
		if s.Format == "binary" {
			return "Blob"
		}
		return "string"
	case "":
		return "unknown"
	}
	return s.Type // number, boolean, null
}

func objectType(s *Schema, indent string) string {
	if len(s.Properties) == 0 {
		return "Record<string, " + typeScriptOf(s.Others, indent) + ">"
	}
	var text strings.Builder
	text.WriteString("{\n")
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		p, optional := s.Properties[name], "?"
		if slices.Contains(s.Required, name) {
			optional = ""
		}
		if p.Description != "" {
			fmt.Fprintf(&text, "%s  /** %s */\n", indent, commentText(p.Description))
		}
		fmt.Fprintf(&text, "%s  %s%s: %s;\n", indent, propertyName(name), optional, typeScriptOf(p, indent+"  "))
	}
	if s.Others != nil {
		fmt.Fprintf(&text, "%s  [name: string]: %s;\n", indent, typeScriptOf(s.Others, indent+"  "))
	}
	text.WriteString(indent + "}")
	return text.String()
}

var identifier = regexp.MustCompile(`^[A-Za-z_$][A-Za-z0-9_$]*$`)

func propertyName(name string) string {
	if identifier.MatchString(name) {
		return name
	}
	return strconv.Quote(name)
}

// commentText returns a text in one line that cannot end the comment in which it stands.
func commentText(text string) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(text), " "), "*/", "* /")
}
