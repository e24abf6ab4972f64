package apidoc

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"maps"
	"slices"
	"strings"
)

var (
	//go:embed page.html
	pageSource string
	//go:embed page.css
	pageStyle string
	//go:embed page.js
	pageScript string

	pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
		"type": func(s *Schema) string { return typeScriptOf(s, "") }, "has": slices.Contains[[]string],
		"upper": strings.ToUpper, "last": func(ref string) string { return ref[strings.LastIndex(ref, "/")+1:] },
	}).Parse(pageSource))
)

// ContentSecurityPolicy is the page's Content-Security-Policy: it allows the page's own style and script, which may ask
// this service, and nothing else.
var ContentSecurityPolicy = func() string {
	hash := func(text string) string {
		sum := sha256.Sum256([]byte(text))
		return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	return "default-src 'none'; style-src " + hash(pageStyle) + "; script-src " + hash(pageScript) + "; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}()

// pageGroup is what the page shows under one heading.
type pageGroup struct {
	Name       string
	Operations []operationRow
	Schemas    []namedSchema
}

type operationRow struct {
	Method, Path string
	*Operation
	Curl, Script  string
	TryPath, Try  string // what is sent when it is tried: the path, and the body if there is one
	CanTry, Sends bool
	document      *Document
}

// Written returns the type of a body or an answer, with what a reference names written out.
func (r operationRow) Written(s *Schema) string {
	if name, isRef := strings.CutPrefix(s.Ref, schemaRef("").Ref); isRef && len(r.document.Components.Schemas[name].OneOf) == 0 {
		return typeScriptOf(r.document.Components.Schemas[name], "")
	}
	return typeScriptOf(r.document.resolve(s), "")
}

// Answer returns a response, with what a reference names written out.
func (r operationRow) Answer(response Response) Response {
	if name, isRef := strings.CutPrefix(response.Ref, "#/components/responses/"); isRef {
		return r.document.Components.Responses[name]
	}
	return response
}

func (d *Document) newOperationRow(method, path string, o *Operation) operationRow {
	row := operationRow{Method: method, Path: path, Operation: o, document: d}
	row.Curl, row.Script = d.examples(method, path, o)
	body, isForm := d.exampleBody(o)
	row.CanTry = strings.HasPrefix(path, "/api/") && !isForm && path != "/api/realtime"
	row.TryPath = strings.NewReplacer("{", "", "}", "").Replace(path)
	if row.Sends = body != nil; row.Sends {
		if text, err := json.MarshalIndent(body, "", "  "); err == nil {
			row.Try = string(text)
		}
	}
	return row
}

type namedSchema struct {
	Name string
	*Schema
}

// methodOrder is the order in which the page shows the methods of a path.
var methodOrder = []string{"get", "post", "patch", "delete"}

// HTMLPage returns the document as an HTML page for people. It needs no script and no other file.
func (d *Document) HTMLPage() (string, error) {
	var groups []pageGroup
	for _, tag := range d.Tags {
		g := pageGroup{Name: tag.Name}
		for _, path := range slices.Sorted(maps.Keys(d.Paths)) {
			for _, method := range methodOrder {
				if o := d.Paths[path][method]; o != nil && slices.Contains(o.Tags, tag.Name) {
					g.Operations = append(g.Operations, d.newOperationRow(method, path, o))
				}
			}
		}
		for _, kind := range []string{"Record", "Create", "Update"} {
			if s := d.Components.Schemas[pascalCase(tag.Name)+kind]; s != nil {
				g.Schemas = append(g.Schemas, namedSchema{pascalCase(tag.Name) + kind, s})
			}
		}
		groups = append(groups, g)
	}
	var text bytes.Buffer
	err := pageTemplate.Execute(&text, map[string]any{"Info": d.Info, "Groups": groups, "CSS": template.CSS(pageStyle), "JS": template.JS(pageScript)}) // #nosec G203 -- our own files
	if err != nil {
		return "", fmt.Errorf("write the page of the API: %w", err)
	}
	return text.String(), nil
}
