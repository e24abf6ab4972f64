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
import type { CommonOptions, RecordService, SendOptions } from 'pocketbase';

`

const typesFooter = `
/** A service of the SDK that knows what can be sent. A form may be sent instead: what is in one cannot be checked. */
export type TypedRecordService<K extends keyof Collections> = Omit<RecordService<Collections[K]>, 'create' | 'update'> & {
  create<T = Collections[K]>(body: Creates[K] | FormData, options?: CommonOptions): Promise<T>;
  update<T = Collections[K]>(id: string, body: Updates[K] | FormData, options?: CommonOptions): Promise<T>;
};

/** The SDK, which knows what is in each collection and what our own routes take and answer. */
export type TypedPocketBase = Omit<PocketBase, 'collection' | 'send'> & {
  collection<K extends keyof Collections>(name: K): TypedRecordService<K>;
  send: Send;
};
`

// TypeScript returns the document's schemas and routes as TypeScript types.
func (d *Document) TypeScript() string {
	var text strings.Builder
	text.WriteString(typesHeader)
	for _, name := range slices.Sorted(maps.Keys(d.Components.Schemas)) {
		if _, hasForm := d.Components.Schemas[name+formSuffix]; hasForm {
			continue // the form has all that it has, and files
		}
		text.WriteString(d.typeDeclaration(strings.TrimSuffix(name, formSuffix), d.Components.Schemas[name]))
	}
	d.writeCollectionTypes(&text)
	d.writeRouteTypes(&text)
	text.WriteString(typesFooter)
	return text.String()
}

// typeDeclaration declares a schema under a name.
func (d *Document) typeDeclaration(name string, s *Schema) string {
	if len(s.OneOf) == 0 {
		return fmt.Sprintf("export interface %s %s\n\n", name, typeScriptOf(s, ""))
	}
	var all []string
	for _, one := range s.OneOf {
		all = append(all, typeScriptOf(one, "")+d.withoutOthers(one, s.OneOf))
	}
	return fmt.Sprintf("export type %s = %s;\n\n", name, strings.Join(all, " | "))
}

// withoutOthers returns what keeps the properties of the other alternatives out of one: TypeScript would let them in.
func (d *Document) withoutOthers(one *Schema, all []*Schema) string {
	properties := func(ref *Schema) map[string]*Schema { return d.Components.Schemas[typeScriptOf(ref, "")].Properties }
	var without []string
	for _, other := range all {
		for _, field := range slices.Sorted(maps.Keys(properties(other))) {
			if properties(one)[field] == nil {
				without = append(without, propertyName(field)+"?: never")
			}
		}
	}
	if without == nil {
		return ""
	}
	return " & { " + strings.Join(slices.Compact(slices.Sorted(slices.Values(without))), "; ") + " }"
}

// writeCollectionTypes writes the types of records, and of what can be sent, by the names of collections.
func (d *Document) writeCollectionTypes(text *strings.Builder) {
	for _, of := range []struct{ about, name, kind string }{
		{"What the records of each collection are.", "Collections", "Record"},
		{"What creates a record of each collection.", "Creates", "Create"},
		{"What changes a record of each collection.", "Updates", "Update"},
	} {
		fmt.Fprintf(text, "/** %s */\nexport interface %s {\n", of.about, of.name)
		for _, tag := range d.Tags {
			name := pascalCase(tag.Name)
			if d.Components.Schemas[name+"Record"] == nil {
				continue
			}
			value := name + of.kind
			if d.Components.Schemas[value] == nil && d.Components.Schemas[value+formSuffix] == nil {
				value = "never"
			}
			fmt.Fprintf(text, "  %s: %s;\n", propertyName(tag.Name), value)
		}
		text.WriteString("}\n\n")
	}
}

// writeRouteTypes writes what our own routes take and answer: as a table, and as the ways in which the SDK's send can
// be called.
func (d *Document) writeRouteTypes(text *strings.Builder) {
	var table, calls strings.Builder
	for _, path := range slices.Sorted(maps.Keys(d.Paths)) {
		for _, method := range slices.Sorted(maps.Keys(d.Paths[path])) {
			o := d.Paths[path][method]
			if !slices.Contains(o.Tags, ownTag) {
				continue
			}
			name := strconv.Quote(strings.ToUpper(method) + " " + path)
			fmt.Fprintf(&table, "  /** %s */\n  %s: {\n    query: %s;\n    body: %s;\n    answer: %s;\n  };\n", commentText(o.Summary), name, o.queryType(), o.requestType("    "), o.responseType("    "))
			if !strings.HasPrefix(path, "/api/v1/") {
				continue // pages for people
			}
			fmt.Fprintf(&calls, "  (path: %s, options%s: Call<%s>): Promise<Routes[%s]['answer']>;\n", pathType(path), o.optionalMark(method), name, name)
		}
	}
	text.WriteString("/** Our own routes. */\nexport interface Routes {\n" + table.String() + "}\n" + `
type Method<K> = K extends ` + "`${infer M} ${string}`" + ` ? M : never;
type Call<K extends keyof Routes> = Omit<SendOptions, 'method' | 'query' | 'body'>
  & (Method<K> extends 'GET' ? { method?: 'GET' } : { method: Method<K> })
  & (Routes[K]['query'] extends undefined ? unknown : { query?: Routes[K]['query'] })
  & (Routes[K]['body'] extends undefined ? unknown : { body: Routes[K]['body'] });

/** The SDK's send: our own routes as described, and any other path. */
export interface Send {
` + calls.String() + "  <T = unknown, P extends string = string>(path: P extends `/api/v1/${string}` ? never : P, options: SendOptions): Promise<T>;\n}\n")
}

// pathType returns the type of a path, with any text for its parameters.
func pathType(path string) string {
	if !strings.Contains(path, "{") {
		return strconv.Quote(path)
	}
	return "`" + pathParameter.ReplaceAllString(path, "$${string}") + "`"
}

var pathParameter = regexp.MustCompile(`\{[^}]*\}`)

// optionalMark says that a call needs no options: a GET sends nothing by necessity.
func (o *Operation) optionalMark(method string) string {
	if method == "get" {
		return "?"
	}
	return ""
}

func (o *Operation) queryType() string {
	var all []string
	for _, p := range o.Parameters {
		if p.In == "query" {
			all = append(all, propertyName(p.Name)+"?: string | number")
		}
	}
	if all == nil {
		return "undefined"
	}
	return "{ " + strings.Join(all, "; ") + " }"
}

func (o *Operation) requestType(indent string) string {
	if o.Body == nil {
		return "undefined"
	}
	return typeScriptOf(o.Body.Content[jsonType].Schema, indent)
}

func (o *Operation) responseType(indent string) string {
	content, json := o.Responses["200"].Content[jsonType]
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
	case len(s.AnyOf)+len(s.OneOf) > 0:
		var all []string
		for _, one := range slices.Concat(s.AnyOf, s.OneOf) {
			all = append(all, typeScriptOf(one, indent))
		}
		return strings.Join(all, " | ")
	case s.Const != nil:
		return fmt.Sprint(s.Const)
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
		if s.Format == "binary" && s.Removable {
			return "Blob | null"
		} else if s.Format == "binary" {
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
		others, _ := s.Others.(*Schema)
		return "Record<string, " + typeScriptOf(others, indent) + ">"
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
	if others, open := s.Others.(*Schema); open {
		fmt.Fprintf(&text, "%s  [name: string]: %s;\n", indent, typeScriptOf(others, indent+"  "))
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
